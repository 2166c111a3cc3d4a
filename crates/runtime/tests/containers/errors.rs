//! What cannot run is refused in Docker's words, and leaves nothing behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tare_oci::runtime::{Mount, Namespace, NamespaceKind, ResourceLimit, Spec};
use tare_runtime::{Container, Error, Identity, Stdio};

use crate::harness::Test;
use crate::sandbox::Sandbox;

pub(crate) const TESTS: &[Test] = &[
    ("errors::programs_that_cannot_run", programs),
    ("errors::configurations_that_cannot_be", configurations),
    ("errors::streams_and_terminal_must_agree", streams),
    ("errors::a_container_dies_with_its_creator", creator_dies),
    (
        "errors::a_started_container_is_not_started_again",
        started_twice,
    ),
];

fn refused(sandbox: &Sandbox, spec: &Spec) -> Error {
    let error = match sandbox.start(spec, Identity::Configured) {
        Ok(running) => {
            let outcome = running.stop();
            panic!("runs: {outcome:?}");
        }
        Err(error) => error,
    };
    assert!(
        !sandbox.has_cgroups(),
        "control groups are left after: {error}"
    );
    error
}

fn programs() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.lower("bin/plain"), "no program").expect("file");
    fs::write(sandbox.lower("bin/garbage"), "\x01\x02").expect("file");
    fs::set_permissions(
        sandbox.lower("bin/garbage"),
        PermissionsExt::from_mode(0o755),
    )
    .expect("mode");
    fs::write(sandbox.lower("bin/orphan"), "#!/no/interpreter\n").expect("file");
    fs::set_permissions(
        sandbox.lower("bin/orphan"),
        PermissionsExt::from_mode(0o755),
    )
    .expect("mode");
    for (program, code, text) in [
        (
            "nosuch",
            127,
            "exec: \"nosuch\": executable file not found in $PATH",
        ),
        ("", 127, "exec: \"\": executable file not found in $PATH"),
        (
            "/no/such",
            127,
            "exec: \"/no/such\": stat /no/such: no such file or directory",
        ),
        ("/bin/plain", 126, "exec: \"/bin/plain\": permission denied"),
        ("plain", 126, "exec: \"plain\": permission denied"),
        (
            "/etc",
            126,
            "exec: \"/etc\": is a directory: permission denied",
        ),
        (
            "/etc/passwd/x",
            126,
            "exec: \"/etc/passwd/x\": not a directory",
        ),
        ("garbage", 126, "exec /bin/garbage: exec format error"),
        ("orphan", 127, "exec /bin/orphan: no such file or directory"),
    ] {
        let error = refused(&sandbox, &sandbox.spec(&[program]));
        assert_eq!(
            (error.exit_code(), error.to_string().as_str()),
            (code, text),
            "{program:?}"
        );
    }
    let mut spec = sandbox.spec(&["true"]);
    if let Some(process) = &mut spec.process {
        process.cwd = "/etc/passwd".to_owned();
    }
    let error = refused(&sandbox, &spec);
    assert_eq!(
        (error.exit_code(), error.to_string().as_str()),
        (
            126,
            "chdir to cwd (\"/etc/passwd\") set in config.json failed: not a directory"
        )
    );
}

