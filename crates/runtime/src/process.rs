//! A program to run, prepared in the process that creates it so that its copy
//! has little left to do, and the last steps of that copy, which creating a
//! container and executing in one have in common.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use tare_oci::runtime::{IoPriorityClass, Process, SchedulerPolicy};
use tare_sys::execute::{self, StringArray};
use tare_sys::scheduling::{self, SchedulerAttributes};
use tare_sys::{SingleThreaded, seccomp as sys_seccomp};

use crate::capability::Sets;
use crate::container::Identity;
use crate::error::Error;
use crate::handshake::{ChildEnd, Failure, Step};
use crate::resource_limit::Limit;
use crate::seccomp::Filter;
use crate::terminal::Terminal;
use crate::user;

/// Where the standard streams of a program come from.
#[derive(Debug)]
pub(crate) enum Streams {
    /// Descriptors of the caller's.
    Given([OwnedFd; 3]),
    /// A new terminal.
    Terminal,
}

/// A program and everything that is to hold for it.
#[derive(Debug)]
pub(crate) struct Prepared {
    process: Process,
    identity: Identity,
    arguments: StringArray,
    environment: Vec<CString>,
    capabilities: Sets,
    limits: Vec<Limit>,
    filter: Option<Filter>,
}

impl Prepared {
    /// Checks a program and compiles what needs compiling.
    pub(crate) fn new(
        process: &Process,
        identity: &Identity,
        filter: Option<Filter>,
    ) -> Result<Prepared, Error> {
        let strings = |field: &str, list: &[String]| {
            list.iter()
                .map(|string| {
                    CString::new(string.as_str())
                        .map_err(|_| Error::configuration(field, "holds a NUL byte"))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        if process.args.is_empty() {
            return Err(Error::configuration("process.args", "must not be empty"));
        }
        if !process.cwd.starts_with('/') {
            return Err(Error::configuration(
                "process.cwd",
                format!("{:?} is not an absolute path", process.cwd),
            ));
        }
        let limits = process
            .rlimits
            .iter()
            .map(Limit::check)
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(adjustment) = process.oom_score_adj
            && !(-1000..=1000).contains(&adjustment)
        {
            return Err(Error::configuration(
                "process.oomScoreAdj",
                format!("{adjustment} is not between -1000 and 1000"),
            ));
        }
        if process.exec_cpu_affinity.is_some() {
            return Err(Error::configuration(
                "process.execCPUAffinity",
                "is not supported yet",
            ));
        }
        Ok(Prepared {
            arguments: StringArray::new(strings("process.args", &process.args)?),
            environment: strings("process.env", &process.env)?,
            capabilities: Sets::parse(process.capabilities.as_ref()).map_err(Error::Clone)?,
            limits,
            filter,
            identity: identity.clone(),
            process: process.clone(),
        })
    }

    /// What has to happen while the host's /proc is still there: the
    /// out-of-memory score, the label of the program, and what the scheduler
    /// has to know.
    pub(crate) fn apply_on_host(&self) -> Result<(), Failure> {
        let process = &self.process;
        if let Some(adjustment) = process.oom_score_adj {
            let value = adjustment.to_string();
            write_own(c"self/oom_score_adj", &value)
                .map_err(|error| Failure::new(Step::OomScore, value, error))?;
        }
        if let Some(profile) = process
            .apparmor_profile
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            apply_apparmor(profile)?;
        }
        if let Some(label) = process
            .selinux_label
            .as_deref()
            .filter(|label| !label.is_empty())
        {
            write_own(c"thread-self/attr/exec", label)
                .map_err(|error| Failure::new(Step::Label, label, error))?;
        }
        if let Some(scheduler) = &process.scheduler {
            let attributes = scheduler_attributes(scheduler)?;
            scheduling::set_scheduler(attributes)
                .map_err(|error| Failure::new(Step::Scheduling, "setting the scheduler", error))?;
        }
        if let Some(priority) = &process.io_priority {
            let class = match priority.class {
                IoPriorityClass::RealTime => 1,
                IoPriorityClass::BestEffort => 2,
                IoPriorityClass::Idle => 3,
            };
            let level = u16::try_from(priority.priority)
                .ok()
                .filter(|level| *level < 8);
            let level = level.ok_or_else(|| {
                Failure::sentence(
                    Step::Scheduling,
                    format!(
                        "process.ioPriority.priority: {} is not from 0 to 7",
                        priority.priority
                    ),
                )
            })?;
            scheduling::set_io_priority(class, level).map_err(|error| {
                Failure::new(Step::Scheduling, "setting the I/O priority", error)
            })?;
        }
        Ok(())
    }

    /// The last steps, in the container's namespaces and root. Returns only
    /// when one of them fails.
    pub(crate) fn become_program(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        streams: Streams,
        terminal: Option<Terminal>,
    ) -> Failure {
        match self.try_become_program(proof, channel, streams, terminal) {
            Ok(never) => match never {},
            Err(failure) => failure,
        }
    }

    fn try_become_program(
        &self,
        proof: SingleThreaded,
        channel: &ChildEnd,
        streams: Streams,
        terminal: Option<Terminal>,
    ) -> Result<std::convert::Infallible, Failure> {
        for limit in &self.limits {
            limit.apply()?;
        }
        let (user, passwd) = self.resolve_user()?;
        let environment = self.environment_with_home(&user, passwd)?;
        let master = self.attach_streams(streams, terminal, user.uid)?;
        self.enter_working_directory(Entering::AsRoot)?;
        self.take_on(&user)?;
        self.enter_working_directory(Entering::AsUser)?;
        let program = find_program(&self.process.args[0], &self.process.env)?;

        channel.ready(master)?;

        execute::close_on_exec_from(3)
            .map_err(|error| Failure::new(Step::Execute, "closing descriptors", error))?;
        tare_sys::signal::reset(proof);
        if let Some(filter) = &self.filter {
            sys_seccomp::load(&filter.program, filter.flags)
                .map_err(|error| Failure::new(Step::Seccomp, "loading the filter", error))?;
        }
        let environment = StringArray::new(environment);
        let error = execute::execute(&program, &self.arguments, &environment);
        Err(Failure::new(
            Step::Execute,
            program.to_string_lossy().into_owned(),
            error,
        ))
    }

    /// The user by the request's words, else by the configuration's numbers;
    /// with the text of /etc/passwd if that was read.
    fn resolve_user(&self) -> Result<(user::Resolved, Option<String>), Failure> {
        let failed = |error: user::Error| Failure::sentence(Step::User, error.to_string());
        let Identity::Named { user, groups } = &self.identity else {
            let configured = &self.process.user;
            return Ok((
                user::Resolved {
                    uid: configured.uid,
                    gid: configured.gid,
                    groups: configured.additional_gids.clone(),
                    home: None,
                },
                None,
            ));
        };
        let passwd = user::read_passwd().map_err(failed)?;
        let group = user::read_group().map_err(failed)?;
        let resolved = user::resolve(&passwd, &group, user, groups).map_err(failed)?;
        Ok((resolved, Some(passwd)))
    }

    /// The environment, with HOME from /etc/passwd when the configuration has
    /// none, as runc does.
    fn environment_with_home(
        &self,
        user: &user::Resolved,
        passwd: Option<String>,
    ) -> Result<Vec<CString>, Failure> {
        let mut environment = self.environment.clone();
        // An empty HOME counts as none.
        let is_home = |variable: &CString| variable.as_bytes().starts_with(b"HOME=");
        if environment
            .iter()
            .any(|variable| is_home(variable) && variable.as_bytes().len() > 5)
        {
            return Ok(environment);
        }
        environment.retain(|variable| !is_home(variable));
        let home = match (&user.home, passwd) {
            (Some(home), _) => home.clone(),
            (None, Some(passwd)) => user::home(&passwd, user.uid),
            // A file that cannot be used has no home in it.
            (None, None) => user::home(&user::read_passwd().unwrap_or_default(), user.uid),
        };
        let home = CString::new(format!("HOME={home}"))
            .map_err(|_| Failure::sentence(Step::User, "the home directory holds a NUL byte"))?;
        environment.push(home);
        Ok(environment)
    }

    /// Puts the standard streams in place, and returns the terminal's master.
    fn attach_streams(
        &self,
        streams: Streams,
        terminal: Option<Terminal>,
        owner: u32,
    ) -> Result<Option<OwnedFd>, Failure> {
        let failed = |error: Errno| Failure::new(Step::Console, "attaching it", error);
        match (streams, terminal) {
            (Streams::Terminal, Some(terminal)) => {
                terminal
                    .attach(self.process.console_size, owner)
                    .map_err(failed)?;
                Ok(Some(terminal.master))
            }
            (Streams::Given([input, output, error]), None) => {
                for stream in [&input, &output, &error] {
                    give_to(stream.as_fd(), owner).map_err(failed)?;
                }
                rustix::stdio::dup2_stdin(&input).map_err(failed)?;
                rustix::stdio::dup2_stdout(&output).map_err(failed)?;
                rustix::stdio::dup2_stderr(&error).map_err(failed)?;
                Ok(None)
            }
            _ => Err(Failure::sentence(
                Step::Console,
                "process.terminal and the given streams contradict each other",
            )),
        }
    }

    /// Enters the working directory: as root first, and where that fails for
    /// want of permission (a network file system) as the user, as runc does.
    fn enter_working_directory(&self, entering: Entering) -> Result<(), Failure> {
        let directory = self.process.cwd.as_str();
        match rustix::process::chdir(directory) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM) if entering == Entering::AsRoot => return Ok(()),
            Err(error) => return Err(Failure::new(Step::WorkingDirectory, directory, error)),
        }
        if entering == Entering::AsRoot {
            return Ok(());
        }
        // A descriptor of the host's in /proc/self/fd would be a way out
        // (CVE-2024-21626): such a directory has no path in this root.
        let outside = || {
            Failure::sentence(
                Step::WorkingDirectory,
                "current working directory is outside of container mount namespace root -- \
                 possible container breakout detected",
            )
        };
        let here = rustix::process::getcwd(Vec::new()).map_err(|_| outside())?;
        if here.as_bytes().starts_with(b"/") {
            Ok(())
        } else {
            Err(outside())
        }
    }

