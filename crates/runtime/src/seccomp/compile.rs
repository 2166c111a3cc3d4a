//! From a configuration to a program.

use std::collections::BTreeMap;

use tare_oci::runtime::{
    Seccomp, SeccompAction, SeccompArchitecture, SeccompArgument, SeccompSyscall,
};
use tare_sys::seccomp::Instruction;

use super::Error;
use super::argument::{self, Width};
use super::emit::{self, Comparison};
use super::table::{ROWS, Row};

/// The kernel's limit (BPF_MAXINSNS).
const MAXIMUM_LENGTH: usize = 4096;
/// What an x32 call's number has added to it.
const X32_BIT: u32 = 0x4000_0000;
const ENOSYS: u32 = 38;
const EPERM: u32 = 1;

const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

/// How one architecture calls.
struct Convention {
    architecture: SeccompArchitecture,
    /// The kernel's audit number.
    audit: u32,
    width: Width,
    /// Added to every number of the table.
    offset: u32,
    number: fn(&Row) -> i16,
}

const CONVENTIONS: [Convention; 4] = [
    Convention {
        architecture: SeccompArchitecture::X86_64,
        audit: 0xc000_003e,
        width: Width::Bits64,
        offset: 0,
        number: |row| row.x86_64,
    },
    Convention {
        architecture: SeccompArchitecture::X32,
        audit: 0xc000_003e,
        width: Width::Bits32,
        offset: X32_BIT,
        number: |row| row.x32,
    },
    Convention {
        architecture: SeccompArchitecture::X86,
        audit: 0x4000_0003,
        width: Width::Bits32,
        offset: 0,
        number: |row| row.x86,
    },
    Convention {
        architecture: SeccompArchitecture::Aarch64,
        audit: 0xc000_00b7,
        width: Width::Bits64,
        offset: 0,
        number: |row| row.aarch64,
    },
];

/// The architecture that this program is built for.
const NATIVE: SeccompArchitecture = if cfg!(target_arch = "aarch64") {
    SeccompArchitecture::Aarch64
} else {
    SeccompArchitecture::X86_64
};

/// The rules for one call, each with its conditions and its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer<'a> {
    /// Of the first rule without conditions, if any.
    always: Option<u32>,
    /// Of the others, in order; a rule's conditions must all hold.
    when: Vec<(Vec<&'a SeccompArgument>, u32)>,
    /// How much of an argument the kernel looks at.
    width: Width,
}

/// The kernel takes these calls' arguments as 32-bit integers whatever the
/// register holds, so only that half may decide: `socket(1 << 32 | AF_ALG)`
/// makes an AF_ALG socket and must not pass for a family above 40.
fn width(convention: &Convention, name: &str) -> Width {
    match name {
        "socket" | "socketpair" | "personality" => Width::Bits32,
        _ => convention.width,
    }
}

/// Compiles a configuration.
pub(super) fn compile(configuration: &Seccomp) -> Result<Vec<Instruction>, Error> {
    let default = verdict(
        configuration.default_action,
        configuration.default_errno_ret,
    )?;
    for syscall in &configuration.syscalls {
        check(syscall)?;
    }
    let mut listed = configuration.architectures.clone();
    listed.push(NATIVE);

    let mut program = vec![emit::ret(KILL_THREAD)];
    let mut audits: Vec<u32> = Vec::new();
    for convention in &CONVENTIONS {
        if listed.contains(&convention.architecture) && !audits.contains(&convention.audit) {
            audits.push(convention.audit);
        }
    }
    for audit in audits.into_iter().rev() {
        let mut ranges = vec![(0, vec![emit::ret(KILL_THREAD)])];
        for convention in CONVENTIONS.iter().filter(|one| one.audit == audit) {
            let is_listed = listed.contains(&convention.architecture);
            if !is_listed {
                // A calling convention that shares its number with a listed
                // one ends the program, as any other that is not listed.
                ranges.push((convention.offset, vec![emit::ret(KILL_THREAD)]));
                continue;
            }
            ranges.extend(ranges_of(convention, configuration, default)?);
        }
        let numbers = [vec![emit::load(emit::NUMBER)], tree(&merge(ranges))].concat();
        program = emit::choose(Comparison::Equal, audit, numbers, program);
    }
    program.insert(0, emit::load(emit::ARCHITECTURE));
    if program.len() > MAXIMUM_LENGTH {
        return Err(Error::TooLong(program.len()));
    }
    Ok(program)
}

fn check(syscall: &SeccompSyscall) -> Result<(), Error> {
    for argument in &syscall.args {
        if argument.index > 5 {
            return Err(Error::ArgumentIndex {
                name: syscall.names.first().cloned().unwrap_or_default(),
                index: argument.index,
            });
        }
    }
    Ok(())
}

