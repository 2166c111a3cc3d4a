use super::normalized;

#[test]
fn one_name_for_one_file() {
    for (name, expected) in [
        ("./a/b", "a/b"),
        ("a//b/", "a/b"),
        ("a/../b", "b"),
        ("../../etc/passwd", "etc/passwd"),
        ("/a", "a"),
        ("", ""),
    ] {
        assert_eq!(normalized(name), expected, "{name}");
    }
}
