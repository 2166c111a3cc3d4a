//! Further processes in running containers.
//!
//! An exec is made, started once, and can be inspected until its container is
//! removed or some minutes after its end. None of it outlives the engine but
//! the process itself, which the shim owns; like Docker's, an exec is forgotten
//! when the engine restarts.

mod table;

use tare_engine_api::{ExecConfig, ExecInspectResponse, ProcessConfig};
use tare_oci::runtime::{Capabilities, Process};
use tare_shim::client::{self, Attachment, ExecRequest};
use tare_shim::log::{Stream, frame_header};
use tare_shim::protocol::Target;

use crate::containers::{Attached, half, new_id, security, spec};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::shim::from_client;

pub(crate) use table::Execs;
use table::{Exec, Stage};

/// How to start an exec.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExecStartOptions {
    /// Do not attach.
    pub detach: bool,
    /// As at its making; a contradiction is refused.
    pub tty: bool,
    /// The terminal's first size: rows and columns.
    pub console_size: Option<[i64; 2]>,
}

impl Engine {
    /// Makes an exec in a running container and returns its ID.
    pub fn exec_create(&self, reference: &str, config: ExecConfig) -> Result<String> {
        if config.cmd.is_empty() {
            return Err(Error::invalid("No exec command specified"));
        }
        let container = self.inner.containers.find(reference)?;
        if !container.is_running() {
            return Err(Error::conflict(format!(
                "container {} is not running",
                container.id
            )));
        }
        let id = new_id()?;
        self.inner.execs.insert(&id, &container.id, config);
        Ok(id)
    }

    /// Starts an exec; without `detach`, attached.
    ///
    /// As in Docker, a program that cannot be executed is reported in the
    /// stream and by the exit code, not by a failure.
    pub async fn exec_start(
        &self,
        id: &str,
        options: ExecStartOptions,
    ) -> Result<Option<Attached>> {
        let exec = self.inner.execs.begin(id)?;
        match self.start_exec(id, &exec, options).await {
            Ok(attached) => Ok(attached),
            Err(error) => {
                self.inner.execs.ended(id, 126);
                Err(error)
            }
        }
    }

    async fn start_exec(
        &self,
        id: &str,
        exec: &Exec,
        options: ExecStartOptions,
    ) -> Result<Option<Attached>> {
        let container = self.inner.containers.find(&exec.container)?;
        let record = container.record();
        let shim = container.shim().ok_or_else(|| {
            Error::conflict(format!("container {} is not running", exec.container))
        })?;
        let config = &exec.config;
        let mut env = spec::environment(&record, config.tty);
        spec::merge(&mut env, &config.env);
        let user = if config.user.is_empty() {
            &record.config.user
        } else {
            &config.user
        };
        let cwd = [&config.working_dir, &record.config.working_dir]
            .into_iter()
            .find(|path| !path.is_empty());
        let process = Process {
            terminal: config.tty,
            user: spec::user(user, &record.host_config)?,
            args: config.cmd.clone(),
            env,
            cwd: cwd.map_or_else(|| "/".to_owned(), Clone::clone),
            capabilities: Some(capabilities(config, &record.host_config)?),
            rlimits: self.process_limits(&record.host_config)?,
            no_new_privileges: security::options(&record.host_config)?.no_new_privileges,
            ..Process::default()
        };
        let size = options
            .console_size
            .or(config.console_size)
            .filter(|size| *size != [0, 0]);
        let (attached, attachments) = if options.detach {
            (None, Vec::new())
        } else {
            let (stream, theirs) = half()?;
            let attachment = Attachment {
                stream: theirs,
                stdin: config.attach_stdin,
                stdout: config.attach_stdout,
                stderr: config.attach_stderr && !config.tty,
            };
            (
                Some(Attached {
                    terminal: config.tty,
                    stream,
                }),
                vec![attachment],
            )
        };
        let request = ExecRequest {
            exec_id: id.to_owned(),
            process,
            terminal: config.tty,
            size: size
                .map(|[height, width]| spec::terminal_size(height, width))
                .transpose()?,
            open_stdin: config.attach_stdin,
            attachments,
        };
        match shim.exec(request).await {
            Ok(started) => {
                self.inner.execs.started(id, i64::from(started.pid));
                Ok(attached)
            }
            Err(client::Error::Start(error)) => {
                // 128 says that a container was not created; the program of an
                // exec is missing (127) or cannot be run (126).
                let code = if error.exit_code == 127 { 127 } else { 126 };
                self.inner.execs.ended(id, code);
                let message = format!("OCI runtime exec failed: exec failed: {}", error.message);
                if options.detach {
                    return Err(Error::invalid(message));
                }
                Ok(Some(last_words(config.tty, &message)?))
            }
            Err(error) => Err(from_client(error)),
        }
    }

    /// Sets the size of an exec's terminal.
    pub async fn exec_resize(&self, id: &str, height: i64, width: i64) -> Result<()> {
        let exec = self.inner.execs.get(id)?;
        let size = spec::terminal_size(height, width)?;
        let shim = self
            .inner
            .containers
            .find(&exec.container)?
            .shim()
            .filter(|_| exec.stage == Stage::Running)
            .ok_or_else(|| Error::new(Kind::Conflict, format!("exec {id} is not running")))?;
        shim.resize(Target::Exec(id.to_owned()), size).await
    }

    /// The answer to `GET /exec/{id}/json`.
    pub fn exec_inspect(&self, id: &str) -> Result<ExecInspectResponse> {
        let mut exec = self.inner.execs.get(id)?;
        let container = self.inner.containers.get(&exec.container);
        if exec.stage == Stage::Running
            && let Some(shim) = container.and_then(|container| container.shim())
        {
            shim.note_ended_execs(&self.inner.execs);
            exec = self.inner.execs.get(id)?;
        }
        let config = exec.config;
        let mut words = config.cmd.into_iter();
        Ok(ExecInspectResponse {
            id: id.to_owned(),
            running: exec.stage == Stage::Running,
            exit_code: exec.exit_code,
            process_config: ProcessConfig {
                tty: config.tty,
                entrypoint: words.next().unwrap_or_default(),
                arguments: words.collect(),
                privileged: Some(config.privileged),
                user: config.user,
            },
            open_stdin: config.attach_stdin,
            open_stderr: config.attach_stderr,
            open_stdout: config.attach_stdout,
            can_remove: false,
            container_id: exec.container,
            detach_keys: config.detach_keys,
            pid: exec.pid,
        })
    }
}

/// A privileged exec has every capability, any other the container's.
fn capabilities(config: &ExecConfig, host: &tare_engine_api::HostConfig) -> Result<Capabilities> {
    if !config.privileged {
        return security::capabilities(host);
    }
    security::capabilities(&tare_engine_api::HostConfig {
        privileged: true,
        ..Default::default()
    })
}

/// A stream that says one line and ends.
fn last_words(terminal: bool, message: &str) -> Result<Attached> {
    let (stream, theirs) = half()?;
    let line = format!("{message}\r\n");
    let mut bytes = Vec::with_capacity(line.len() + 8);
    if !terminal {
        bytes.extend_from_slice(&frame_header(Stream::Stdout, line.len()));
    }
    bytes.extend_from_slice(line.as_bytes());
    std::io::Write::write_all(&mut std::os::unix::net::UnixStream::from(theirs), &bytes)?;
    Ok(Attached { terminal, stream })
}
