use super::*;

#[test]
fn environment_is_replaced_in_place_and_removed_by_name() {
    let mut environment = vec!["A=1".to_owned(), "B=2".to_owned()];
    merge(
        &mut environment,
        &["B=3".into(), "C=4".into(), "A".into(), "D".into()],
    );
    assert_eq!(environment, ["B=3", "C=4"]);
}

#[test]
fn limits_are_checked_in_dockers_words() {
    for (host, message) in [
        (
            HostConfig {
                memory: 1 << 20,
                ..HostConfig::default()
            },
            "Minimum memory limit allowed is 6MB",
        ),
        (
            HostConfig {
                memory_swap: 1,
                ..HostConfig::default()
            },
            "always set the Memory limit",
        ),
        (
            HostConfig {
                nano_cpus: i64::MAX,
                ..HostConfig::default()
            },
            "range of CPUs is from 0.01 to",
        ),
    ] {
        let error = resources(&host, Vec::new()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn cpus_become_a_quota_and_memory_doubles_for_swap() {
    let host = HostConfig {
        nano_cpus: 500_000_000,
        memory: 20 << 20,
        ..HostConfig::default()
    };
    let resources = resources(&host, Vec::new()).unwrap();
    let cpu = resources.cpu.unwrap();
    assert_eq!((cpu.quota, cpu.period), (Some(50_000), Some(100_000)));
    assert_eq!(resources.memory.unwrap().swap, Some(40 << 20));
}
