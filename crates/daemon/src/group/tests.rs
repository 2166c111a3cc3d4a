use super::*;

#[test]
fn groups_are_found_by_name_and_by_number() {
    let text = "root:x:0:\ndocker:x:998:alice,bob\nbroken\nodd:x:many:\n";
    for (group, number) in [
        ("docker", Some(998)),
        ("root", Some(0)),
        ("1234", Some(1234)),
        ("dock", None),
        ("odd", None),
        ("broken", None),
    ] {
        assert_eq!(find(text, group), number, "{group}");
    }
}
