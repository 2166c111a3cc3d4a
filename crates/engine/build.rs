//! Builds the embedded image `hello`: compiles `hello/hello.rs`, which needs no
//! library, and packs it as a layer.
//!
//! The same compiler and source give the same bytes, and so the same image ID: no
//! time, path or user of the building machine gets into the layer.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const SOURCE: &str = "hello/hello.rs";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error=the image hello: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let directory = PathBuf::from(variable("OUT_DIR")?);
    let program = directory.join("hello");
    compile(&program)?;
    let bytes = fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
    let layer = directory.join("hello.tar");
    fs::write(&layer, archive("hello", &bytes))
        .map_err(|error| format!("{}: {error}", layer.display()))
}

fn compile(program: &Path) -> Result<(), String> {
    let mut compiler = Command::new(variable("RUSTC")?);
    compiler
        .args(["--edition=2024", "--crate-name=hello", "--crate-type=bin"])
        .arg("--target")
        .arg(variable("TARGET")?)
        .args([
            "-Copt-level=s",
            "-Cpanic=abort",
            "-Cstrip=symbols",
            "-Cdebuginfo=0",
        ])
        .args([
            "-Ccodegen-units=1",
            "-Coverflow-checks=off",
            "-Cforce-unwind-tables=no",
        ])
        .args(["-Ctarget-feature=+crt-static", "-Crelocation-model=static"])
        .args([
            "-Clink-arg=-nostdlib",
            "-Clink-arg=-nostartfiles",
            "-Clink-arg=-static",
        ])
        .args([
            "-Clink-arg=-Wl,--build-id=none",
            "-Clink-arg=-Wl,-z,noseparate-code",
        ])
        .args([
            "-Clink-arg=-Wl,-z,norelro",
            "-Clink-arg=-Wl,--no-eh-frame-hdr",
        ])
        .arg("--remap-path-prefix=hello=")
        .arg("-o")
        .arg(program)
        .arg(SOURCE);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        compiler.arg("-C").arg(concatenate("linker=", linker));
    }
    let output = compiler
        .output()
        .map_err(|error| format!("{compiler:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{} did not compile: {}",
        SOURCE,
        errors.replace('\n', " / ")
    ))
}

fn concatenate(prefix: &str, value: OsString) -> OsString {
    let mut whole = OsString::from(prefix);
    whole.push(value);
    whole
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("{name} is not set"))
}

/// A ustar archive of one executable file.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut header = [0_u8; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    // The checksum counts itself as blanks.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    archive
}
