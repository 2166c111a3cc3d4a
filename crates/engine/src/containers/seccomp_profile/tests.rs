use super::*;

fn names(json: &str, capabilities: &[&str]) -> Vec<String> {
    let capabilities: Vec<_> = capabilities.iter().map(|name| (*name).to_owned()).collect();
    parse(json, &capabilities)
        .unwrap()
        .syscalls
        .into_iter()
        .flat_map(|rule| rule.names)
        .collect()
}

#[test]
fn rules_follow_capabilities_architecture_and_kernel() {
    let json = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["read"],"action":"SCMP_ACT_ALLOW","args":null},
        {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
        {"names":["clone"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
        {"names":["s390_only"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390x"]}},
        {"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
        {"names":["future"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"900.1"}}]}"#;
    assert_eq!(names(json, &[]), ["read", "clone", "ptrace"]);
    assert_eq!(names(json, &["CAP_SYS_ADMIN"]), ["read", "mount", "ptrace"]);
}

#[test]
fn what_is_wrong_is_said() {
    for (json, named) in [
        ("{", "EOF"),
        (r#"{"defaultAction":"SCMP_ACT_PARTY"}"#, "SCMP_ACT_PARTY"),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}"#,
            "either 'name' or 'names'",
        ),
    ] {
        assert!(parse(json, &[]).unwrap_err().contains(named), "{json}");
    }
}
