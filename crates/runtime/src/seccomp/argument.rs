//! Conditions on arguments.

use tare_oci::runtime::{SeccompArgument, SeccompOperator};
use tare_sys::seccomp::Instruction;

use super::emit::{self, Comparison};

/// Offset of the first argument in `seccomp_data`.
const ARGUMENTS: u32 = 16;

/// Whether the machine's words are 64 bits long. On a 32-bit one the upper
/// halves are not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Bits32,
    Bits64,
}

/// A program that runs `yes` when the condition holds, else `no`. Both must
/// end with a verdict on every path.
pub(super) fn test(
    argument: &SeccompArgument,
    width: Width,
    yes: Vec<Instruction>,
    no: Vec<Instruction>,
) -> Vec<Instruction> {
    let condition = Condition {
        // Little-endian: the lower half comes first.
        low_offset: ARGUMENTS + argument.index * 8,
        width,
    };
    let value = argument.value;
    match argument.op {
        SeccompOperator::Equal => condition.equal(value, yes, no),
        SeccompOperator::NotEqual => condition.equal(value, no, yes),
        SeccompOperator::GreaterThan => condition.order(Comparison::Greater, value, yes, no),
        SeccompOperator::LessOrEqual => condition.order(Comparison::Greater, value, no, yes),
        SeccompOperator::GreaterOrEqual => {
            condition.order(Comparison::GreaterOrEqual, value, yes, no)
        }
        SeccompOperator::LessThan => condition.order(Comparison::GreaterOrEqual, value, no, yes),
        SeccompOperator::MaskedEqual => condition.masked(value, argument.value_two, yes, no),
    }
}

#[derive(Clone, Copy)]
struct Condition {
    low_offset: u32,
    width: Width,
}

#[expect(clippy::cast_possible_truncation, reason = "halves of a 64-bit value")]
fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

impl Condition {
    fn low(self, rest: Vec<Instruction>) -> Vec<Instruction> {
        [vec![emit::load(self.low_offset)], rest].concat()
    }

    fn high(self, rest: Vec<Instruction>) -> Vec<Instruction> {
        [vec![emit::load(self.low_offset + 4)], rest].concat()
    }

    fn equal(self, value: u64, yes: Vec<Instruction>, no: Vec<Instruction>) -> Vec<Instruction> {
        let (high, low) = halves(value);
        let test_low = self.low(emit::choose(Comparison::Equal, low, yes, no.clone()));
        match self.width {
            Width::Bits32 => test_low,
            Width::Bits64 => self.high(emit::choose(Comparison::Equal, high, test_low, no)),
        }
    }

    /// Greater, or greater or equal.
    fn order(
        self,
        comparison: Comparison,
        value: u64,
        yes: Vec<Instruction>,
        no: Vec<Instruction>,
    ) -> Vec<Instruction> {
        let (high, low) = halves(value);
        let test_low = self.low(emit::choose(comparison, low, yes.clone(), no.clone()));
        if self.width == Width::Bits32 {
            return test_low;
        }
        let equal_or_less = emit::choose(Comparison::Equal, high, test_low, no);
        self.high(emit::choose(Comparison::Greater, high, yes, equal_or_less))
    }

    fn masked(
        self,
        mask: u64,
        value: u64,
        yes: Vec<Instruction>,
        no: Vec<Instruction>,
    ) -> Vec<Instruction> {
        let (mask_high, mask_low) = halves(mask);
        let (high, low) = halves(value & mask);
        let with_mask = |mask: u32, rest: Vec<Instruction>| [vec![emit::and(mask)], rest].concat();
        let test_low = self.low(with_mask(
            mask_low,
            emit::choose(Comparison::Equal, low, yes, no.clone()),
        ));
        if self.width == Width::Bits32 || mask_high == 0 {
            return test_low;
        }
        self.high(with_mask(
            mask_high,
            emit::choose(Comparison::Equal, high, test_low, no),
        ))
    }
}
