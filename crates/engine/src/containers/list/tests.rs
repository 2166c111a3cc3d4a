use super::*;

#[test]
fn names_match_in_part_or_where_the_anchors_say() {
    for (pattern, matching, other) in [
        ("eb", "web", "app"),
        ("/web", "web1", "app"),
        ("^web", "web1", "myweb"),
        ("^/web$", "web", "web1"),
        ("web$", "myweb", "web1"),
        ("web.1", "web.1", "web-1"),
    ] {
        assert!(name_matches(pattern, matching), "{pattern} {matching}");
        assert!(!name_matches(pattern, other), "{pattern} {other}");
    }
}