fn configurations() {
    let sandbox = Sandbox::new();
    let with = |change: &dyn Fn(&mut Spec)| {
        let mut spec = sandbox.spec(&["true"]);
        change(&mut spec);
        refused(&sandbox, &spec).to_string()
    };
    let limit = |kind: &str, soft, hard| {
        let kind = kind.to_owned();
        with(&move |spec| {
            if let Some(process) = &mut spec.process {
                process.rlimits = vec![ResourceLimit {
                    kind: kind.clone(),
                    soft,
                    hard,
                }];
            }
        })
    };
    let mount = |kind: &str, source: &str, destination: &str| {
        let mount = Mount {
            destination: destination.to_owned(),
            kind: Some(kind.to_owned()),
            source: Some(source.to_owned()),
            ..Mount::default()
        };
        with(&move |spec| spec.mounts.push(mount.clone()))
    };
    let cases = [
        (
            limit("RLIMIT_MOON", 1, 1),
            "process.rlimits[0].type: RLIMIT_MOON: no such limit",
        ),
        (
            limit("RLIMIT_NOFILE", 2, 1),
            "process.rlimits[0].soft: RLIMIT_NOFILE: the soft limit 2 is above the hard limit 1",
        ),
        (
            mount("bind", "/no/such/source", "/x"),
            "error mounting \"/no/such/source\" to rootfs at \"/x\": no such file or directory",
        ),
        (
            mount("nosuchfs", "none", "/x"),
            "error mounting \"none\" to rootfs at \"/x\": no such device",
        ),
        (
            mount("tmpfs", "tmpfs", "/etc/passwd"),
            "error mounting \"tmpfs\" to rootfs at \"/etc/passwd\": not a directory",
        ),
        (with(&|spec| spec.process = None), "process: is missing"),
        (
            with(&|spec| spec.process.as_mut().expect("a process").args.clear()),
            "process.args: must not be empty",
        ),
        (
            with(&|spec| spec.process.as_mut().expect("a process").cwd = "relative".to_owned()),
            "process.cwd: \"relative\" is not an absolute path",
        ),
        (
            with(&|spec| spec.process.as_mut().expect("a process").args[0] = "a\0b".to_owned()),
            "process.args[0]: holds a NUL byte",
        ),
        (
            with(&|spec| {
                let linux = spec.linux.as_mut().expect("linux");
                linux.cgroups_path = Some("/../escape".to_owned());
            }),
            "linux.cgroupsPath \"/../escape\": must not lead upwards",
        ),
        (
            with(&|spec| {
                let linux = spec.linux.as_mut().expect("linux");
                linux.namespaces.push(Namespace {
                    kind: NamespaceKind::User,
                    path: None,
                });
            }),
            "linux.uidMappings: is needed for a new user namespace",
        ),
        (
            with(&|spec| {
                let linux = spec.linux.as_mut().expect("linux");
                linux.resources.get_or_insert_default().memory = Some(tare_oci::runtime::Memory {
                    limit: Some(-5),
                    ..Default::default()
                });
            }),
            "linux.resources.memory.limit: must be -1 or not negative",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    // Without CAP_SYS_RESOURCE a hard limit cannot be raised; with it, it can.
    let can_raise = tare_runtime::capability::available()
        .expect("capabilities")
        .contains(&"CAP_SYS_RESOURCE");
    if !can_raise {
        let error = limit("RLIMIT_NOFILE", 1 << 30, 1 << 30);
        assert!(
            error.contains("raising it needs CAP_SYS_RESOURCE"),
            "{error}"
        );
    }
}

fn streams() {
    let sandbox = Sandbox::new();
    let spec = sandbox.spec(&["true"]);
    let error = Container::builder(&sandbox.id, &spec)
        .rootfs(sandbox.rootfs())
        .stdio(Stdio::Terminal)
        .create()
        .expect_err("no terminal is configured");
    assert!(error.to_string().contains("contradict"), "{error}");
}

fn creator_dies() {
    let sandbox = Sandbox::new();
    let proof = tare_sys::SingleThreaded::verify().expect("one thread");
    let kinds = tare_sys::namespace::Kinds::NONE;
    let (stdio, output) = crate::sandbox::pipes();
    let child = tare_sys::clone::clone_process(proof, kinds, None).expect("clones");
    let Some(child) = child else {
        let spec = sandbox.spec(&["sh", "-c", "echo started"]);
        let created = Container::builder(&sandbox.id, &spec)
            .rootfs(sandbox.rootfs())
            .stdio(stdio)
            .create();
        // Dies with a container that waits for its start.
        tare_sys::clone::exit_immediately(created.is_err().into());
    };
    drop(stdio);
    assert_eq!(crate::sandbox::wait(&child.pidfd), 0);
    // The container's end of the pipe closes when it has ended as well.
    let text = std::io::read_to_string(fs::File::from(output)).expect("output");
    assert_eq!(text, "");
    let path = format!("/{}", sandbox.group());
    let cgroup = tare_runtime::cgroup::Cgroup::open(&path).expect("groups");
    cgroup.remove().expect("nothing runs in them");
    cgroup.remove().expect("removing twice is fine");
}

fn started_twice() {
    let sandbox = Sandbox::new();
    let mut running = sandbox
        .start(&sandbox.spec(&["sleep", "100"]), Identity::Configured)
        .expect("starts");
    running.container.start().expect("does nothing");
    // A second container cannot take the first one's control groups.
    let error = match sandbox.start(&sandbox.spec(&["true"]), Identity::Configured) {
        Ok(_) => panic!("runs"),
        Err(error) => error,
    };
    assert!(
        matches!(error, Error::Cgroup(tare_runtime::cgroup::Error::InUse(_))),
        "{error}"
    );
    assert!(sandbox.has_cgroups(), "the first container keeps its own");
    assert_eq!(running.stop().code, 137);
}
