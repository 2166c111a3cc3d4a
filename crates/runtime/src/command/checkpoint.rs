//! `checkpoint`: writes a running container to files, by criu.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tare_oci::runtime::Spec;

use super::criu::{
    AUTO_DEDUP, Criu, DESCRIPTORS, EMPTY_NS, EXT_UNIX, FILE_LOCKS, IMAGE_PATH, LAZY,
    MANAGE_CGROUPS, SHELL_JOB, TCP, WORK_PATH, check_privilege, external_mounts, image_directory,
};
use super::delete::remove;
use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error, Globals};
use crate::state::{State, Status};

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
    check_privilege()?;
    let spec = entry.read_config()?;
    if spec
        .process
        .as_ref()
        .is_some_and(|process| process.terminal)
    {
        return Err(Error::State(
            "Container cannot be checkpointed with process.terminal: nobody would have the other \
             end of the restored terminal"
                .to_owned(),
        ));
    }
    let images = image_directory(parsed);
    let is_new = !images.exists();
    std::fs::create_dir_all(&images).map_err(|source| Error::io("making", &images, source))?;
    let dumped = dump(globals, parsed, &state, &spec, &images);
    if dumped.is_err() {
        if is_new {
            // With criu's log in it, it stays.
            let _ = std::fs::remove_dir(&images);
        }
        if status == Status::Running {
            // A criu that was killed leaves the container frozen.
            let _ = state.saved.cgroup()?.thaw();
        }
    }
    dumped?;
    if !parsed.has("pre-dump") && !parsed.has("leave-running") {
        remove(globals, &entry, &state)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn dump(
    globals: &Globals,
    parsed: &Parsed,
    state: &State,
    spec: &Spec,
    images: &Path,
) -> Result<(), Error> {
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
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        for (place, _) in external_mounts(spec, Some(&root), &cgroup) {
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
    let descriptors = streams(pid);
    for stream in &descriptors {
        if stream.starts_with("file[") {
            criu.argument("--external").argument(stream);
        }
    }
    criu.run()?;
    if is_first_pass {
        return Ok(());
    }
    let path = images.join(DESCRIPTORS);
    std::fs::write(&path, serde_json::to_vec(&descriptors).unwrap_or_default())
        .map_err(|source| Error::io("writing", &path, source))
}

/// For the way back: where the first process's standard streams led. A pipe,
/// and a file that is not on a mount of the container's, is the outside's, and
/// has criu's name for it; others have their paths.
fn streams(pid: i32) -> Vec<String> {
    let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
    let is_inside = |mount: u64| {
        mounts.lines().any(|line| {
            let number = line.split(' ').next();
            number.and_then(|number| number.parse().ok()) == Some(mount)
        })
    };
    let name = |number: i32| {
        let path = format!("/proc/{pid}/fd/{number}");
        let link = std::fs::read_link(&path).ok()?.display().to_string();
        let metadata = std::fs::metadata(&path).ok()?;
        let info = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
        let mount = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
        let mount = mount.trim().parse().ok()?;
        if metadata.is_file() && !is_inside(mount) {
            return Some(format!("file[{mount:x}:{:x}]", metadata.ino()));
        }
        Some(link)
    };
    (0..3)
        .map(|number| name(number).unwrap_or_default())
        .collect()
}
