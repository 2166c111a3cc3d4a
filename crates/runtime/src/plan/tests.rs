use super::*;

fn spec(document: &str) -> Spec {
    serde_json::from_str(&format!(r#"{{"ociVersion":"1.2.0",{document}}}"#)).expect("valid JSON")
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
        r#""linux":{"namespaces":[{"type":"mount"},{"type":"ipc","path":"/nowhere"}]}"#,
    ] {
        assert!(
            Namespaces::plan(&spec(wrong), Vec::new()).is_err(),
            "{wrong}"
        );
    }
}
