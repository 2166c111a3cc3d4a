//! The kernel's part for tests: runs a compiled filter.

use tare_sys::seccomp::Instruction;

/// The verdict on one call.
pub(crate) fn run(program: &[Instruction], audit: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = [0u8; 64];
    data[0..4].copy_from_slice(&number.to_le_bytes());
    data[4..8].copy_from_slice(&audit.to_le_bytes());
    for (index, argument) in arguments.into_iter().enumerate() {
        data[16 + index * 8..24 + index * 8].copy_from_slice(&argument.to_le_bytes());
    }
    let mut accumulator = 0u32;
    let mut position = 0;
    loop {
        let Instruction {
            code,
            jump_true,
            jump_false,
            constant,
        } = program[position];
        position += 1;
        let mut jump = |condition: bool| {
            position += usize::from(if condition { jump_true } else { jump_false });
        };
        match code {
            0x20 => {
                let offset = constant as usize;
                let word = data[offset..offset + 4].try_into().expect("a word");
                accumulator = u32::from_le_bytes(word);
            }
            0x54 => accumulator &= constant,
            0x05 => position += constant as usize,
            0x15 => jump(accumulator == constant),
            0x25 => jump(accumulator > constant),
            0x35 => jump(accumulator >= constant),
            // Only others' programs have it.
            0x45 => jump(accumulator & constant != 0),
            0x06 => return constant,
            other => panic!("instruction {other:#x}"),
        }
    }
}
