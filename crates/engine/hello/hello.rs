//! The program of the embedded image `hello`: says what has just happened, with
//! what it sees of its surroundings.
//!
//! It has neither a standard library nor a C library, so that the image is a few
//! kilobytes: the entry point reads nothing but the kernel's promise that a stack is
//! there, and everything goes through three system calls.

#![no_std]
#![no_main]
// Or the compiler would make the loop of `memset` below a call of itself.
#![no_builtins]

use core::arch::{asm, naked_asm};
use core::panic::PanicInfo;

/// What a fact read at run time may take.
type Buffer = [u8; 4096];

#[cfg(target_arch = "x86_64")]
mod number {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const GETPID: usize = 39;
    pub const EXIT: usize = 60;
    pub const OPENAT: usize = 257;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const EXIT: usize = 93;
    pub const GETPID: usize = 172;
}

#[cfg(target_arch = "x86_64")]
fn call(number: usize, first: usize, second: usize, third: usize, fourth: usize) -> isize {
    let result: isize;
    // SAFETY: the calls used here take integers, and pointers to buffers that live
    // and are long enough as their callers pass them.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth,
            out("rcx") _, out("r11") _,
            options(nostack),
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
fn call(number: usize, first: usize, second: usize, third: usize, fourth: usize) -> isize {
    let result: isize;
    // SAFETY: the calls used here take integers, and pointers to buffers that live
    // and are long enough as their callers pass them.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second, in("x2") third, in("x3") fourth,
            options(nostack),
        );
    }
    result
}

/// Aligns the stack as the calling convention wants it and goes on in Rust.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("xor ebp, ebp", "and rsp, -16", "call {main}", "ud2", main = sym main);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x29, xzr", "mov x30, xzr", "b {main}", main = sym main);
}

extern "C" fn main() -> ! {
    greet();
    loop {
        call(number::EXIT, 0, 0, 0, 0);
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        call(number::EXIT, 1, 0, 0, 0);
    }
}

/// Called by compiled code to clear a buffer.
///
/// # Safety
///
/// `start` points to `length` bytes that may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(start: *mut u8, value: i32, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: within the bytes that the caller promises.
        unsafe { start.add(at).write(value as u8) };
    }
    start
}

/// Named by the precompiled core library, and never called: a panic ends the
/// program.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

fn greet() {
    print(b"\nHello from Tare! You have just run a container. What happened:\n\n");
    print(b" 1. The client turned your command into requests and sent them to the engine.\n");
    print(b" 2. The engine looked up the image \"hello\". It comes with the engine; any other\n");
    print(b"    that is missing is pulled from a registry, its layers verified and unpacked.\n");
    print(b"    This one has a single layer with a single file: this program.\n");
    print(b" 3. The container got a writable layer of its own on top. The two, mounted as one\n");
    print(b"    file system, are its root directory.\n");
    namespaces();
    control_group();
    network();
    print(b" 7. A shim, one small process per container, started this program and passes on\n");
    print(b"    what it prints. It will report the exit status, 0, to the engine.\n");
    print(b"\nThree commands to try next:\n\n");
    print(b"    tare run --rm -it debian:bookworm-slim bash    a shell in another system\n");
    print(b"    tare ps --all                                  containers, ended ones as well\n");
    print(b"    tare run --help                                ports, limits and the rest\n\n");
}

fn namespaces() {
    let mut buffer: Buffer = [0; 4096];
    let pid = call(number::GETPID, 0, 0, 0, 0);
    print(b" 4. Namespaces give it a view of its own: here it is process ");
    print(decimal(pid as usize, &mut buffer));
    print(b" on the host\n    named ");
    print(first_line(read(c"/proc/sys/kernel/hostname", &mut buffer)));
    print(b".\n");
}

/// The unified hierarchy's line, or the one of the memory controller.
fn control_group() {
    let mut buffer: Buffer = [0; 4096];
    let groups = read(c"/proc/self/cgroup", &mut buffer);
    let path = after_in_line(groups, b"0::").or(after_in_line(groups, b":memory:"));
    print(b" 5. A control group counts, and limits if you say so, its memory, processor time\n");
    print(b"    and processes");
    match path {
        Some(path) => {
            print(b". The container sees that group as ");
            print(path);
            print(b".\n");
        }
        None => print(b".\n"),
    }
}

fn network() {
    let mut buffer: Buffer = [0; 4096];
    print(b" 6. Its network interfaces: ");
    let table = read(c"/proc/net/dev", &mut buffer);
    let mut first = true;
    for line in Lines(table) {
        // The two lines of headings have no colon.
        let Some(end) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        if !first {
            print(b", ");
        }
        first = false;
        print(trim(&line[..end]));
    }
    let mut trie: Buffer = [0; 4096];
    match address(read(c"/proc/net/fib_trie", &mut trie)) {
        Some(address) => {
            print(b". Its address is ");
            print(address);
            print(b".\n");
        }
        None => print(b". It has no address but loopback.\n"),
    }
}

/// The first address of this host in the routing table that is not loopback: the
/// line before one that ends in `/32 host LOCAL`.
fn address(trie: &[u8]) -> Option<&[u8]> {
    let mut candidate: &[u8] = b"";
    for line in Lines(trie) {
        let line = trim(line);
        if let Some(address) = strip(line, b"|-- ") {
            candidate = address;
        } else if starts_with(line, b"/32 host LOCAL") && !starts_with(candidate, b"127.") {
            return Some(candidate);
        }
    }
    None
}

fn print(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let written = call(number::WRITE, 1, bytes.as_ptr() as usize, bytes.len(), 0);
        if written <= 0 {
            return;
        }
        bytes = &bytes[written as usize..];
    }
}

/// The beginning of a file; nothing when it cannot be read.
fn read<'a>(path: &core::ffi::CStr, buffer: &'a mut Buffer) -> &'a [u8] {
    const HERE: usize = -100_isize as usize;
    let file = call(number::OPENAT, HERE, path.as_ptr() as usize, 0, 0);
    if file < 0 {
        return b"";
    }
    let mut length = 0;
    while length < buffer.len() {
        let rest = &mut buffer[length..];
        let got = call(
            number::READ,
            file as usize,
            rest.as_mut_ptr() as usize,
            rest.len(),
            0,
        );
        if got <= 0 {
            break;
        }
        length += got as usize;
    }
    call(number::CLOSE, file as usize, 0, 0, 0);
    &buffer[..length]
}

fn decimal(mut number: usize, buffer: &mut Buffer) -> &[u8] {
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[start..];
        }
    }
}

struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self
            .0
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(self.0.len());
        let line = &self.0[..end];
        self.0 = self.0.get(end + 1..).unwrap_or(b"");
        Some(line)
    }
}

fn first_line(text: &[u8]) -> &[u8] {
    Lines(text).next().unwrap_or(b"?")
}

/// What follows `mark` in the first line that has it.
fn after_in_line<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    Lines(text).find_map(|line| {
        let at = (0..line.len()).find(|&at| starts_with(&line[at..], mark))?;
        Some(&line[at + mark.len()..])
    })
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

fn strip<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    starts_with(text, prefix).then(|| &text[prefix.len()..])
}

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.len() >= prefix.len() && text.iter().zip(prefix).all(|(one, other)| one == other)
}
