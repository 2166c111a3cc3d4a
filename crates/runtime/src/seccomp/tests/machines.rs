//! Architectures: those that a machine can run, and those that it cannot.

use super::*;

const X32: u32 = 0x4000_0000;
const AARCH64: u32 = 0xc000_00b7;
const ARM: u32 = 0x4000_0028;

#[test]
fn architectures_of_other_machines_change_nothing() {
    let names = [
        "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K",
        "SCMP_ARCH_MIPS",
        "SCMP_ARCH_MIPS64",
        "SCMP_ARCH_MIPS64N32",
        "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32",
        "SCMP_ARCH_PPC",
        "SCMP_ARCH_PPC64",
        "SCMP_ARCH_PPC64LE",
        "SCMP_ARCH_S390",
        "SCMP_ARCH_S390X",
        "SCMP_ARCH_SH",
        "SCMP_ARCH_SHEB",
        "SCMP_ARCH_PARISC",
        "SCMP_ARCH_PARISC64",
        "SCMP_ARCH_RISCV64",
    ];
    let names = format!("[\"{}\"]", names.join("\",\""));
    for machine in [Machine::X86_64, Machine::Aarch64] {
        let mut configuration = filter(
            SeccompAction::Errno,
            vec![rule(&["execve"], SeccompAction::Allow, vec![])],
        );
        configuration.architectures = vec![];
        let without = compile_for(&configuration, machine);
        configuration.architectures = serde_json::from_str(&names).expect("all are names");
        assert_eq!(compile_for(&configuration, machine), without);
    }
}

#[test]
fn each_machine_has_its_own_architectures() {
    let mut configuration = filter(
        SeccompAction::Errno,
        vec![rule(
            &["execve", "set_tls", "openat2"],
            SeccompAction::Allow,
            vec![],
        )],
    );
    configuration.architectures = vec![
        SeccompArchitecture::X86,
        SeccompArchitecture::X32,
        SeccompArchitecture::Arm,
    ];
    for (machine, audit, number, expected) in [
        (Machine::X86_64, X86_64, 59, ALLOW),
        (Machine::X86_64, X86_64, X32 + 520, ALLOW),
        (Machine::X86_64, I386, 11, ALLOW),
        (Machine::X86_64, ARM, 11, KILL),
        (Machine::X86_64, AARCH64, 221, KILL),
        (Machine::Aarch64, AARCH64, 221, ALLOW),
        (Machine::Aarch64, AARCH64, 222, EPERM),
        (Machine::Aarch64, AARCH64, 438, ENOSYS),
        (Machine::Aarch64, ARM, 11, ALLOW),
        (Machine::Aarch64, ARM, 12, EPERM),
        (Machine::Aarch64, ARM, 438, ENOSYS),
        // ARM's own calls are far above, and not newer than the others.
        (Machine::Aarch64, ARM, 0xf_0004, ENOSYS),
        (Machine::Aarch64, ARM, 0xf_0005, ALLOW),
        (Machine::Aarch64, ARM, 0xf_0006, ENOSYS),
        (Machine::Aarch64, X86_64, 59, KILL),
    ] {
        let filter = compile_for(&configuration, machine).expect("compiles");
        let found = interpret::run(&filter.program, audit, number, [0; 6]);
        assert_eq!(found, expected, "{machine:?} {audit:#x} {number:#x}");
    }
}

#[test]
fn a_rule_for_a_call_means_the_way_through_a_multiplexer_too() {
    use SeccompOperator::{Equal, NotEqual};
    let one = |names: &[&str], args| {
        let mut configuration = filter(
            SeccompAction::Allow,
            vec![rule(names, SeccompAction::Errno, args)],
        );
        configuration.architectures = vec![SeccompArchitecture::X86];
        configuration
    };
    let first = |value| [value, 0, 0, 0, 0, 0];
    let socket = one(&["socket"], vec![]);
    let conditional = one(&["socket"], vec![when(0, Equal, 38, 0)]);
    let shmat = one(&["shmat", "accept4"], vec![]);
    for (configuration, number, value, expected) in [
        (&socket, 359, 38, EPERM),
        (&socket, 102, 1, EPERM),
        (&socket, 102, 2, ALLOW),
        // What the family is, is out of sight there.
        (&conditional, 359, 2, ALLOW),
        (&conditional, 359, 38, EPERM),
        (&conditional, 102, 1, EPERM),
        (&conditional, 102, 38, ALLOW),
        (&shmat, 397, 0, EPERM),
        (&shmat, 117, 21, EPERM),
        (&shmat, 117, 22, ALLOW),
        (&shmat, 102, 18, EPERM),
    ] {
        let found = verdict(configuration, I386, number, first(value));
        assert_eq!(found, expected, "{number} {value}");
    }
    // Numbers of the other architecture mean other calls.
    assert_eq!(verdict(&socket, X86_64, 102, first(1)), ALLOW);

    // The first rule counts, and what no rule can reach is left out.
    let mut explicit = filter(
        SeccompAction::Errno,
        vec![
            rule(
                &["socketcall"],
                SeccompAction::Trap,
                vec![when(0, Equal, 1, 0)],
            ),
            rule(
                &["socketcall"],
                SeccompAction::Allow,
                vec![when(0, NotEqual, 1, 0)],
            ),
        ],
    );
    explicit.architectures = vec![SeccompArchitecture::X86];
    let short = compile(&explicit).expect("compiles").program.len();
    explicit.syscalls.push(rule(
        &["socket", "bind", "listen"],
        SeccompAction::Allow,
        vec![],
    ));
    assert_eq!(verdict(&explicit, I386, 102, first(1)), 0x0003_0000);
    assert_eq!(verdict(&explicit, I386, 102, first(5)), ALLOW);
    assert!(compile(&explicit).expect("compiles").program.len() < short + 30);
}
