//! Pieces of classic BPF.

use tare_sys::seccomp::Instruction;

/// Offset of the call's number in the kernel's `seccomp_data`.
pub(super) const NUMBER: u32 = 0;
/// Offset of the architecture.
pub(super) const ARCHITECTURE: u32 = 4;

const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
const JUMP_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER: u16 = 0x25; // BPF_JMP | BPF_JGT | BPF_K
const JUMP_GREATER_EQUAL: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

/// What a comparison asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
}

fn plain(code: u16, constant: u32) -> Instruction {
    Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        constant,
    }
}

/// Loads a word of `seccomp_data`.
pub(super) fn load(offset: u32) -> Instruction {
    plain(LOAD, offset)
}

/// Keeps some bits of what is loaded.
pub(super) fn and(mask: u32) -> Instruction {
    plain(AND, mask)
}

/// Ends with a verdict.
pub(super) fn ret(verdict: u32) -> Instruction {
    plain(RETURN, verdict)
}

/// How far a condition reaches. A jump has no such limit.
const REACH: usize = 255;

/// A place in a program, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A program written from its end to its beginning, so that what is jumped to
/// exists already.
#[derive(Debug, Default)]
pub(super) struct Program(Vec<Instruction>);

impl Program {
    /// The instruction that was put in front last.
    pub(super) fn here(&self) -> Label {
        Label(self.0.len())
    }

    /// Puts an instruction in front.
    pub(super) fn push(&mut self, instruction: Instruction) {
        self.0.push(instruction);
    }

    /// Puts a condition in front that goes on at `yes` or at `no`.
    pub(super) fn branch(&mut self, comparison: Comparison, constant: u32, yes: Label, no: Label) {
        // Each of the two may need a jump of its own, which moves the other
        // farther away.
        let no = self.within(no, REACH - 1);
        let yes = self.within(yes, REACH);
        let code = match comparison {
            Comparison::Equal => JUMP_EQUAL,
            Comparison::Greater => JUMP_GREATER,
            Comparison::GreaterOrEqual => JUMP_GREATER_EQUAL,
        };
        let instruction = Instruction {
            code,
            jump_true: u8::try_from(self.distance(yes)).unwrap_or(u8::MAX),
            jump_false: u8::try_from(self.distance(no)).unwrap_or(u8::MAX),
            constant,
        };
        self.push(instruction);
    }

    /// The instructions in the order in which they run.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        self.0.reverse();
        self.0
    }

    fn distance(&self, label: Label) -> usize {
        self.0.len() - label.0
    }

    fn within(&mut self, label: Label, reach: usize) -> Label {
        let distance = self.distance(label);
        if distance <= reach {
            return label;
        }
        self.push(plain(JUMP, u32::try_from(distance).unwrap_or(u32::MAX)));
        self.here()
    }
}
