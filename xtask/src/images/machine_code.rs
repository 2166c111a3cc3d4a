//! A static program that prints a line, written as an ELF file by hand: 200
//! bytes that need no compiler, for a machine we may not be on.

/// Where the file is mapped. Any page-aligned address does.
const BASE: u64 = 0x40_0000;
/// ELF header and one program header.
const HEADERS: u64 = 64 + 56;

/// The file for `amd64` or `arm64`.
pub(crate) fn print_line(architecture: &str, line: &str) -> Vec<u8> {
    let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
    let (machine, code) = match architecture {
        "arm64" => (183, arm64(length)),
        _ => (62, amd64(length)),
    };
    let size = HEADERS + code.len() as u64 + line.len() as u64;
    let mut file = Vec::new();
    // Identification: ELF, 64 bits, little-endian, version 1, System V.
    file.extend([0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    half(&mut file, 2); // an executable at fixed addresses
    half(&mut file, machine);
    word(&mut file, 1);
    long(&mut file, BASE + HEADERS); // entry
    long(&mut file, 64); // program headers
    long(&mut file, 0); // no sections
    word(&mut file, 0);
    for value in [64, 56, 1, 0, 0, 0] {
        half(&mut file, value);
    }
    // One segment, readable and executable: the whole file.
    word(&mut file, 1);
    word(&mut file, 5);
    for value in [0, BASE, BASE, size, size, 0x1000] {
        long(&mut file, value);
    }
    file.extend(code);
    file.extend(line.as_bytes());
    file
}

fn amd64(length: u32) -> Vec<u8> {
    let mut code = vec![0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0]; // write, standard output
    code.extend([0x48, 0x8d, 0x35, 16, 0, 0, 0]); // lea rsi, [rip + 16]: behind the code
    code.push(0xba); // length
    code.extend(length.to_le_bytes());
    code.extend([0x0f, 0x05]);
    code.extend([0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]); // exit(0)
    code
}

fn arm64(length: u32) -> Vec<u8> {
    [
        0xd280_0020,                            // mov x0, #1: standard output
        0x1000_00e1,                            // adr x1, . + 28: behind the code
        0xd280_0002 | ((length & 0xffff) << 5), // mov x2, #length
        0xd280_0808,                            // mov x8, #64: write
        0xd400_0001,                            // svc
        0xd280_0000,                            // mov x0, #0
        0xd280_0ba8,                            // mov x8, #93: exit
        0xd400_0001,                            // svc
    ]
    .into_iter()
    .flat_map(u32::to_le_bytes)
    .collect()
}

fn half(file: &mut Vec<u8>, value: u16) {
    file.extend(value.to_le_bytes());
}

fn word(file: &mut Vec<u8>, value: u32) {
    file.extend(value.to_le_bytes());
}

fn long(file: &mut Vec<u8>, value: u64) {
    file.extend(value.to_le_bytes());
}
