//! System call filters: a configuration compiled to classic BPF.
//!
//! The program finds the architecture, then the call's number in a balanced
//! tree over ranges of numbers with the same answer (eight comparisons for the
//! default profile, where a list takes hundreds), then looks at arguments where
//! a rule asks for it. Where the specification leaves room, the answers are
//! those of runc with libseccomp:
//!
//! - An architecture that is not listed is killed; the machine's own always
//!   counts as listed.
//! - Of several rules for one call, one without conditions beats those with.
//! - Two conditions on the same argument in one rule are alternatives.
//! - Names that no listed architecture knows are passed over.
//! - A rule for a socket or System V IPC call also means the way through
//!   i386's `socketcall` and `ipc`.
//! - When the default is to refuse, calls newer than any that the rules name
//!   fail with ENOSYS, so that programs fall back to older ones.
//!
//! Where they are not, and why: `answer` (overlapping conditions), `compile`
//! (integers are compared as the kernel takes them).

mod answer;
mod argument;
mod cache;
mod check;
mod compile;
mod convention;
mod emit;
#[cfg(test)]
pub(crate) mod interpret;
mod multiplex;
mod table;
#[cfg(test)]
mod tests;

use tare_oci::runtime::{Seccomp, SeccompAction};
use tare_sys::seccomp::{Flags, Instruction};

pub use cache::{Cache, CacheError};
use convention::Machine;

/// Why a filter could not be compiled. Fields are named below `linux.seccomp`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A condition on an argument that no call has.
    #[error("syscalls[{rule}].args: index {index} is not below 6")]
    ArgumentIndex {
        /// The rule's place in the list.
        rule: usize,
        /// The index.
        index: u32,
    },
    /// A rule for nothing.
    #[error("syscalls[{rule}].names: a call without a name")]
    Name {
        /// The rule's place in the list.
        rule: usize,
    },
    /// An errno for an action that returns none.
    #[error("{field}: {} takes no errno", action.name())]
    ErrnoNotTaken {
        /// The field.
        field: String,
        /// The action.
        action: SeccompAction,
    },
    /// An errno that the kernel cannot return.
    #[error("{field}: {errno} is above {most}")]
    ErrnoTooGreat {
        /// The field.
        field: String,
        /// The errno.
        errno: u32,
        /// The greatest.
        most: u32,
    },
    /// Whoever loads the filter would wait for a listener that it is about to
    /// make.
    #[error("defaultAction: SCMP_ACT_NOTIFY cannot be used as default action")]
    NotifyByDefault,
    /// As runc.
    #[error("syscalls[{rule}]: SCMP_ACT_NOTIFY cannot be used for the write syscall")]
    NotifyOnWrite {
        /// The rule's place in the list.
        rule: usize,
    },
    /// A flag for notifications that nothing causes.
    #[error("flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV without SCMP_ACT_NOTIFY")]
    WaitWithoutNotify,
    /// More instructions than the kernel takes.
    #[error("the filter has {0} instructions and may have 4096")]
    TooLong(usize),
}

/// A compiled filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The program.
    pub program: Vec<Instruction>,
    /// Flags to load it with.
    pub flags: Flags,
}

impl Filter {
    /// Whether calls wait for an answer from outside. Loading it returns the
    /// descriptor that they are answered through; without one they fail with
    /// ENOSYS.
    #[must_use]
    pub fn notifies(&self) -> bool {
        self.flags.0 & Flags::NEW_LISTENER != 0
    }

    /// The filter as bytes, for the process that loads it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.flags.0.to_ne_bytes().to_vec();
        bytes.reserve(self.program.len() * 8);
        for instruction in &self.program {
            bytes.extend(instruction.code.to_ne_bytes());
            bytes.extend([instruction.jump_true, instruction.jump_false]);
            bytes.extend(instruction.constant.to_ne_bytes());
        }
        bytes
    }

    /// The filter from [`Filter::encode`]'s bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Filter> {
        let (flags, instructions) = bytes.split_first_chunk::<4>()?;
        let (instructions, []) = instructions.as_chunks::<8>() else {
            return None;
        };
        let program = instructions
            .iter()
            .map(|&[a, b, jump_true, jump_false, c, d, e, f]| Instruction {
                code: u16::from_ne_bytes([a, b]),
                jump_true,
                jump_false,
                constant: u32::from_ne_bytes([c, d, e, f]),
            })
            .collect();
        Some(Filter {
            program,
            flags: Flags(u32::from_ne_bytes(*flags)),
        })
    }
}

/// Compiles a configuration.
///
/// # Errors
/// When it asks for what cannot be.
pub fn compile(configuration: &Seccomp) -> Result<Filter, Error> {
    compile_for(configuration, Machine::HOST)
}

fn compile_for(configuration: &Seccomp, machine: Machine) -> Result<Filter, Error> {
    Ok(Filter {
        program: compile::compile(configuration, machine)?,
        flags: check::flags(configuration)?,
    })
}
