use super::{Malformed, matches};

#[test]
fn patterns_of_gos_path_match() {
    // From the table of Go's own test of path.Match, as far as it has separators,
    // classes, escapes and stars.
    for (pattern, name, expected) in [
        ("abc", "abc", Ok(true)),
        ("*", "abc", Ok(true)),
        ("*c", "abc", Ok(true)),
        ("a*", "a", Ok(true)),
        ("a*", "ab/c", Ok(false)),
        ("a*/b", "abc/b", Ok(true)),
        ("a*/b", "a/c/b", Ok(false)),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
        ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
        ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
        ("ab[c]", "abc", Ok(true)),
        ("ab[b-d]", "abc", Ok(true)),
        ("ab[e-g]", "abc", Ok(false)),
        ("ab[^c]", "abc", Ok(false)),
        ("ab[^e-g]", "abc", Ok(true)),
        ("a\\*b", "a*b", Ok(true)),
        ("a\\*b", "ab", Ok(false)),
        ("a?b", "a/b", Ok(false)),
        ("a*b", "a/b", Ok(false)),
        ("[\\]a]", "]", Ok(true)),
        ("[x\\-]", "-", Ok(true)),
        ("busy*", "busybox:latest", Ok(true)),
        ("[]a]", "]", Err(Malformed)),
        ("[-]", "-", Err(Malformed)),
        ("[", "a", Err(Malformed)),
        ("[^bc", "a", Err(Malformed)),
        ("a[", "ab", Err(Malformed)),
        ("a\\", "a", Err(Malformed)),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn many_stars_take_no_time() {
    assert_eq!(matches(&"*a".repeat(200), &"a".repeat(199)), Ok(false));
}
