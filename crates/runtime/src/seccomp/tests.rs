mod cache;
mod machines;
mod meaning;
mod refusals;

use super::*;
use tare_oci::runtime::{
    SeccompAction, SeccompArchitecture, SeccompArgument, SeccompOperator, SeccompSyscall,
};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0;

fn rule(names: &[&str], action: SeccompAction, args: Vec<SeccompArgument>) -> SeccompSyscall {
    SeccompSyscall {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        action,
        errno_ret: None,
        args,
    }
}

fn when(index: u32, op: SeccompOperator, value: u64, value_two: u64) -> SeccompArgument {
    SeccompArgument {
        index,
        value,
        value_two,
        op,
    }
}

fn filter(default_action: SeccompAction, syscalls: Vec<SeccompSyscall>) -> Seccomp {
    Seccomp {
        default_action,
        default_errno_ret: None,
        architectures: vec![SeccompArchitecture::X86_64],
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls,
    }
}

fn verdict(configuration: &Seccomp, audit: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let filter = compile(configuration).expect("compiles");
    interpret::run(&filter.program, audit, number, arguments)
}

#[test]
fn the_table_is_sorted_and_knows_well_known_numbers() {
    assert!(table::ROWS.is_sorted_by(|a, b| a.name < b.name));
    for (name, x86_64, x86, x32, aarch64, arm) in [
        ("read", 0, 3, 0, 63, 3),
        ("execve", 59, 11, 520, 221, 11),
        ("socket", 41, 359, 41, 198, 281),
        ("socketcall", -1, 102, -1, -1, -1),
        ("openat2", 437, 437, 437, 437, 437),
        ("clock_gettime64", -1, 403, -1, -1, 403),
        ("set_tls", -1, -1, -1, -1, 0xf_0005),
    ] {
        let index = table::ROWS
            .binary_search_by(|row| row.name.cmp(name))
            .expect(name);
        let row = table::ROWS[index];
        assert_eq!(
            (row.x86_64, row.x86, row.x32, row.aarch64, row.arm),
            (x86_64, x86, x32, aarch64, arm),
            "{name}"
        );
    }
}

#[test]
fn every_comparison_decides_as_its_name_says() {
    use SeccompOperator::{
        Equal, GreaterOrEqual, GreaterThan, LessOrEqual, LessThan, MaskedEqual, NotEqual,
    };
    let big = 0x1_0000_0005u64;
    let samples = [
        0,
        4,
        5,
        6,
        u64::from(u32::MAX),
        big - 1,
        big,
        big + 1,
        0x2_0000_0000,
        u64::MAX,
    ];
    for value in [0, 5, big, u64::MAX] {
        type Case = (SeccompOperator, fn(u64, u64) -> bool);
        let cases: [Case; 6] = [
            (Equal, |a, b| a == b),
            (NotEqual, |a, b| a != b),
            (LessThan, |a, b| a < b),
            (LessOrEqual, |a, b| a <= b),
            (GreaterThan, |a, b| a > b),
            (GreaterOrEqual, |a, b| a >= b),
        ];
        for (op, expected) in cases {
            // read(2), whose third argument is 64 bits wide.
            let configuration = filter(
                SeccompAction::Errno,
                vec![rule(
                    &["read"],
                    SeccompAction::Allow,
                    vec![when(2, op, value, 0)],
                )],
            );
            for sample in samples {
                let found = verdict(&configuration, X86_64, 0, [0, 0, sample, 0, 0, 0]);
                let expected = if expected(sample, value) {
                    ALLOW
                } else {
                    EPERM
                };
                assert_eq!(found, expected, "{sample:#x} {op:?} {value:#x}");
            }
        }
    }
    for (mask, value) in [(0xf0, 0x50), (0xf_0000_00f0, 0x1_0000_0050), (0xf0, 0xff5f)] {
        let configuration = filter(
            SeccompAction::Errno,
            vec![rule(
                &["read"],
                SeccompAction::Allow,
                vec![when(0, MaskedEqual, mask, value)],
            )],
        );
        for sample in [
            0x50,
            0x5f,
            0x1_0000_0050,
            0x1_0000_0060,
            0x2_0000_0050,
            0xffff_ff5f,
        ] {
            let found = verdict(&configuration, X86_64, 0, [sample, 0, 0, 0, 0, 0]);
            let expected = if sample & mask == value & mask {
                ALLOW
            } else {
                EPERM
            };
            assert_eq!(found, expected, "{sample:#x} & {mask:#x} == {value:#x}");
        }
    }
}

#[test]
fn conditions_of_one_rule_must_all_hold_and_several_rules_are_alternatives() {
    use SeccompOperator::Equal;
    let configuration = filter(
        SeccompAction::Errno,
        vec![
            rule(
                &["read"],
                SeccompAction::Allow,
                vec![when(0, Equal, 1, 0), when(1, Equal, 2, 0)],
            ),
            rule(&["read"], SeccompAction::Trap, vec![when(0, Equal, 9, 0)]),
            // The same argument twice: either will do.
            rule(
                &["write"],
                SeccompAction::Allow,
                vec![when(0, Equal, 1, 0), when(0, Equal, 2, 0)],
            ),
            // A rule without conditions beats those with, in any order.
            rule(&["open"], SeccompAction::Trap, vec![when(0, Equal, 1, 0)]),
            rule(&["open"], SeccompAction::Allow, vec![]),
        ],
    );
    let cases = [
        (0, [1, 2], ALLOW),
        (0, [1, 3], EPERM),
        (0, [2, 2], EPERM),
        (0, [9, 0], 0x0003_0000),
        (1, [1, 0], ALLOW),
        (1, [2, 0], ALLOW),
        (1, [3, 0], EPERM),
        (2, [1, 0], ALLOW),
    ];
    for (number, [first, second], expected) in cases {
        let found = verdict(&configuration, X86_64, number, [first, second, 0, 0, 0, 0]);
        assert_eq!(found, expected, "{number} {first} {second}");
    }
}

