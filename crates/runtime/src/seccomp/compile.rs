//! From a configuration to a program.

use tare_oci::runtime::Seccomp;
use tare_sys::seccomp::Instruction;

use super::Error;
use super::answer::{Answer, Verdicts};
use super::argument::Width;
use super::check::{check, is_permissive, verdict};
use super::convention::{Convention, Machine};
use super::emit::{self, Comparison, Program};
use super::multiplex::detour;
use super::table::{ROWS, Row};

/// The kernel's limit (BPF_MAXINSNS).
const MAXIMUM_LENGTH: usize = 4096;

pub(super) const KILL_THREAD: u32 = 0;
pub(super) const ERRNO: u32 = 0x0005_0000;
const ENOSYS: u32 = 38;

/// Calls that ARM's kernel answers itself have numbers from here on; they are
/// not newer than others.
const PRIVATE: u32 = 0xf_0000;

/// A rule of the configuration for one call that some convention knows.
struct Rule<'a> {
    row: &'static Row,
    syscall: &'a tare_oci::runtime::SeccompSyscall,
    verdict: u32,
}

/// Compiles a configuration for a machine.
pub(super) fn compile(
    configuration: &Seccomp,
    machine: Machine,
) -> Result<Vec<Instruction>, Error> {
    check(configuration)?;
    let default = verdict(
        configuration.default_action,
        configuration.default_errno_ret,
    );
    let rules = rules(configuration);
    let mut listed = configuration.architectures.clone();
    listed.push(machine.native());

    let conventions = machine.conventions();
    let mut audits: Vec<u32> = Vec::new();
    for convention in conventions {
        if listed.contains(&convention.architecture) && !audits.contains(&convention.audit) {
            audits.push(convention.audit);
        }
    }
    // From the end to the beginning: what is jumped to comes first.
    let mut program = Program::default();
    program.push(emit::ret(KILL_THREAD));
    for audit in audits.into_iter().rev() {
        let mut ranges = vec![(0, Verdicts::One(KILL_THREAD))];
        for convention in conventions.iter().filter(|one| one.audit == audit) {
            if listed.contains(&convention.architecture) {
                ranges.extend(ranges_of(convention, configuration, &rules, default));
            } else {
                // A calling convention that shares its number with a listed
                // one ends the program, as any other that is not listed; but
                // -1 is how a tracer says that the call is to be left out.
                ranges.push((convention.offset, Verdicts::One(KILL_THREAD)));
                ranges.push((u32::MAX, Verdicts::One(default)));
            }
        }
        let others = program.here();
        tree(&merge(ranges), &mut program);
        program.push(emit::load(emit::NUMBER));
        let numbers = program.here();
        program.branch(Comparison::Equal, audit, numbers, others);
    }
    program.push(emit::load(emit::ARCHITECTURE));
    let program = program.finish();
    if program.len() > MAXIMUM_LENGTH {
        return Err(Error::TooLong(program.len()));
    }
    Ok(program)
}

/// Looks all names up, in the order of the configuration. Names that no
/// architecture knows are passed over.
fn rules(configuration: &Seccomp) -> Vec<Rule<'_>> {
    let mut rules = Vec::with_capacity(ROWS.len());
    let mut last = 0;
    for syscall in &configuration.syscalls {
        let verdict = verdict(syscall.action, syscall.errno_ret);
        for name in &syscall.names {
            let Some(index) = index_of(name, last) else {
                continue;
            };
            last = index;
            rules.push(Rule {
                row: &ROWS[index],
                syscall,
                verdict,
            });
        }
    }
    rules
}

/// Finds a call. Lists of names are mostly sorted, as the table is, so that it
/// is mostly one of the next after the one found last.
fn index_of(name: &str, last: usize) -> Option<usize> {
    let next = ROWS[last..].iter().take(4).position(|row| row.name == name);
    next.map(|distance| last + distance)
        .or_else(|| ROWS.binary_search_by(|row| row.name.cmp(name)).ok())
}

