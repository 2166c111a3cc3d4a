//! The tests that do not apply to a runtime other than this project's.

use std::path::Path;
use std::process::Command;

use crate::harness::Exception;

/// What runc 1.1.5 does not do, or does against the specification.
const NOT_RUNC: &[Exception] = &[
    (
        "delete::of_a_created_container_is_an_error_without_effect",
        "it kills and deletes a created container",
    ),
    (
        "delete::keeps_a_control_group_that_was_there_before",
        "it removes the group that it is given",
    ),
    (
        "hook_failures::of_start_container_fail_start_and_the_program_does_not_run",
        "its start returns before the hooks run",
    ),
    (
        "hook_failures::of_poststart_fail_start_and_stop_the_container",
        "it runs poststart hooks in create",
    ),
    (
        "hook_failures::of_poststop_only_warn_and_the_others_run",
        "a failing poststop hook keeps the others from running",
    ),
    (
        "hooks::of_poststart_run_after_the_program_started_before_start_returns",
        "it runs poststart hooks in create",
    ),
    (
        "hooks::of_poststart_read_the_state_from_standard_input",
        "it runs poststart hooks in create",
    ),
    (
        "hooks::a_relative_path_is_an_error",
        "it does not look at paths of hooks",
    ),
];

/// The exceptions for a runtime.
pub(crate) fn of(program: &Path) -> &'static [Exception] {
    let version = Command::new(program)
        .arg("--version")
        .output()
        .expect("the runtime can be executed");
    if String::from_utf8_lossy(&version.stdout).starts_with("runc version") {
        NOT_RUNC
    } else {
        &[]
    }
}
