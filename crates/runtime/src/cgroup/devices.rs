//! Access to devices: lists on v1, a BPF program on v2.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tare_oci::runtime::DeviceRule;
use tare_sys::bpf::{self, Instruction};

use super::Error;
use super::resources::refused;

/// A rule, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    allow: bool,
    kind: Kind,
    major: Option<u32>,
    minor: Option<u32>,
    access: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Block,
    Character,
}

const MKNOD: u8 = 1;
const READ: u8 = 2;
const WRITE: u8 = 4;
const EVERYTHING: u8 = MKNOD | READ | WRITE;

impl Rule {
    pub(super) fn check(rule: &DeviceRule) -> Result<Rule, Error> {
        let bad = |reason: String| Err(refused("devices", reason));
        let kind = match rule.kind.as_deref() {
            None | Some("a" | "") => Kind::All,
            Some("b") => Kind::Block,
            Some("c" | "u") => Kind::Character,
            Some(other) => return bad(format!("{other:?} is no type of device")),
        };
        let mut access = 0;
        for letter in rule.access.as_deref().unwrap_or("rwm").chars() {
            access |= match letter {
                'r' => READ,
                'w' => WRITE,
                'm' => MKNOD,
                other => return bad(format!("{other:?} is no kind of access")),
            };
        }
        let number = |value: Option<i64>| match value {
            None | Some(i64::MIN..=-1) => Ok(None),
            Some(value) => u32::try_from(value)
                .map(Some)
                .map_err(|_| refused("devices", format!("{value} is no device number"))),
        };
        Ok(Rule {
            allow: rule.allow,
            kind,
            major: number(rule.major)?,
            minor: number(rule.minor)?,
            access,
        })
    }

    fn is_everything(&self) -> bool {
        self.kind == Kind::All
            && self.major.is_none()
            && self.minor.is_none()
            && self.access == EVERYTHING
    }

    fn line(&self) -> String {
        let kind = match self.kind {
            Kind::All => return "a".to_owned(),
            Kind::Block => 'b',
            Kind::Character => 'c',
        };
        let number = |value: Option<u32>| value.map_or("*".to_owned(), |value| value.to_string());
        let mut line = format!("{kind} {}:{} ", number(self.major), number(self.minor));
        for (bit, letter) in [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')] {
            if self.access & bit != 0 {
                line.push(letter);
            }
        }
        line
    }
}

fn check_all(rules: &[DeviceRule]) -> Result<Vec<Rule>, Error> {
    let rules = rules
        .iter()
        .map(Rule::check)
        .collect::<Result<Vec<_>, _>>()?;
    // A rule for everything makes all before it void.
    let start = rules.iter().rposition(Rule::is_everything).unwrap_or(0);
    Ok(rules[start..].to_vec())
}

/// Writes rules to devices.allow and devices.deny. A new group has its
/// parent's access.
pub(super) fn apply_v1(directory: &Path, rules: &[DeviceRule]) -> Result<(), Error> {
    let rules = check_all(rules)?;
    if rules.is_empty() || rules.len() == 1 && rules[0].allow && rules[0].is_everything() {
        return Ok(());
    }
    let open = |file: &str| {
        let path = directory.join(file);
        match std::fs::OpenOptions::new().write(true).open(&path) {
            Ok(file) => Ok((path, file)),
            Err(source) => Err(Error::Write {
                path,
                value: String::new(),
                source,
            }),
        }
    };
    let (mut allow, mut deny) = (open("devices.allow")?, open("devices.deny")?);
    for rule in rules {
        let (path, file) = if rule.allow { &mut allow } else { &mut deny };
        let line = rule.line();
        file.write_all(line.as_bytes())
            .map_err(|source| Error::Write {
                path: path.clone(),
                value: line,
                source,
            })?;
    }
    Ok(())
}

/// Attaches a program made of the rules. Programs of the groups above apply as
/// well, so it only ever takes away.
pub(super) fn apply_v2(directory: &Path, rules: &[DeviceRule]) -> Result<(), Error> {
    let rules = check_all(rules)?;
    if rules.is_empty() || rules.len() == 1 && rules[0].allow && rules[0].is_everything() {
        return Ok(());
    }
    let group = rustix::fs::open(
        directory,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| Error::Devices(error.into()))?;
    let attach = || -> io::Result<()> {
        let program = bpf::load_device_program(&compile(&rules))?;
        bpf::attach_device_program(group.as_fd(), program.as_fd())
    };
    attach().map_err(Error::Devices)
}

/// Compiles rules: the last one that matches decides, and what no rule
/// matches is denied.
///
/// The kernel passes a structure of three 32-bit words: the type (low half)
/// and access (high half), the major and the minor number.
pub(super) fn compile(rules: &[Rule]) -> Vec<Instruction> {
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

#[cfg(test)]
mod tests;
