use super::*;

#[test]
fn names_as_docker_allows_them() {
    for good in ["ab", "/ab", "a1", "0x", "web_1.front-end"] {
        assert_eq!(check(good).unwrap(), good.trim_start_matches('/'), "{good}");
    }
    for bad in ["", "/", "a", "_a", "-ab", "a/b", "a b", "ä1", "a\n", "//ab"] {
        let message = check(bad).unwrap_err().to_string();
        assert!(message.contains(&format!("({bad})")), "{message}");
    }
}

#[test]
fn made_up_names_are_allowed_and_vary() {
    let names: std::collections::BTreeSet<_> = (0..64)
        .map(|attempt| generate(attempt % 2).unwrap())
        .collect();
    assert!(names.len() > 32, "{names:?}");
    for name in &names {
        check(name).unwrap();
    }
}

#[test]
fn ids_are_64_digits_and_not_numbers() {
    let id = new_id().unwrap();
    assert_eq!(id.len(), 64);
    assert!(id[..12].parse::<u64>().is_err());
}
