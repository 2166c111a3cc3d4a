//! Running a client program and keeping what it printed.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// What a program printed and how it ended.
#[derive(Debug)]
pub struct Output {
    /// The exit code; 128 and the signal if one ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The arguments it was started with, for messages.
    line: String,
}

impl Output {
    /// Runs the command with this input and waits for its end.
    #[track_caller]
    pub fn of(command: &mut Command, input: &[u8]) -> Self {
        let line = format!("{:?}", command.get_args().skip(6).collect::<Vec<_>>());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A program may end before it has read everything.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("the program's output");
        writer.join().expect("the writer");
        let code = output
            .status
            .code()
            .unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default());
        Self {
            code,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            line,
        }
    }

    /// Itself, if the exit code is the expected one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "{}\n── stdout\n{}── stderr\n{}",
            self.line, self.stdout, self.stderr
        );
        self
    }

    /// The first line of standard output of a program that succeeded.
    #[track_caller]
    pub fn line(self) -> String {
        let output = self.expect(0);
        output.stdout.lines().next().unwrap_or_default().to_owned()
    }

    /// Itself, if it failed with this code and told it on standard error in
    /// words that contain all of these.
    #[track_caller]
    pub fn expect_error(self, code: i32, words: &[&str]) -> Self {
        let output = self.expect(code);
        for word in words {
            assert!(
                output.stderr.contains(word),
                "{}: {word:?} is not in {:?}",
                output.line,
                output.stderr
            );
        }
        assert!(
            !output.stderr.contains("panicked"),
            "{}: {}",
            output.line,
            output.stderr
        );
        output
    }
}