    /// Takes on user, groups, capabilities and no_new_privs.
    fn take_on(&self, user: &user::Resolved) -> Result<(), Failure> {
        let identity =
            |what: &'static str| move |error: Errno| Failure::new(Step::Identity, what, error);
        let capability =
            |what: &'static str| move |error: Errno| Failure::new(Step::Capabilities, what, error);
        let process = &self.process;
        let mut sets = self.capabilities;
        if user.uid != 0 && matches!(self.identity, Identity::Named { .. }) {
            // What exec makes of them for anybody but root, as Docker has it.
            sets.effective = 0;
            sets.permitted = 0;
            sets.ambient = 0;
        }
        sets.limit_bounding()
            .map_err(capability("dropping capabilities from the bounding set"))?;
        rustix::thread::set_keep_capabilities(true)
            .map_err(capability("keeping capabilities over the change of user"))?;
        let groups: Vec<Gid> = user.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
        rustix::thread::set_thread_groups(&groups).map_err(identity("setting the groups"))?;
        let gid = Gid::from_raw(user.gid);
        rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(identity("setting the group"))?;
        let uid = Uid::from_raw(user.uid);
        rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(identity("setting the user"))?;
        let mask = process.user.umask.unwrap_or(0o022);
        rustix::process::umask(Mode::from_raw_mode(mask & 0o777));

        // Loading a filter takes CAP_SYS_ADMIN or no_new_privs. Exec computes
        // the sets anew from the bounding set and forgets this one, so that the
        // filter can come last and need not allow what comes before it.
        const SYS_ADMIN: u64 = 1 << 21;
        let extra = if self.filter.is_some() && !process.no_new_privileges {
            SYS_ADMIN
        } else {
            0
        };
        sets.apply(extra)
            .map_err(capability("setting capabilities"))?;
        rustix::thread::set_keep_capabilities(false)
            .map_err(capability("keeping capabilities over the change of user"))?;
        if process.no_new_privileges {
            rustix::thread::set_no_new_privs(true).map_err(capability("setting no_new_privs"))?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entering {
    AsRoot,
    AsUser,
}

/// Lets the program open its own streams anew through /proc/self/fd. Not
/// every stream has an owner to change, and the host's devices keep theirs.
fn give_to(stream: BorrowedFd<'_>, owner: u32) -> Result<(), Errno> {
    if owner == 0 {
        return Ok(());
    }
    let status = rustix::fs::fstat(stream)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    if status.st_uid == owner || matches!(kind, FileType::CharacterDevice | FileType::BlockDevice) {
        return Ok(());
    }
    match rustix::fs::fchown(stream, Some(Uid::from_raw(owner)), None) {
        Err(Errno::INVAL | Errno::PERM | Errno::ROFS) => Ok(()),
        result => result,
    }
}

/// Writes to a file of the calling process in the host's /proc: verified to be
/// a procfs, with nothing mounted on top on the way.
fn write_own(path: &std::ffi::CStr, value: &str) -> io::Result<()> {
    const PROC_SUPER_MAGIC: i64 = 0x9fa0;
    let proc = rustix::fs::open(
        "/proc",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    if rustix::fs::fstatfs(&proc)?.f_type != PROC_SUPER_MAGIC {
        return Err(io::Error::other("/proc is not a proc file system"));
    }
    write_below(proc.as_fd(), path, value)
}

/// Writes to a file below a procfs, with nothing mounted on top on the way.
pub(crate) fn write_below(
    proc: BorrowedFd<'_>,
    path: &std::ffi::CStr,
    value: &str,
) -> io::Result<()> {
    let file = rustix::fs::openat2(
        proc,
        path,
        OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS,
    )?;
    let written = rustix::io::write(&file, value.as_bytes())?;
    if written == value.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

fn apply_apparmor(profile: &str) -> Result<(), Failure> {
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|text| text.starts_with('Y'));
    if !enabled {
        if profile == "unconfined" {
            return Ok(());
        }
        return Err(Failure::sentence(
            Step::Label,
            format!("the AppArmor profile {profile} is asked for but the host has no AppArmor"),
        ));
    }
    let value = format!("exec {profile}");
    let result = match write_own(c"thread-self/attr/apparmor/exec", &value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_own(c"thread-self/attr/exec", &value)
        }
        result => result,
    };
    result.map_err(|error| Failure::new(Step::Label, profile, error))
}

fn scheduler_attributes(
    scheduler: &tare_oci::runtime::Scheduler,
) -> Result<SchedulerAttributes, Failure> {
    let mut flags = 0;
    for flag in &scheduler.flags {
        flags |= match flag.as_str() {
            "SCHED_FLAG_RESET_ON_FORK" => 0x01,
            "SCHED_FLAG_RECLAIM" => 0x02,
            "SCHED_FLAG_DL_OVERRUN" => 0x04,
            "SCHED_FLAG_KEEP_POLICY" => 0x08,
            "SCHED_FLAG_KEEP_PARAMS" => 0x10,
            "SCHED_FLAG_UTIL_CLAMP_MIN" => 0x20,
            "SCHED_FLAG_UTIL_CLAMP_MAX" => 0x40,
            other => {
                return Err(Failure::sentence(
                    Step::Scheduling,
                    format!("process.scheduler.flags: {other:?} is no flag"),
                ));
            }
        };
    }
    let mut attributes = SchedulerAttributes::default();
    attributes.policy = match scheduler.policy {
        SchedulerPolicy::SchedOther => 0,
        SchedulerPolicy::SchedFifo => 1,
        SchedulerPolicy::SchedRr => 2,
        SchedulerPolicy::SchedBatch => 3,
        SchedulerPolicy::SchedIso => 4,
        SchedulerPolicy::SchedIdle => 5,
        SchedulerPolicy::SchedDeadline => 6,
    };
    attributes.flags = flags;
    attributes.nice = scheduler.nice;
    attributes.priority = u32::try_from(scheduler.priority).unwrap_or(u32::MAX);
    attributes.runtime = scheduler.runtime;
    attributes.deadline = scheduler.deadline;
    attributes.period = scheduler.period;
    Ok(attributes)
}

/// Finds the program as execvp does, in the PATH of the program's own
/// environment and as the user that will run it.
fn find_program(name: &str, environment: &[String]) -> Result<CString, Failure> {
    let failed = |error: Errno| Failure::new(Step::FindProgram, name, error);
    let checked = |path: &str| -> Result<CString, Errno> {
        let status = rustix::fs::statat(CWD, path, AtFlags::empty())?;
        if FileType::from_raw_mode(status.st_mode) == FileType::Directory {
            return Err(Errno::ISDIR);
        }
        // Root may do everything but run what nobody may.
        if status.st_mode & 0o111 == 0 {
            return Err(Errno::ACCESS);
        }
        rustix::fs::accessat(CWD, path, rustix::fs::Access::EXEC_OK, AtFlags::EACCESS)?;
        CString::new(path).map_err(|_| Errno::INVAL)
    };
    if name.is_empty() {
        return Err(failed(Errno::NOENT));
    }
    if name.contains('/') {
        return checked(name).map_err(failed);
    }
    // The last one counts, as for Go's programs and unlike getenv.
    let path = environment
        .iter()
        .rev()
        .find_map(|variable| variable.strip_prefix("PATH="))
        .unwrap_or_default();
    let mut denied = None;
    for directory in path.split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        match checked(&format!("{directory}/{name}")) {
            Ok(program) => return Ok(program),
            Err(error @ Errno::ACCESS) => denied = Some(error),
            Err(_) => {}
        }
    }
    Err(failed(denied.unwrap_or(Errno::NOENT)))
}
