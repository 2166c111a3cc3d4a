//! Conditions on arguments.

use super::emit::{self, Comparison, Label, Program};
use tare_oci::runtime::{SeccompArgument, SeccompOperator};

/// Offset of the first argument in `seccomp_data`.
const ARGUMENTS: u32 = 16;

/// How much of an argument counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// A word of a 32-bit machine: neither the upper half of the argument nor
    /// that of the value is looked at.
    Bits32,
    /// A word of a 64-bit machine of which the kernel takes the lower half:
    /// the upper one is 0, whatever the register holds.
    Lower32,
    /// A word of a 64-bit machine.
    Bits64,
}

/// Puts a test in front that goes on at `yes` when the condition holds, else
/// at `no`.
pub(super) fn test(
    argument: &SeccompArgument,
    width: Width,
    program: &mut Program,
    yes: Label,
    no: Label,
) {
    let mut condition = Condition {
        program,
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
            condition.order(Comparison::GreaterOrEqual, value, yes, no);
        }
        SeccompOperator::LessThan => condition.order(Comparison::GreaterOrEqual, value, no, yes),
        SeccompOperator::MaskedEqual => condition.masked(value, argument.value_two, yes, no),
    }
}

struct Condition<'a> {
    program: &'a mut Program,
    low_offset: u32,
    width: Width,
}

#[expect(clippy::cast_possible_truncation, reason = "halves of a 64-bit value")]
fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

impl Condition<'_> {
    /// Tests the lower half; returns where that begins.
    fn low(&mut self, comparison: Comparison, value: u32, yes: Label, no: Label) -> Label {
        self.program.branch(comparison, value, yes, no);
        self.program.push(emit::load(self.low_offset));
        self.program.here()
    }

    fn equal(&mut self, value: u64, yes: Label, no: Label) {
        let (high, low) = halves(value);
        let (yes, no) = self.narrowed(high, yes, no);
        let test_low = self.low(Comparison::Equal, low, yes, no);
        if self.width == Width::Bits64 {
            self.program.branch(Comparison::Equal, high, test_low, no);
            self.program.push(emit::load(self.low_offset + 4));
        }
    }

    /// Greater, or greater or equal.
    fn order(&mut self, comparison: Comparison, value: u64, yes: Label, no: Label) {
        let (high, low) = halves(value);
        let (yes, no) = self.narrowed(high, yes, no);
        let test_low = self.low(comparison, low, yes, no);
        if self.width == Width::Bits64 {
            self.program.branch(Comparison::Equal, high, test_low, no);
            let not_greater = self.program.here();
            self.program
                .branch(Comparison::Greater, high, yes, not_greater);
            self.program.push(emit::load(self.low_offset + 4));
        }
    }

    fn masked(&mut self, mask: u64, value: u64, yes: Label, no: Label) {
        let (mask_high, mask_low) = halves(mask);
        let (high, low) = halves(value & mask);
        let (yes, no) = self.narrowed(high, yes, no);
        self.program.branch(Comparison::Equal, low, yes, no);
        self.program.push(emit::and(mask_low));
        self.program.push(emit::load(self.low_offset));
        if self.width == Width::Bits64 && mask_high != 0 {
            let test_low = self.program.here();
            self.program.branch(Comparison::Equal, high, test_low, no);
            self.program.push(emit::and(mask_high));
            self.program.push(emit::load(self.low_offset + 4));
        }
    }

    /// An upper half of 0 is never equal to, nor above, one that is not.
    fn narrowed(&self, high: u32, yes: Label, no: Label) -> (Label, Label) {
        match self.width {
            Width::Lower32 if high != 0 => (no, no),
            _ => (yes, no),
        }
    }
}
