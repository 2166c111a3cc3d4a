use super::*;

#[test]
fn both_shapes_say_the_same() {
    let mut expected = Filters::default();
    expected.add("label", "a=b");
    expected.add("label", "c");
    expected.add("status", "running");
    for text in [
        r#"{"label":["a=b","c"],"status":["running"]}"#,
        r#"{"label":{"a=b":true,"c":true},"status":{"running":true}}"#,
        r#"{"label":["c","a=b"],"status":{"running":true}}"#,
    ] {
        assert_eq!(Filters::parse(text).expect("filters"), expected, "{text}");
    }
    assert_eq!(
        Filters::parse(&expected.encode()).expect("own text"),
        expected
    );
    for nothing in ["", "null", "{}"] {
        assert!(Filters::parse(nothing).expect("no filters").is_empty());
    }
    for wrong in ["[]", "label=a", r#"{"label":"a"}"#, r#"{"label":[1]}"#] {
        assert!(Filters::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn unknown_names_and_values_are_refused() {
    let filters =
        Filters::parse(r#"{"dangling":["true"],"label":["a"],"both":["1","0"],"odd":["maybe"]}"#)
            .expect("filters");
    assert_eq!(filters.boolean("dangling").expect("a boolean"), Some(true));
    assert_eq!(filters.boolean("absent").expect("absent"), None);
    assert!(filters.boolean("both").is_err());
    assert_eq!(
        filters.boolean("odd").expect_err("no boolean").to_string(),
        "invalid filter 'odd=maybe'"
    );
    assert_eq!(
        filters
            .accept(&["label", "odd"])
            .expect_err("unknown")
            .to_string(),
        "invalid filter 'both'"
    );
}

#[test]
fn labels_match_by_key_or_by_key_and_value() {
    let labels = BTreeMap::from([
        ("a".to_owned(), "b".to_owned()),
        ("c".to_owned(), String::new()),
    ]);
    for (values, matching) in [
        (r#"["a"]"#, true),
        (r#"["a=b","c"]"#, true),
        (r#"["c="]"#, true),
        (r#"["a=c"]"#, false),
        (r#"["d"]"#, false),
    ] {
        let filters = Filters::parse(&format!(r#"{{"label":{values}}}"#)).expect("filters");
        assert_eq!(
            filters.matches_labels("label", &labels),
            matching,
            "{values}"
        );
    }
}
