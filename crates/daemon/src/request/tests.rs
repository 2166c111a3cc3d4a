use super::*;

#[test]
fn the_version_is_taken_off_the_path() {
    for (path, version, rest) in [
        ("v1.40/containers/json", Version::one(40), "containers/json"),
        ("v1.51/_ping", Version::one(51), "_ping"),
        ("_ping", Version::one(51), "_ping"),
        ("volumes/v1.2", Version::one(51), "volumes/v1.2"),
        ("version", Version::one(51), "version"),
    ] {
        assert_eq!(version::split(path).expect(path), (version, rest), "{path}");
    }
    for (path, message) in [
        (
            "v1.39/info",
            "client version 1.39 is too old. Minimum supported API version is 1.40",
        ),
        ("v1/info", "client version 1 is too old"),
        (
            "v1.99/info",
            "client version 1.99 is too new. Maximum supported API version is 1.51",
        ),
        ("v99999999999/info", "client version 99999999999 is too old"),
    ] {
        let error = version::split(path).expect_err(path);
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn escapes_are_undone_and_what_is_none_stays() {
    for (text, plus_is_space, decoded) in [
        ("/images/a%2Fb%3a1/json", false, "/images/a/b:1/json"),
        ("a+b", false, "a+b"),
        ("a+b%2B", true, "a b+"),
        ("100%", true, "100%"),
        ("%zz%4", true, "%zz%4"),
        ("%ff", false, "\u{fffd}"),
    ] {
        assert_eq!(query::decode(text, plus_is_space), decoded);
    }
}

#[test]
fn parameters_are_read_as_docker_reads_them() {
    let query =
        Query::parse("all=1&size=False&t=-1&h=x&name=&name=second&logs&force= no ").expect("query");
    assert!(query.flag("all"));
    assert!(
        !query.flag("size") && !query.flag("logs") && !query.flag("absent") && !query.flag("force")
    );
    assert_eq!(query.number("t").expect("number"), Some(-1));
    assert_eq!(query.number("absent").expect("absent"), None);
    assert_eq!(
        query.number("h").expect_err("no number").to_string(),
        "strconv.Atoi: parsing \"x\": invalid syntax"
    );
    assert_eq!(query.given("name"), None);
}

#[test]
fn a_form_comes_before_the_query() {
    let mut query = Query::parse("signal=KILL&all=1").expect("query");
    query.precede(Query::parse("signal=WINCH").expect("form"));
    assert_eq!(query.text("signal"), "WINCH");
    assert!(query.flag("all"));
}

#[test]
fn a_query_that_is_none_is_refused_in_gos_words() {
    for (text, message) in [
        ("a=1;b=2", "invalid semicolon separator in query"),
        ("a=%zz", "invalid URL escape \"%zz\""),
        ("a=%4", "invalid URL escape \"%4\""),
        ("%", "invalid URL escape \"%\""),
    ] {
        assert_eq!(
            Query::parse(text).expect_err(text).to_string(),
            message,
            "{text}"
        );
    }
}

#[test]
fn only_a_path_with_detours_has_a_cleaner_form() {
    for (path, clean) in [
        ("/v1.45/containers/json", None),
        ("/", None),
        ("/v1.45/containers/json/", None),
        ("//v1.45//_ping", Some("/v1.45/_ping")),
        ("/containers/../_ping", Some("/_ping")),
        ("/containers/./json", Some("/containers/json")),
        ("/containers/%2Fname/json", Some("/containers/name/json")),
        ("/../..", Some("/")),
        ("//a/", Some("/a/")),
        ("//images/a%20b%25/json", Some("/images/a%20b%25/json")),
    ] {
        assert_eq!(cleaned(path).as_deref(), clean, "{path}");
    }
}
