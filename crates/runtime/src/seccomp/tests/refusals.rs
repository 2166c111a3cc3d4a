//! What a configuration cannot ask for, and the flags that follow from it.

use super::*;
use tare_oci::runtime::SeccompFlag;

#[test]
fn what_cannot_be_is_refused_by_name() {
    use SeccompAction::{Allow, Errno, KillProcess, Log, Notify, Trace};
    let with_errno = |action, errno| {
        let mut one = rule(&["read"], action, vec![]);
        one.errno_ret = Some(errno);
        filter(Allow, vec![one])
    };
    let mut default_errno = filter(Allow, vec![]);
    default_errno.default_errno_ret = Some(1);
    let condition = vec![when(6, SeccompOperator::Equal, 0, 0)];
    let cases = [
        (
            filter(Allow, vec![rule(&["read"], Errno, condition)]),
            "syscalls[0].args: index 6 is not below 6",
        ),
        (
            filter(
                Allow,
                vec![rule(&["read"], Errno, vec![]), rule(&[], Errno, vec![])],
            ),
            "syscalls[1].names: a call without a name",
        ),
        (
            filter(Allow, vec![rule(&["read", ""], Errno, vec![])]),
            "syscalls[0].names: a call without a name",
        ),
        (
            with_errno(Log, 1),
            "syscalls[0].errnoRet: SCMP_ACT_LOG takes no errno",
        ),
        (
            with_errno(KillProcess, 1),
            "syscalls[0].errnoRet: SCMP_ACT_KILL_PROCESS takes no errno",
        ),
        (
            with_errno(Notify, 1),
            "syscalls[0].errnoRet: SCMP_ACT_NOTIFY takes no errno",
        ),
        (
            with_errno(Errno, 4096),
            "syscalls[0].errnoRet: 4096 is above 4095",
        ),
        (
            with_errno(Trace, 0x1_0000),
            "syscalls[0].errnoRet: 65536 is above 65535",
        ),
        (
            default_errno,
            "defaultErrnoRet: SCMP_ACT_ALLOW takes no errno",
        ),
        (
            filter(Notify, vec![]),
            "defaultAction: SCMP_ACT_NOTIFY cannot be used as default action",
        ),
        (
            filter(Allow, vec![rule(&["read", "write"], Notify, vec![])]),
            "syscalls[0]: SCMP_ACT_NOTIFY cannot be used for the write syscall",
        ),
    ];
    for (configuration, expected) in cases {
        let error = compile(&configuration).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn flags_follow_the_configuration() {
    use SeccompFlag::{Log, SpecAllow, ThreadSync, WaitKillableReceive};
    let flags = |action, flags: Option<&[SeccompFlag]>| {
        let mut configuration =
            filter(SeccompAction::Allow, vec![rule(&["mount"], action, vec![])]);
        configuration.flags = flags.map(<[_]>::to_vec);
        compile(&configuration).map(|filter| (filter.notifies(), filter.flags.0))
    };
    let plain = SeccompAction::Errno;
    let notify = SeccompAction::Notify;
    // The kernel's numbers.
    assert_eq!(flags(plain, None), Ok((false, 4)));
    assert_eq!(flags(plain, Some(&[])), Ok((false, 0)));
    assert_eq!(flags(plain, Some(&[ThreadSync, Log])), Ok((false, 1 | 2)));
    assert_eq!(flags(notify, None), Ok((true, 4 | 8)));
    assert_eq!(
        flags(notify, Some(&[SpecAllow, WaitKillableReceive])),
        Ok((true, 4 | 8 | 32))
    );
    assert_eq!(flags(notify, Some(&[ThreadSync])), Ok((true, 1 | 8 | 16)));
    assert_eq!(
        flags(plain, Some(&[WaitKillableReceive])),
        Err(Error::WaitWithoutNotify)
    );
}

#[test]
fn unknown_words_are_refused_by_name() {
    for (json, word) in [
        (r#"{"defaultAction":"SCMP_ACT_MAYBE"}"#, "SCMP_ACT_MAYBE"),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}"#,
            "SECCOMP_FILTER_FLAG_NEW_LISTENER",
        ),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["amd64"]}"#,
            "amd64",
        ),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],
                "action":"SCMP_ACT_LOG","args":[{"index":0,"value":0,"op":"SCMP_CMP_IN"}]}]}"#,
            "SCMP_CMP_IN",
        ),
    ] {
        let error = serde_json::from_str::<Seccomp>(json).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    }
}