#[test]
fn every_action_has_the_kernels_number() {
    use SeccompAction::{Allow, Errno, KillProcess, KillThread, Log, Notify, Trace, Trap};
    for (action, errno, expected) in [
        (KillThread, None, 0),
        (KillProcess, None, 0x8000_0000),
        (Trap, None, 0x0003_0000),
        (Errno, None, 0x0005_0001),
        (Errno, Some(38), 0x0005_0026),
        (Errno, Some(0), 0x0005_0000),
        (Errno, Some(4095), 0x0005_0fff),
        (Trace, None, 0x7ff0_0001),
        (Trace, Some(7), 0x7ff0_0007),
        (Trace, Some(0xffff), 0x7ff0_ffff),
        (Log, None, 0x7ffc_0000),
        (Notify, None, 0x7fc0_0000),
    ] {
        let mut one = rule(&["read"], action, vec![]);
        one.errno_ret = errno;
        let configuration = filter(Allow, vec![one]);
        assert_eq!(
            verdict(&configuration, X86_64, 0, [0; 6]),
            expected,
            "{action:?} {errno:?}"
        );
        assert_eq!(verdict(&configuration, X86_64, 1, [0; 6]), ALLOW);
    }
}

#[test]
fn calls_newer_than_the_rules_are_unknown_unless_allowed() {
    let names = ["read", "openat2"];
    let strict = filter(
        SeccompAction::Errno,
        vec![rule(&names, SeccompAction::Allow, vec![])],
    );
    for (number, expected) in [
        (437, ALLOW),
        (438, ENOSYS),
        (9999, ENOSYS),
        (0x4000_0000, KILL),
        (u32::MAX - 1, KILL),
        // What a tracer puts there to skip the call.
        (u32::MAX, EPERM),
        (3, EPERM),
    ] {
        assert_eq!(
            verdict(&strict, X86_64, number, [0; 6]),
            expected,
            "{number}"
        );
    }
    let lenient = filter(
        SeccompAction::Allow,
        vec![rule(&names, SeccompAction::Errno, vec![])],
    );
    assert_eq!(verdict(&lenient, X86_64, 438, [0; 6]), ALLOW);
}

#[test]
fn architectures_that_are_not_listed_are_killed() {
    let mut configuration = filter(
        SeccompAction::Errno,
        vec![rule(&["execve"], SeccompAction::Allow, vec![])],
    );
    let x32 = 0x4000_0000;
    for (audit, number, expected) in [
        (X86_64, 59, ALLOW),
        (X86_64, x32 + 520, KILL),
        (I386, 11, KILL),
        (0xc000_00b7, 221, KILL),
    ] {
        assert_eq!(
            verdict(&configuration, audit, number, [0; 6]),
            expected,
            "{audit:#x} {number:#x}"
        );
    }
    configuration.architectures = vec![SeccompArchitecture::X86, SeccompArchitecture::X32];
    for (audit, number, expected) in [
        (X86_64, 59, ALLOW),
        (X86_64, 60, ENOSYS),
        (X86_64, x32 + 520, ALLOW),
        (X86_64, x32 + 59, EPERM),
        (I386, 11, ALLOW),
        (I386, 59, ENOSYS),
    ] {
        assert_eq!(
            verdict(&configuration, audit, number, [0; 6]),
            expected,
            "{audit:#x} {number:#x}"
        );
    }
}

#[test]
fn names_that_nobody_knows_are_passed_over() {
    let odd = filter(
        SeccompAction::Allow,
        vec![rule(&["no_such_call"], SeccompAction::Errno, vec![])],
    );
    assert_eq!(verdict(&odd, X86_64, 0, [0; 6]), ALLOW);
}

#[test]
fn integers_are_compared_as_the_kernel_takes_them() {
    // AF_ALG with something in the half of the register that nobody looks at.
    let configuration = filter(
        SeccompAction::Errno,
        vec![rule(
            &["socket"],
            SeccompAction::Allow,
            vec![when(0, SeccompOperator::GreaterThan, 40, 0)],
        )],
    );
    for (family, expected) in [
        (38, EPERM),
        (1 << 32 | 38, EPERM),
        (41, ALLOW),
        (1 << 32 | 41, ALLOW),
    ] {
        assert_eq!(
            verdict(&configuration, X86_64, 41, [family, 0, 0, 0, 0, 0]),
            expected
        );
    }
    // A value that no integer has is above all of them.
    let beyond = filter(
        SeccompAction::Errno,
        vec![rule(
            &["socket"],
            SeccompAction::Allow,
            vec![when(0, SeccompOperator::LessThan, 1 << 32 | 3, 0)],
        )],
    );
    for family in [2, 40, 1 << 33 | 5] {
        let arguments = [family, 0, 0, 0, 0, 0];
        assert_eq!(verdict(&beyond, X86_64, 41, arguments), ALLOW);
    }
}
