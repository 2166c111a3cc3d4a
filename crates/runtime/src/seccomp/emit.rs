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

/// Runs `yes` or `no`, both of which must end with a verdict on every path.
pub(super) fn choose(
    comparison: Comparison,
    constant: u32,
    yes: Vec<Instruction>,
    no: Vec<Instruction>,
) -> Vec<Instruction> {
    let code = match comparison {
        Comparison::Equal => JUMP_EQUAL,
        Comparison::Greater => JUMP_GREATER,
        Comparison::GreaterOrEqual => JUMP_GREATER_EQUAL,
    };
    let mut program = Vec::with_capacity(yes.len() + no.len() + 2);
    // A condition reaches 255 instructions far; a jump has no such limit.
    match u8::try_from(no.len()) {
        Ok(distance) => program.push(Instruction {
            code,
            jump_true: distance,
            jump_false: 0,
            constant,
        }),
        Err(_) => {
            program.push(Instruction {
                code,
                jump_true: 0,
                jump_false: 1,
                constant,
            });
            program.push(plain(JUMP, u32::try_from(no.len()).unwrap_or(u32::MAX)));
        }
    }
    program.extend(no);
    program.extend(yes);
    program
}
