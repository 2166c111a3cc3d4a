//! The emulated machine: one qemu, and what comes out of it.

use super::guest::Order;
use super::kernel::Kernel;
use super::outcome::Outcome;
use super::report::Report;
use super::userland::Userland;
use super::{directory, disk};
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The longest silence before the machine counts as hanging. A check's own
/// limits are shorter.
const SILENCE: Duration = Duration::from_secs(300);
/// Messages of the kernel that are shown when it did not come up or hung.
const CONSOLE_LINES: usize = 30;

/// A running machine, which ends when dropped.
#[derive(Debug)]
pub(super) struct Machine {
    qemu: Child,
}

impl Machine {
    /// Starts it. The kernel's console goes into a file; the second serial
    /// line, where reports come, is ours.
    pub(super) fn start(kernel: &Kernel, userland: Userland, order: &Order) -> Result<Self> {
        let console = console();
        // A machine that goes off by itself has no use for what is typed.
        let input = if order.keep {
            Stdio::inherit()
        } else {
            Stdio::null()
        };
        let qemu = Command::new("qemu-system-x86_64")
            // Emulated, never KVM: the same everywhere, containers included.
            .args(["-accel", "tcg,thread=multi,tb-size=512"])
            // Without it Linux 5.10 has no random numbers for minutes.
            .args(["-cpu", "qemu64,+rdrand"])
            .args(["-m", "2G", "-smp", "2", "-nic", "none"])
            .args(["-display", "none", "-monitor", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(&kernel.image)
            .arg("-initrd")
            .arg(disk::initramfs())
            .arg("-drive")
            .arg(format!(
                "file={},if=virtio,format=raw,cache=unsafe",
                disk::disk().display()
            ))
            .arg("-append")
            .arg(format!(
                "console=ttyS0 quiet panic=-1 apparmor=1 security=apparmor {}",
                userland.parameters()
            ))
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .args(["-chardev", "stdio,id=reports,signal=off"])
            .args(["-serial", "chardev:reports"])
            .stdin(input)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot execute qemu-system-x86_64")?;
        Ok(Self { qemu })
    }

    /// Reads what the machine says until it is off. What is not a report is
    /// passed on to standard output.
    pub(super) fn follow(mut self, order: &Order, outcome: &mut Outcome) -> Result<()> {
        let stdout = self.qemu.stdout.take().context("qemu has no output")?;
        let (sender, receiver) = channel();
        let reader = std::thread::spawn(move || read(stdout, &sender));
        let result = self.pass_on(order, outcome, &receiver);
        drop(self);
        // Its pipe is closed: the reader has ended.
        let _ = reader.join();
        result?;
        if !outcome.is_done() {
            bail!(
                "the machine went off before it was done\n{}",
                last_messages()
            );
        }
        Ok(())
    }

    fn pass_on(
        &self,
        order: &Order,
        outcome: &mut Outcome,
        received: &Receiver<Vec<u8>>,
    ) -> Result<()> {
        let mut stdout = std::io::stdout();
        let mut pending = Vec::new();
        let mut booted = false;
        loop {
            // Commands of the caller's may take as long as they like.
            let limited = !booted || (order.command.is_empty() && !outcome.is_done());
            let silence = if limited { SILENCE } else { Duration::MAX };
            match received.recv_timeout(silence) {
                Ok(bytes) => pending.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => bail!(
                    "the machine has said nothing for {} s\n{}",
                    SILENCE.as_secs(),
                    last_messages()
                ),
            }
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                match Report::parse(&String::from_utf8_lossy(&line)) {
                    Some((before, report)) => {
                        stdout.write_all(before.as_bytes())?;
                        booted = true;
                        outcome.note(report);
                    }
                    None => stdout.write_all(&line)?,
                }
            }
            // What a person is typing has no end of line yet.
            if order.keep && outcome.is_done() {
                stdout.write_all(&pending)?;
                pending.clear();
            }
            stdout.flush()?;
        }
        stdout.write_all(&pending)?;
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Already off, or hanging, or we have failed: there is nothing to save.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

fn read(mut stdout: ChildStdout, sender: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stdout.read(&mut buffer) {
        if sender.send(buffer[..length].to_vec()).is_err() {
            break;
        }
    }
}

/// What the kernel printed.
fn console() -> PathBuf {
    directory().join("console.log")
}

fn last_messages() -> String {
    let text = std::fs::read(console()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(CONSOLE_LINES);
    lines[first..].join("\n")
}
