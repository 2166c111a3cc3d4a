use super::*;

fn names(add: &[&str], drop: &[&str]) -> Vec<String> {
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    granted(&HostConfig {
        cap_add: list(add),
        cap_drop: list(drop),
        ..HostConfig::default()
    })
    .unwrap()
}

#[test]
fn capabilities_are_dockers_defaults_less_and_more() {
    let default = names(&[], &[]);
    assert_eq!(default.len(), 14);
    assert!(default.contains(&"CAP_NET_BIND_SERVICE".to_owned()));
    assert!(!default.contains(&"CAP_SYS_ADMIN".to_owned()));
    assert_eq!(names(&[], &["all"]), Vec::<String>::new());
    assert_eq!(names(&["net_admin"], &["ALL"]), ["CAP_NET_ADMIN"]);
    assert!(!names(&["ALL"], &["CAP_SYS_ADMIN"]).contains(&"CAP_SYS_ADMIN".to_owned()));
    assert_eq!(names(&["ALL"], &[]).len(), capability::NAMES.len());
}

#[test]
fn unknown_names_are_refused() {
    let host = HostConfig {
        cap_add: Some(vec!["FLY".into()]),
        ..HostConfig::default()
    };
    assert_eq!(
        granted(&host).unwrap_err().to_string(),
        "unknown capability: \"CAP_FLY\""
    );
    let host = HostConfig {
        security_opt: Some(vec!["magic=on".into()]),
        ..HostConfig::default()
    };
    assert!(options(&host).unwrap_err().to_string().contains("magic=on"));
}
