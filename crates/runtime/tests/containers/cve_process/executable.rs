//! The runtime's own executable, which a process is a copy of before it is
//! anything else.

use std::fs;

use super::bundle::{Bundle, said};
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    (
        "cve_process::a_script_run_by_the_runtime_itself_cve_2019_5736",
        script,
    ),
    (
        "cve_process::a_container_of_the_runtime_itself_cve_2019_5736",
        first_program,
    ),
    (
        "cve_process::an_executable_is_not_caught_on_its_way_in_cve_2019_5736",
        on_its_way,
    ),
];

/// Looks for a process that is not busybox, holds on to its file, ends it, and
/// writes to the file as soon as it does not run any more.
const CATCH: &str = r#"
    for process in /proc/[0-9]*; do
        command exec 9< $process/exe || continue
        case "$(readlink /proc/self/fd/9)" in
            ""|*/busybox) continue;;
        esac
        kill -9 ${process#/proc/}
        tries=0
        while [ $tries -lt 100 ]; do
            if ( echo overwritten > /proc/self/fd/9 ) 2>/tmp/why; then
                echo overwritten > /tmp/result
                exit
            fi
            grep -q busy /tmp/why || break
            tries=$((tries + 1))
            sleep 0.02
        done
        echo refused > /tmp/result
        exit
    done 2>/dev/null
"#;

/// A container whose first program attacks for as long as it runs.
fn attacker() -> Bundle {
    let bundle = Bundle::with_copy();
    let attack = format!("busybox mkfifo /tmp/log; while :; do {CATCH} done; sleep 1000");
    let attack = attack.replace("exit\n", "exec sleep 1000\n");
    let mut spec = bundle.sandbox.spec(&["sh", "-c", &attack]);
    // Then what enters has no capability for long that is not here, which alone
    // would keep it out of reach.
    spec.process.as_mut().expect("a process").no_new_privileges = true;
    bundle.configure(spec);
    bundle.start();
    bundle
}

fn result(bundle: &Bundle) -> String {
    said(&bundle.exec(&[], &["cat", "/tmp/result", "/tmp/why"]))
}

#[track_caller]
fn assert_unchanged(bundle: &Bundle) {
    let original = fs::read(env!("CARGO_BIN_EXE_tare-runtime")).expect("reads");
    assert!(
        fs::read(bundle.program()).expect("reads") == original,
        "the executable has been overwritten"
    );
}

fn script() {
    let bundle = attacker();
    // Its log is a FIFO that nobody reads: it runs until it has been caught.
    let path = bundle.sandbox.lower("bin/evil");
    fs::write(&path, "#!/proc/self/exe --log=/tmp/log\n").expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&path, mode).expect("executable");
    let output = bundle.exec(&[], &["/bin/evil"]);
    assert_eq!(
        output.status.code(),
        Some(137),
        "it was not caught: {output:?}"
    );
    assert_unchanged(&bundle);
    let result = result(&bundle);
    assert!(
        result.starts_with("refused") && result.contains("Read-only file system"),
        "{result}"
    );
}

fn first_program() {
    let bundle = Bundle::with_copy();
    let fifo = bundle.sandbox.lower("tmp/log");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a FIFO");
    bundle.configure(
        bundle
            .sandbox
            .spec(&["/proc/self/exe", "--log=/tmp/log", "list"]),
    );
    bundle.start();
    // It cannot be ended from inside, but without the protection it would be
    // busy, not read-only.
    let attack = "readlink /proc/1/exe; echo overwritten > /proc/1/exe";
    let said = said(&bundle.exec(&[], &["sh", "-c", attack]));
    assert!(said.contains("Read-only file system"), "{said}");
    assert!(!said.contains("busybox"), "{said}");
    assert_unchanged(&bundle);
}

fn on_its_way() {
    let bundle = attacker();
    for _ in 0..60 {
        let output = bundle.exec(&[], &["true"]);
        assert!(output.status.success(), "{output:?}");
    }
    assert_unchanged(&bundle);
    let result = result(&bundle);
    assert!(
        result.contains("can't open '/tmp/result'"),
        "caught: {result}"
    );
}