/// The kernel's number for an action.
fn verdict(action: SeccompAction, data: Option<u32>) -> Result<u32, Error> {
    // The kernel takes 16 bits, and no errno is above 4095.
    let data = data.unwrap_or(EPERM).min(4095);
    Ok(match action {
        SeccompAction::KillThread => KILL_THREAD,
        SeccompAction::KillProcess => KILL_PROCESS,
        SeccompAction::Trap => TRAP,
        SeccompAction::Errno => ERRNO | data,
        SeccompAction::Trace => TRACE | data,
        SeccompAction::Log => LOG,
        SeccompAction::Allow => ALLOW,
        SeccompAction::Notify => return Err(Error::Notify),
    })
}

fn is_permissive(action: SeccompAction) -> bool {
    matches!(
        action,
        SeccompAction::Allow | SeccompAction::Log | SeccompAction::Trace
    )
}

/// The first number of each range of calls with the same answer, and the
/// program for it.
fn ranges_of(
    convention: &Convention,
    configuration: &Seccomp,
    default: u32,
) -> Result<Vec<(u32, Vec<Instruction>)>, Error> {
    let mut answers: BTreeMap<u32, Answer<'_>> = BTreeMap::new();
    let mut newest = None;
    for syscall in &configuration.syscalls {
        let action = verdict(syscall.action, syscall.errno_ret)?;
        for name in &syscall.names {
            let Ok(index) = ROWS.binary_search_by(|row| row.name.cmp(name)) else {
                continue;
            };
            let Ok(number) = u32::try_from((convention.number)(&ROWS[index])) else {
                continue;
            };
            newest = newest.max(Some(number));
            // A rule that only repeats the default says nothing.
            if action != default {
                let answer = answers.entry(number).or_insert_with(|| Answer {
                    always: None,
                    when: Vec::new(),
                    width: width(convention, name),
                });
                answer.add(syscall, action);
            }
        }
    }
    let mut ranges = vec![(convention.offset, vec![emit::ret(default)])];
    for (number, answer) in answers {
        let program = answer.program(default);
        ranges.push((convention.offset + number, program));
        ranges.push((convention.offset + number + 1, vec![emit::ret(default)]));
    }
    // Programs expect a kernel that lacks a call to say so.
    let unknown = ERRNO | ENOSYS;
    if let Some(newest) = newest
        && default != unknown
        && !is_permissive(configuration.default_action)
    {
        ranges.push((convention.offset + newest + 1, vec![emit::ret(unknown)]));
    }
    Ok(ranges)
}

impl<'a> Answer<'a> {
    fn add(&mut self, syscall: &'a SeccompSyscall, verdict: u32) {
        if syscall.args.is_empty() {
            self.always.get_or_insert(verdict);
            return;
        }
        let repeats = syscall.args.iter().enumerate().any(|(position, argument)| {
            syscall.args[..position]
                .iter()
                .any(|earlier| earlier.index == argument.index)
        });
        if repeats {
            for argument in &syscall.args {
                self.when.push((vec![argument], verdict));
            }
        } else {
            self.when.push((syscall.args.iter().collect(), verdict));
        }
    }

    fn program(&self, default: u32) -> Vec<Instruction> {
        if let Some(always) = self.always {
            return vec![emit::ret(always)];
        }
        let mut program = vec![emit::ret(default)];
        for (arguments, verdict) in self.when.iter().rev() {
            let otherwise = program;
            program = vec![emit::ret(*verdict)];
            for argument in arguments.iter().rev() {
                program = argument::test(argument, self.width, program, otherwise.clone());
            }
        }
        program
    }
}

/// Joins neighbouring ranges with the same program; of several that begin at
/// one number the last counts.
fn merge(ranges: Vec<(u32, Vec<Instruction>)>) -> Vec<(u32, Vec<Instruction>)> {
    let mut merged: Vec<(u32, Vec<Instruction>)> = Vec::with_capacity(ranges.len());
    for (start, program) in ranges {
        if merged.last().is_some_and(|(last, _)| *last == start) {
            merged.pop();
        }
        if merged.last().is_none_or(|(_, last)| *last != program) {
            merged.push((start, program));
        }
    }
    merged
}

/// A balanced tree of comparisons over the ranges.
fn tree(ranges: &[(u32, Vec<Instruction>)]) -> Vec<Instruction> {
    match ranges {
        [] => Vec::new(),
        [(_, program)] => program.clone(),
        _ => {
            let (lower, upper) = ranges.split_at(ranges.len() / 2);
            emit::choose(
                Comparison::GreaterOrEqual,
                upper[0].0,
                tree(upper),
                tree(lower),
            )
        }
    }
}
