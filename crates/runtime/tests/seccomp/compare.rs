//! Two programs, every call.

use std::collections::BTreeSet;

use tare_oci::runtime::{Seccomp, SeccompAction, SeccompArchitecture, SeccompSyscall};
use tare_runtime::seccomp::compile;
use tare_sys::seccomp::Instruction;

use super::interpret::run;

pub(crate) const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const X32: u32 = 0x4000_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;

/// Values that a rule of the profile asks about, their neighbours, and what
/// only differs from them in the upper half.
const FIRST: [u64; 26] = [
    0,
    1,
    2,
    7,
    8,
    9,
    17,
    18,
    21,
    37,
    38,
    39,
    40,
    41,
    0x1_ffff,
    0x2_0000,
    0x2_0008,
    0x0200_0011,
    0x0400_0000,
    0x1000_0000,
    0x4000_0000,
    0x7e02_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0028,
    u64::MAX,
];

/// One call of one architecture.
pub(crate) type Call = (u32, u32);

/// A call on which two programs do not agree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) call: Call,
    pub(crate) first: u64,
    pub(crate) ours: u32,
    pub(crate) theirs: u32,
}

impl Difference {
    /// Both refuse a call from `newest` on, one of them as if the kernel did
    /// not know it.
    pub(crate) fn is_only_how_it_is_refused(&self, newest: u32) -> bool {
        let refusals = [EPERM, ENOSYS];
        let (_, number) = self.call;
        number & !X32 >= newest && refusals.contains(&self.ours) && refusals.contains(&self.theirs)
    }
}

/// All calls that the programs treat differently. The known one is left out:
/// ours compares those integers that the kernel takes as 32 bits as such.
pub(crate) fn differences(ours: &[Instruction], theirs: &[Instruction]) -> Vec<Difference> {
    let mut found = Vec::new();
    for call in calls() {
        let (audit, number) = call;
        let narrow = audit == X86_64 && matches!(number, 41 | 53 | 135);
        // A 32-bit program has no upper halves, nor has x32's kernel.
        let values = FIRST.iter().filter(|value| {
            **value <= u64::from(u32::MAX) || (audit == X86_64 && number < X32 && !narrow)
        });
        for &first in values {
            for second in [0, 1] {
                let arguments = [first, second, 0, 0, 0, 0];
                let [ours, theirs] =
                    [ours, theirs].map(|program| run(program, audit, number, arguments));
                if ours != theirs
                    && found
                        .last()
                        .is_none_or(|last: &Difference| last.call != call)
                {
                    found.push(Difference {
                        call,
                        first,
                        ours,
                        theirs,
                    });
                }
            }
        }
    }
    found
}

fn calls() -> impl Iterator<Item = Call> {
    let numbers = 0..=600u32;
    let of = |audit: u32, offset: u32| numbers.clone().map(move |number| (audit, offset + number));
    of(X86_64, 0)
        .chain(of(X86_64, X32))
        .chain(of(I386, 0))
        .chain([
            (X86_64, 9999),
            (X86_64, u32::MAX),
            (I386, u32::MAX),
            (0xc000_00b7, 0),
            (0x4000_0028, 0),
        ])
}

/// The numbers of some calls, found through the compiler.
pub(crate) fn numbers_of(names: &[&str]) -> BTreeSet<Call> {
    let probe = Seccomp {
        default_action: SeccompAction::Allow,
        default_errno_ret: None,
        architectures: vec![SeccompArchitecture::X86, SeccompArchitecture::X32],
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls: vec![SeccompSyscall {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            action: SeccompAction::Trap,
            errno_ret: None,
            args: Vec::new(),
        }],
    };
    let program = compile(&probe).expect("compiles").program;
    calls()
        .filter(|(audit, number)| run(&program, *audit, *number, [0; 6]) == 0x0003_0000)
        .collect()
}
