use super::*;

fn spec(document: &str) -> Spec {
    serde_json::from_str(&format!(r#"{{"ociVersion":"1.2.0",{document}}}"#)).expect("valid JSON")
}

#[test]
fn what_would_be_ignored_or_would_reach_the_host_is_refused_by_name() {
    let cases = [
        (
            r#""hostname":"h""#,
            "hostname: needs a UTS namespace of the container's own",
        ),
        (
            r#""mounts":[{"destination":"/a"},{"destination":""}]"#,
            "mounts[1].destination: is empty",
        ),
        (
            r#""linux":{"sysctl":{"kernel.shmmax":"1"}}"#,
            "linux.sysctl: \"kernel.shmmax\" is not allowed without a ipc namespace of the container's own",
        ),
        (
            r#""linux":{"sysctl":{"vm.swappiness":"1"},"namespaces":[{"type":"ipc"}]}"#,
            "linux.sysctl: \"vm.swappiness\" is not in a separate kernel namespace",
        ),
        (
            r#""linux":{"sysctl":{"net/../vm/x":"1"},"namespaces":[{"type":"network"}]}"#,
            "linux.sysctl: \"net/../vm/x\" is no kernel parameter",
        ),
        (
            r#""linux":{"intelRdt":{}}"#,
            "linux.intelRdt: is not supported yet",
        ),
        (
            r#""linux":{"timeOffsets":{"monotonic":{"secs":1}}}"#,
            "linux.timeOffsets: needs a time namespace of the container's own",
        ),
    ];
    for (document, expected) in cases {
        let error = check(&spec(document), &[]).expect_err(document);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn namespaces_are_sorted_by_the_way_they_are_made() {
    let planned = Namespaces::plan(
        &spec(
            r#""linux":{"namespaces":[{"type":"mount"},{"type":"pid"},{"type":"cgroup"},
            {"type":"network","path":"/proc/self/ns/net"}]}"#,
        ),
        Vec::new(),
    )
    .expect("valid");
    assert_eq!(planned.cloned, Kinds::MOUNT.union(Kinds::PID));
    assert!(planned.new_cgroup && !planned.new_time);
    assert_eq!(planned.join.len(), 1);
    assert!(planned.all.contains(Kinds::NETWORK));
    for wrong in [
        r#""linux":{"namespaces":[{"type":"mount"},{"type":"mount"}]}"#,
        r#""linux":{"namespaces":[{"type":"mount"},{"type":"user"}]}"#,
        r#""linux":{"namespaces":[{"type":"mount"},{"type":"ipc","path":"/nowhere"}]}"#,
    ] {
        assert!(
            Namespaces::plan(&spec(wrong), Vec::new()).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn parameters_are_paths_in_either_notation() {
    for (parameter, expected) in [
        ("kernel.shmmax", "kernel/shmmax"),
        (
            "net.ipv4.conf.eth0/1.forwarding",
            "net/ipv4/conf/eth0.1/forwarding",
        ),
        (
            "net/ipv4/conf/eth0.1/forwarding",
            "net/ipv4/conf/eth0.1/forwarding",
        ),
        ("kernel/shmmax", "kernel/shmmax"),
    ] {
        assert_eq!(parameter_path(parameter), expected);
    }
}
