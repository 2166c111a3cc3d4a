//! How a command ended and what it said.

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Exit status, or 128 and the signal.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Its output, when it has to succeed.
    #[track_caller]
    pub(crate) fn succeeds(self) -> String {
        assert_eq!(self.code, 0, "it failed: {self:?}");
        self.stdout.trim_end().to_owned()
    }

    /// Its message, when it has to fail as a command of runc does: exit status
    /// 1 and at least a line that says why.
    #[track_caller]
    pub(crate) fn fails(self) -> String {
        assert_eq!(self.code, 1, "it did not fail properly: {self:?}");
        assert!(!self.stderr.trim().is_empty(), "it does not say why");
        assert!(
            !self.stderr.contains("panicked at") && !self.stderr.contains("goroutine "),
            "it panicked: {}",
            self.stderr
        );
        self.stderr.trim_end().to_owned()
    }
}
