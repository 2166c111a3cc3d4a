//! System call filters: a configuration compiled to classic BPF.
//!
//! The program finds the architecture, then the call's number in a balanced
//! tree over ranges of numbers with the same answer (eight comparisons for the
//! default profile, where a list takes hundreds), then looks at arguments where
//! a rule asks for it. Where the configuration leaves room, the answers are
//! those of runc with libseccomp:
//!
//! - An architecture that is not listed is killed.
//! - Of several rules for one call, one without conditions beats those with.
//! - Two conditions on the same argument in one rule are alternatives.
//! - Names that no listed architecture knows are passed over.
//! - When the default is to refuse, calls newer than any that the rules name
//!   fail with ENOSYS, so that programs fall back to older ones.

mod argument;
mod compile;
mod emit;
#[cfg(test)]
pub(crate) mod interpret;
mod table;
#[cfg(test)]
mod tests;

use tare_oci::runtime::{Seccomp, SeccompFlag};
use tare_sys::seccomp::{Flags, Instruction};

/// Why a filter could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A condition on an argument that no call has.
    #[error("seccomp: {name}: argument index {index} is not below 6")]
    ArgumentIndex {
        /// The call.
        name: String,
        /// The index.
        index: u32,
    },
    /// More instructions than the kernel takes.
    #[error("seccomp: the filter has {0} instructions and may have 4096")]
    TooLong(usize),
    /// Notification without anybody to notify.
    #[error("seccomp: SCMP_ACT_NOTIFY is not supported yet")]
    Notify,
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
    Ok(Filter {
        program: compile::compile(configuration)?,
        flags: flags(configuration.flags.as_deref()),
    })
}

fn flags(configured: Option<&[SeccompFlag]>) -> Flags {
    // As runc: without a word about flags, no mitigation that costs every
    // program speed only because it is filtered.
    let Some(configured) = configured else {
        return Flags(Flags::SPEC_ALLOW);
    };
    Flags(configured.iter().fold(0, |bits, flag| {
        bits | match flag {
            SeccompFlag::ThreadSync => Flags::THREAD_SYNC,
            SeccompFlag::Log => Flags::LOG,
            SeccompFlag::SpecAllow => Flags::SPEC_ALLOW,
            SeccompFlag::WaitKillableReceive => Flags::WAIT_KILLABLE_RECEIVE,
        }
    }))
}
