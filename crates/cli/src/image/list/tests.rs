use super::*;

#[test]
fn each_name_of_an_image_has_a_line() {
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let named = ImageSummary {
        repo_tags: vec!["busybox:latest".to_owned(), "localhost:5000/x:1".to_owned()],
        repo_digests: vec![format!("busybox@{digest}"), format!("only@{digest}")],
        ..ImageSummary::default()
    };
    let line = |texts: [&str; 3]| {
        (
            texts[0].to_owned(),
            texts[1].to_owned(),
            texts[2].to_owned(),
        )
    };
    assert_eq!(
        names(&named, false),
        [
            line(["busybox", "latest", NONE]),
            line(["localhost:5000/x", "1", NONE]),
            line(["only", NONE, ""])
        ]
    );
    assert_eq!(
        names(&named, true),
        [
            line(["busybox", "latest", digest]),
            line(["localhost:5000/x", "1", NONE]),
            line(["only", NONE, digest])
        ]
    );
    assert_eq!(
        names(&ImageSummary::default(), false),
        [line([NONE, NONE, NONE])]
    );
}