/// The first number of each range of calls with the same answer.
fn ranges_of<'a>(
    convention: &Convention,
    configuration: &Seccomp,
    rules: &[Rule<'a>],
    default: u32,
) -> Vec<(u32, Verdicts<'a>)> {
    // Each is a call's number, then the place of a rule for it, so that rules
    // for one call stay in order; sorting such words is quick.
    let mut keys: Vec<u64> = Vec::with_capacity(rules.len() + 32);
    let mut newest = 0;
    for (place, rule) in (0u64..).zip(rules) {
        if let Ok(number) = u32::try_from((convention.number)(rule.row)) {
            if number < PRIVATE {
                newest = newest.max(number);
            }
            keys.push(u64::from(number) << 32 | place << 1);
        }
        if convention.multiplexes
            && let Some((call, _)) = detour(rule.row)
            && let Some(index) = index_of(call, 0)
            && let Ok(number) = u32::try_from((convention.number)(&ROWS[index]))
        {
            keys.push(u64::from(number) << 32 | place << 1 | 1);
        }
    }
    keys.sort_unstable();

    let mut ranges = Vec::with_capacity(2 * keys.len() + 2);
    ranges.push((convention.offset, Verdicts::One(default)));
    for keys in keys.chunk_by(|a, b| a >> 32 == b >> 32) {
        let rule = |key: u64| &rules[(key as u32 >> 1) as usize];
        let number = (keys[0] >> 32) as u32;
        let width = match keys[0] & 1 {
            0 => width(convention, rule(keys[0]).row.name),
            _ => convention.width,
        };
        let mut answer = Answer::new(width);
        for &key in keys {
            let rule = rule(key);
            let behind = (key & 1 == 1).then(|| detour(rule.row)).flatten();
            // A rule that only repeats the default says nothing.
            if rule.verdict != default {
                let number = behind.map(|(_, number)| number);
                answer.add(&rule.syscall.args, number, rule.verdict);
            }
        }
        ranges.push((convention.offset + number, answer.verdicts(default)));
        ranges.push((convention.offset + number + 1, Verdicts::One(default)));
    }
    // Programs expect a kernel that lacks a call to say so.
    let unknown = ERRNO | ENOSYS;
    if newest > 0 && default != unknown && !is_permissive(configuration.default_action) {
        let first = convention.offset + newest + 1;
        let known = ranges.partition_point(|(start, _)| *start <= first);
        ranges.insert(known, (first, Verdicts::One(unknown)));
        // What comes after are private calls, which are not newer.
        for (_, verdicts) in &mut ranges[known + 1..] {
            if *verdicts == Verdicts::One(default) {
                *verdicts = Verdicts::One(unknown);
            }
        }
    }
    ranges
}

/// The kernel takes these calls' arguments as 32-bit integers whatever the
/// register holds, so only that half may decide: `socket(1 << 32 | AF_ALG)`
/// makes an AF_ALG socket and must not pass for a family above 40.
fn width(convention: &Convention, name: &str) -> Width {
    match name {
        "socket" | "socketpair" | "personality" if convention.width == Width::Bits64 => {
            Width::Lower32
        }
        _ => convention.width,
    }
}

/// Joins neighbouring ranges with the same answer; of several that begin at
/// one number the last counts.
fn merge(ranges: Vec<(u32, Verdicts<'_>)>) -> Vec<(u32, Verdicts<'_>)> {
    let mut merged: Vec<(u32, Verdicts<'_>)> = Vec::with_capacity(ranges.len());
    for (start, verdicts) in ranges {
        if merged.last().is_some_and(|(last, _)| *last == start) {
            merged.pop();
        }
        if merged.last().is_none_or(|(_, last)| *last != verdicts) {
            merged.push((start, verdicts));
        }
    }
    merged
}

/// A balanced tree of comparisons over the ranges.
fn tree(ranges: &[(u32, Verdicts<'_>)], program: &mut Program) {
    match ranges {
        [] => {}
        [(_, verdicts)] => verdicts.emit(program),
        _ => {
            let (lower, upper) = ranges.split_at(ranges.len() / 2);
            tree(lower, program);
            let below = program.here();
            tree(upper, program);
            let from_here = program.here();
            program.branch(Comparison::GreaterOrEqual, upper[0].0, from_here, below);
        }
    }
}
