//! Why a container's process could not become its program: data that travels
//! from it to its creator.

use std::fmt;
use std::io;

/// The longest detail that a failure carries, in bytes.
pub(crate) const MAXIMUM_DETAIL: usize = 4096;

/// What the child was doing when it failed, in the order in which it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Entering its control groups.
    Cgroup = 1,
    /// Entering or making a namespace.
    Namespace,
    /// Setting its out-of-memory score.
    OomScore,
    /// Setting the label that the program will have.
    Label,
    /// Setting scheduler, I/O priority, affinity or personality.
    Scheduling,
    /// Joining a session keyring of its own.
    Keyring,
    /// Setting host or domain name.
    Hostname,
    /// Mounting the root file system.
    Root,
    /// Making one of the configured mounts.
    Mount,
    /// Making a device.
    Device,
    /// Making or attaching the terminal.
    Console,
    /// Hiding a path.
    MaskPath,
    /// Making a path read-only.
    ReadonlyPath,
    /// Setting a kernel parameter.
    Sysctl,
    /// Changing the root.
    Pivot,
    /// Setting a resource limit.
    ResourceLimit,
    /// Looking up the user or a group.
    User,
    /// Entering the working directory.
    WorkingDirectory,
    /// Taking on the user and the groups.
    Identity,
    /// Setting capabilities or no_new_privs.
    Capabilities,
    /// Finding the program.
    FindProgram,
    /// Talking to the parent.
    Handshake,
    /// Loading the system call filter.
    Seccomp,
    /// Executing the program.
    Execute,
    /// Running a hook.
    Hook,
}

impl Step {
    const ALL: [Step; 25] = [
        Step::Cgroup,
        Step::Namespace,
        Step::OomScore,
        Step::Label,
        Step::Scheduling,
        Step::Keyring,
        Step::Hostname,
        Step::Root,
        Step::Mount,
        Step::Device,
        Step::Console,
        Step::MaskPath,
        Step::ReadonlyPath,
        Step::Sysctl,
        Step::Pivot,
        Step::ResourceLimit,
        Step::User,
        Step::WorkingDirectory,
        Step::Identity,
        Step::Capabilities,
        Step::FindProgram,
        Step::Handshake,
        Step::Seccomp,
        Step::Execute,
        Step::Hook,
    ];

    fn from_number(number: u8) -> Option<Step> {
        Step::ALL.into_iter().find(|step| *step as u8 == number)
    }
}

/// Why the child could not become the container's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it was doing.
    pub step: Step,
    /// To what: a path, a name, or a whole sentence where `errno` is 0.
    pub detail: String,
    /// The kernel's answer, or 0.
    pub errno: i32,
}

impl Failure {
    /// A failure with the kernel's answer.
    pub(crate) fn new(step: Step, detail: impl Into<String>, error: impl Into<io::Error>) -> Self {
        let error = error.into();
        let mut detail = detail.into();
        let errno = error.raw_os_error().unwrap_or_else(|| {
            detail = format!("{detail}: {error}");
            0
        });
        Failure {
            step,
            detail,
            errno,
        }
    }

    /// A failure that has no errno.
    pub(crate) fn sentence(step: Step, sentence: impl Into<String>) -> Self {
        Failure {
            step,
            detail: sentence.into(),
            errno: 0,
        }
    }

    /// The exit status that Docker's users expect of this failure: 127 when
    /// the program does not exist, 126 when it or the working directory cannot
    /// be used, else `None`.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match (self.step, self.errno) {
            (Step::FindProgram | Step::Execute, libc_errno::ENOENT) => Some(127),
            (Step::FindProgram | Step::Execute | Step::WorkingDirectory, _) => Some(126),
            _ => None,
        }
    }

    /// As bytes, for the parent.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut detail = self.detail.as_bytes();
        if detail.len() > MAXIMUM_DETAIL {
            detail = &detail[..MAXIMUM_DETAIL];
        }
        let mut message = vec![self.step as u8];
        message.extend_from_slice(&self.errno.to_ne_bytes());
        message.extend_from_slice(detail);
        message
    }

    /// From [`Failure::encode`]'s bytes.
    pub(crate) fn decode(message: &[u8]) -> Option<Failure> {
        let (&step, rest) = message.split_first()?;
        let (errno, detail) = rest.split_first_chunk::<4>()?;
        Some(Failure {
            step: Step::from_number(step)?,
            detail: String::from_utf8_lossy(detail).into_owned(),
            errno: i32::from_ne_bytes(*errno),
        })
    }
}

impl fmt::Display for Failure {
    /// In the words of runc, which Docker's users and tests know.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &self.detail;
        if self.errno == 0 {
            return formatter.write_str(detail);
        }
        let reason = errno_text(self.errno);
        match self.step {
            Step::FindProgram if self.errno == libc_errno::ENOENT && !detail.contains('/') => {
                write!(
                    formatter,
                    "exec: \"{detail}\": executable file not found in $PATH"
                )
            }
            Step::FindProgram if self.errno == libc_errno::ENOENT => {
                write!(formatter, "exec: \"{detail}\": stat {detail}: {reason}")
            }
            // execve's own answer to a directory is EACCES, and Docker before 25
            // knows exit code 126 by these words alone.
            Step::FindProgram if self.errno == libc_errno::EISDIR => {
                write!(formatter, "exec: \"{detail}\": {reason}: permission denied")
            }
            Step::FindProgram => write!(formatter, "exec: \"{detail}\": {reason}"),
            Step::Execute => write!(formatter, "exec {detail}: {reason}"),
            Step::WorkingDirectory => write!(
                formatter,
                "chdir to cwd (\"{detail}\") set in config.json failed: {reason}"
            ),
            Step::ResourceLimit => {
                write!(formatter, "error setting rlimit type {detail}: {reason}")
            }
            Step::Cgroup => write!(formatter, "entering the control group {detail}: {reason}"),
            Step::Namespace => write!(formatter, "entering the {detail} namespace: {reason}"),
            Step::OomScore => write!(formatter, "setting oom_score_adj to {detail}: {reason}"),
            Step::Label => write!(formatter, "setting the label {detail}: {reason}"),
            Step::Keyring => write!(formatter, "joining the session keyring {detail}: {reason}"),
            Step::Hostname => write!(formatter, "setting the {detail}: {reason}"),
            Step::Root => write!(
                formatter,
                "mounting the root file system: {detail}: {reason}"
            ),
            Step::Mount => write!(formatter, "error mounting {detail}: {reason}"),
            Step::Device => write!(formatter, "making the device {detail}: {reason}"),
            Step::Console => write!(formatter, "making the terminal: {detail}: {reason}"),
            Step::MaskPath => write!(formatter, "masking {detail}: {reason}"),
            Step::ReadonlyPath => write!(formatter, "making {detail} read-only: {reason}"),
            Step::Sysctl => write!(formatter, "setting the kernel parameter {detail}: {reason}"),
            Step::Scheduling
            | Step::Pivot
            | Step::User
            | Step::Identity
            | Step::Capabilities
            | Step::Handshake
            | Step::Hook
            | Step::Seccomp => write!(formatter, "{detail}: {reason}"),
        }
    }
}

/// Errno values that decide something here.
mod libc_errno {
    pub(super) const ENOENT: i32 = rustix::io::Errno::NOENT.raw_os_error();
    pub(super) const EISDIR: i32 = rustix::io::Errno::ISDIR.raw_os_error();
}

/// The system's text for an errno as Go's programs print it: in lower case and
/// without the number.
fn errno_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => format!("errno {errno}"),
    }
}
