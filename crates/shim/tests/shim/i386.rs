//! A 32-bit program made on the spot: i386 calls one after another, with
//! constants as arguments, whose results it writes to standard output.
//!
//! The machine that runs the tests has no compiler for it, and a program that
//! is nothing but calls needs none.

/// Where the program is loaded, and how much is written behind the file.
const BASE: u32 = 0x0804_8000;
const HEADERS: u32 = 52 + 32;
/// Where data begins, whatever the length of the code.
const DATA: u32 = 0x2000;
/// Where results are kept.
const RESULTS: u32 = 0x1000;

const WRITE: u32 = 4;
const EXIT: u32 = 1;

/// A program under construction.
pub(crate) struct Program {
    code: Vec<u8>,
    data: Vec<u8>,
    results: u32,
}

/// An argument of a call.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    Value(u32),
    /// What a call has returned, by its place.
    Result(usize),
}

impl From<u32> for Argument {
    fn from(value: u32) -> Argument {
        Argument::Value(value)
    }
}

impl Program {
    pub(crate) fn new() -> Program {
        Program {
            code: Vec::new(),
            data: Vec::new(),
            results: 0,
        }
    }

    /// Puts bytes into the program's memory; returns their address.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> u32 {
        self.data.resize(self.data.len().next_multiple_of(4), 0);
        let address = BASE + DATA + self.data.len() as u32;
        self.data.extend(bytes);
        address
    }

    /// Puts words into the program's memory; returns their address.
    pub(crate) fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.data(&bytes)
    }

    /// Makes a call; returns its place among the results.
    pub(crate) fn call(&mut self, number: u32, arguments: &[Argument]) -> usize {
        // ebx, ecx, edx, esi, edi: the opcode that loads a constant, and the
        // byte that says so when a word of memory is loaded.
        const REGISTERS: [(u8, u8); 5] = [
            (0xbb, 0x1d),
            (0xb9, 0x0d),
            (0xba, 0x15),
            (0xbe, 0x35),
            (0xbf, 0x3d),
        ];
        for (argument, (constant, memory)) in arguments.iter().zip(REGISTERS) {
            match *argument {
                Argument::Value(value) => {
                    self.code.push(constant);
                    self.code.extend(value.to_le_bytes());
                }
                Argument::Result(place) => {
                    self.code.extend([0x8b, memory]);
                    self.code.extend(result(place as u32).to_le_bytes());
                }
            }
        }
        self.code.push(0xb8); // mov eax, number
        self.code.extend(number.to_le_bytes());
        self.code.extend([0xcd, 0x80]); // int 0x80
        let place = self.results;
        self.store(result(place));
        self.results += 1;
        place as usize
    }

    /// Makes a call through `socketcall`; `descriptor` is put in front of the
    /// arguments in memory.
    pub(crate) fn socketcall(
        &mut self,
        number: u32,
        descriptor: Option<usize>,
        arguments: &[u32],
    ) -> usize {
        const SOCKETCALL: u32 = 102;
        let mut words = arguments.to_vec();
        if descriptor.is_some() {
            words.insert(0, 0);
        }
        let address = self.words(&words);
        if let Some(place) = descriptor {
            self.copy(place, address);
        }
        self.call(SOCKETCALL, &[number.into(), address.into()])
    }

    /// Copies what a call has returned.
    pub(crate) fn copy(&mut self, place: usize, address: u32) {
        self.code.push(0xa1); // mov eax, [result]
        self.code.extend(result(place as u32).to_le_bytes());
        self.store(address);
    }

    fn store(&mut self, address: u32) {
        self.code.push(0xa3); // mov [address], eax
        self.code.extend(address.to_le_bytes());
    }

    /// Keeps a word of memory as a result.
    pub(crate) fn load(&mut self, address: u32) -> usize {
        self.code.push(0xa1); // mov eax, [address]
        self.code.extend(address.to_le_bytes());
        let place = self.results;
        self.store(result(place));
        self.results += 1;
        place as usize
    }

    /// The executable. It writes all results and ends.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let length = self.results * 4;
        self.call(WRITE, &[1.into(), result(0).into(), length.into()]);
        self.call(EXIT, &[0.into()]);
        assert!(HEADERS as usize + self.code.len() <= RESULTS as usize);
        let mut file = headers(DATA + self.data.len() as u32);
        file.extend(&self.code);
        file.resize(DATA as usize, 0);
        file.extend(&self.data);
        file
    }
}

/// The numbers that a program has written.
pub(crate) fn results(output: &[u8]) -> Vec<i32> {
    let (words, rest) = output.as_chunks::<4>();
    assert!(rest.is_empty(), "{output:?}");
    words.iter().map(|word| i32::from_le_bytes(*word)).collect()
}

fn result(place: u32) -> u32 {
    BASE + RESULTS + place * 4
}

/// ELF and program header: all of the file is one segment, for everything.
fn headers(length: u32) -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2, 0, 3, 0]); // an executable for i386
    let words = [
        1,
        BASE + HEADERS,
        52,
        0,
        0,
        // sizes: this header, one program header
        52 | 32 << 16,
        1 | 40 << 16,
        0,
        // PT_LOAD
        1,
        0,
        BASE,
        BASE,
        length,
        length,
        7,
        0x1000,
    ];
    for word in words {
        file.extend(u32::to_le_bytes(word));
    }
    assert_eq!(file.len(), HEADERS as usize);
    file
}
