//! Rules as a BPF program of a v2 group.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tare_sys::bpf::{self, Instruction};

use super::list::{self, List};
use super::{EVERYTHING, Kind, Rule, is_unsupported};
use crate::cgroup::Error;

/// Puts a program made of the rules in the place of the one that was made of
/// earlier ones, in one step. Programs of the groups above apply as well, and
/// those of others, so that it only ever takes away.
pub(in crate::cgroup) fn apply(directory: &Path, rules: &[Rule]) -> Result<(), Error> {
    let group = rustix::fs::open(
        directory,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| Error::Devices(error.into()))?;
    let is_open =
        rules.is_empty() || rules.len() == 1 && rules[0].allow && rules[0].is_everything();
    let attach = || -> io::Result<()> {
        let old = bpf::own_device_programs(group.as_fd())?;
        if is_open {
            return old
                .iter()
                .try_for_each(|old| bpf::detach_device_program(group.as_fd(), old.as_fd()));
        }
        let program = bpf::load_device_program(&compile(&merge(rules)))?;
        let Some((last, earlier)) = old.split_last() else {
            return bpf::attach_device_program(group.as_fd(), program.as_fd());
        };
        match bpf::replace_device_program(group.as_fd(), program.as_fd(), last.as_fd()) {
            // Linux before 5.6: for a moment both have to agree.
            Err(error) if is_unsupported(&error) => {
                bpf::attach_device_program(group.as_fd(), program.as_fd())?;
                bpf::detach_device_program(group.as_fd(), last.as_fd())?;
            }
            result => result?,
        }
        earlier
            .iter()
            .try_for_each(|old| bpf::detach_device_program(group.as_fd(), old.as_fd()))
    };
    attach().map_err(Error::Devices)
}

/// Rules for the same devices as one, as a list of v1 has them: a program
/// allows what one rule covers.
fn merge(rules: &[Rule]) -> Vec<Rule> {
    let Ok(List::Only(exceptions)) = list::wanted(rules) else {
        return rules.to_vec();
    };
    let mut merged = vec![Rule::everything(false)];
    merged.extend(
        exceptions
            .into_iter()
            .map(|((kind, major, minor), access)| Rule {
                allow: true,
                kind,
                major,
                minor,
                access,
            }),
    );
    merged
}

/// Compiles rules: the last one that matches decides, and what no rule
/// matches is denied.
///
/// The kernel passes a structure of three 32-bit words: the type (low half)
/// and access (high half), the major and the minor number.
fn compile(rules: &[Rule]) -> Vec<Instruction> {
    let instruction = |code, registers, offset, immediate| Instruction {
        code,
        registers,
        offset,
        immediate,
    };
    const LOAD_WORD: u8 = 0x61; // BPF_LDX | BPF_MEM | BPF_W
    const MOVE_REGISTER: u8 = 0xbc; // BPF_ALU | BPF_MOV | BPF_X
    const MOVE_CONSTANT: u8 = 0xb7; // BPF_ALU64 | BPF_MOV | BPF_K
    const AND_CONSTANT: u8 = 0x54; // BPF_ALU | BPF_AND | BPF_K
    const SHIFT_RIGHT: u8 = 0x74; // BPF_ALU | BPF_RSH | BPF_K
    const JUMP_NOT_EQUAL: u8 = 0x55; // BPF_JMP | BPF_JNE | BPF_K
    const EXIT: u8 = 0x95; // BPF_JMP | BPF_EXIT
    let mut program = vec![
        // r2 = type, r3 = access, r4 = major, r5 = minor
        instruction(LOAD_WORD, 0x12, 0, 0),
        instruction(MOVE_REGISTER, 0x23, 0, 0),
        instruction(AND_CONSTANT, 0x02, 0, 0xffff),
        instruction(SHIFT_RIGHT, 0x03, 0, 16),
        instruction(LOAD_WORD, 0x14, 4, 0),
        instruction(LOAD_WORD, 0x15, 8, 0),
    ];
    for rule in rules.iter().rev() {
        let mut block = Vec::new();
        match rule.kind {
            Kind::All => {}
            Kind::Block => block.push(instruction(JUMP_NOT_EQUAL, 0x02, 0, 1)),
            Kind::Character => block.push(instruction(JUMP_NOT_EQUAL, 0x02, 0, 2)),
        }
        if rule.access != EVERYTHING {
            // A rule that allows matches when it covers all of the access, one
            // that denies when it touches any of it.
            block.push(instruction(MOVE_REGISTER, 0x31, 0, 0));
            if rule.allow {
                let rest = i32::from(!rule.access & EVERYTHING);
                block.push(instruction(AND_CONSTANT, 0x01, 0, rest));
                block.push(instruction(JUMP_NOT_EQUAL, 0x01, 0, 0));
            } else {
                const JUMP_EQUAL: u8 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
                block.push(instruction(AND_CONSTANT, 0x01, 0, rule.access.into()));
                block.push(instruction(JUMP_EQUAL, 0x01, 0, 0));
            }
        }
        for (register, number) in [(0x04, rule.major), (0x05, rule.minor)] {
            if let Some(number) = number {
                block.push(instruction(JUMP_NOT_EQUAL, register, 0, number as i32));
            }
        }
        block.push(instruction(MOVE_CONSTANT, 0x00, 0, rule.allow.into()));
        block.push(instruction(EXIT, 0, 0, 0));
        let length = block.len();
        for (index, one) in block.iter_mut().enumerate() {
            // Every condition leads behind the block when it fails.
            if matches!(one.code, JUMP_NOT_EQUAL | 0x15) {
                one.offset = i16::try_from(length - index - 1).unwrap_or(i16::MAX);
            }
        }
        let is_final = length == 2;
        program.extend(block);
        if is_final {
            return program;
        }
    }
    program.push(instruction(MOVE_CONSTANT, 0x00, 0, 0));
    program.push(instruction(EXIT, 0, 0, 0));
    program
}
