use super::*;

type Change = fn(&mut HostConfig);

#[test]
fn limits_are_checked_in_dockers_words() {
    let cases: [(Change, &str); 9] = [
        (
            |host| host.memory = 1 << 20,
            "Minimum memory limit allowed is 6MB",
        ),
        (|host| host.memory_swap = 1, "always set the Memory limit"),
        (
            |host| host.memory_reservation = 1,
            "Minimum memory reservation allowed is 6MB",
        ),
        (
            |host| host.memory_swappiness = Some(101),
            "Invalid value: 101, valid memory",
        ),
        (
            |host| host.nano_cpus = i64::MAX,
            "range of CPUs is from 0.01 to",
        ),
        (
            |host| host.nano_cpus = 1_000_000,
            "range of CPUs is from 0.01 to",
        ),
        (
            |host| host.cpu_quota = 999,
            "CPU cfs quota can not be less than 1ms",
        ),
        (|host| host.cpu_period = 1_000_001, "or larger than 1s"),
        (|host| host.shm_size = -1, "SHM size can not be less than 0"),
    ];
    for (set, message) in cases {
        let mut host = HostConfig::default();
        set(&mut host);
        let error = control_group(&host, Vec::new()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn cpus_become_a_quota_and_memory_doubles_for_swap() {
    let mut host = HostConfig {
        nano_cpus: 500_000_000,
        memory: 20 << 20,
        ..HostConfig::default()
    };
    complete(&mut host);
    let resources = control_group(&host, Vec::new()).unwrap();
    let cpu = resources.cpu.unwrap();
    assert_eq!((cpu.quota, cpu.period), (Some(50_000), Some(100_000)));
    assert_eq!(resources.memory.unwrap().swap, Some(40 << 20));
}

#[test]
fn minus_one_is_without_limit() {
    let mut host = HostConfig {
        memory: 20 << 20,
        memory_swap: -1,
        memory_swappiness: Some(-1),
        pids_limit: Some(-1),
        ..HostConfig::default()
    };
    complete(&mut host);
    let resources = control_group(&host, Vec::new()).unwrap();
    let memory = resources.memory.unwrap();
    assert_eq!((memory.swap, memory.swappiness), (Some(-1), None));
    assert_eq!(resources.pids.unwrap().limit, -1);
    host.pids_limit = Some(0);
    assert_eq!(control_group(&host, Vec::new()).unwrap().pids, None);
}

#[test]
fn the_score_has_the_kernels_range() {
    for (given, score) in [(0, None), (-1000, Some(-1000)), (1000, Some(1000))] {
        let host = HostConfig {
            oom_score_adj: given,
            ..HostConfig::default()
        };
        assert_eq!(oom_score(&host).unwrap(), score);
    }
    let host = HostConfig {
        oom_score_adj: 1001,
        ..HostConfig::default()
    };
    let error = oom_score(&host).unwrap_err().to_string();
    assert!(
        error.contains("range for oom score adj is [-1000, 1000]"),
        "{error}"
    );
}
