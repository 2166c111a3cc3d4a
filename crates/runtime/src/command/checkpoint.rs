//! `checkpoint`: writes a running container to files, by criu.

use std::process::ExitCode;

use super::criu::{
    AUTO_DEDUP, Criu, DESCRIPTORS, EMPTY_NS, EXT_UNIX, FILE_LOCKS, IMAGE_PATH, LAZY,
    MANAGE_CGROUPS, SHELL_JOB, TCP, WORK_PATH, external_mounts, image_directory,
};
use super::delete::remove;
use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error, Globals};
use crate::state::Status;

pub(super) const VERB: Verb = Verb {
    name: "checkpoint",
    arguments: "<container-id>",
    about: "write a running container to files and end it (needs criu)",
    flags: &[
        IMAGE_PATH,
        WORK_PATH,
        Flag::value(
            "parent-path",
            "DIR",
            "an earlier checkpoint, relative to this one",
        ),
        Flag::switch("leave-running", "do not end the container"),
        TCP,
        EXT_UNIX,
        SHELL_JOB,
        LAZY,
        Flag::value(
            "status-fd",
            "FD",
            "where criu says that lazy pages may be asked for",
        ),
        Flag::value("page-server", "ADDRESS:PORT", "where the memory is sent"),
        FILE_LOCKS,
        Flag::switch(
            "pre-dump",
            "memory only, for a later checkpoint that names this one",
        ),
        MANAGE_CGROUPS,
        EMPTY_NS,
        AUTO_DEDUP,
    ],
    count: Count::Exactly(1),
    has_command: false,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    let status = entry.status(&state)?;
    if !matches!(status, Status::Running | Status::Paused) {
        return Err(Error::State(format!(
            "Container cannot be checkpointed in {} state",
            status.as_str()
        )));
    }
    let spec = entry.read_config()?;
    let images = image_directory(parsed);
    std::fs::create_dir_all(&images).map_err(|source| Error::io("making", &images, source))?;
    let is_first_pass = parsed.has("pre-dump");
    let action = if is_first_pass { "pre-dump" } else { "dump" };
    let mut criu = Criu::new(globals, parsed, action)?;
    let pid = state.saved.pid;
    criu.argument("--tree")
        .argument(pid.to_string())
        .argument("--root")
        .argument(format!("/proc/{pid}/root"));
    let cgroup = state.saved.cgroup()?;
    if let Some(group) = cgroup.freezer_directory() {
        criu.argument("--freeze-cgroup").argument(group);
    }
    if is_first_pass {
        criu.argument("--track-mem");
    } else {
        let root = std::path::PathBuf::from(format!("/proc/{pid}/root"));
        for (place, _) in external_mounts(&spec, Some(&root), &cgroup) {
            criu.external_mount(&place, &place);
        }
        if parsed.has("leave-running") {
            criu.argument("--leave-running");
        }
    }
    if let Some(parent) = parsed.value("parent-path") {
        criu.argument("--prev-images-dir")
            .argument(parent)
            .argument("--track-mem");
    }
    if let Some(server) = parsed.value("page-server") {
        let (address, port) = server.rsplit_once(':').ok_or_else(|| {
            Error::Usage("use --page-server ADDRESS:PORT to specify the page server".to_owned())
        })?;
        criu.argument("--page-server")
            .argument("--address")
            .argument(address)
            .argument("--port")
            .argument(port);
    }
    if let Some(number) = parsed.value("status-fd") {
        criu.argument("--status-fd").argument(number);
    }
    // For the way back: which streams led to pipes of the outside.
    let descriptors: Vec<String> = (0..3)
        .map(|number| {
            let link = std::fs::read_link(format!("/proc/{pid}/fd/{number}"));
            link.map_or_else(|_| String::new(), |path| path.display().to_string())
        })
        .collect();
    criu.run()?;
    if is_first_pass {
        return Ok(ExitCode::SUCCESS);
    }
    let path = images.join(DESCRIPTORS);
    std::fs::write(&path, serde_json::to_vec(&descriptors).unwrap_or_default())
        .map_err(|source| Error::io("writing", &path, source))?;
    if !parsed.has("leave-running") {
        remove(globals, &entry, &state)?;
    }
    Ok(ExitCode::SUCCESS)
}
