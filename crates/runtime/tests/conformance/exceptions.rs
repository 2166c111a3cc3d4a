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
    (
        "races::a_container_that_is_being_created_is_not_deleted",
        "it deletes one",
    ),
    (
        "races::nobody_else_can_start_a_container",
        "everybody may write to the pipe that its containers wait at",
    ),
    (
        "scheduling::policy_and_nice_are_set",
        "it does not know scheduler",
    ),
    (
        "scheduling::the_idle_policy_is_set",
        "it does not know scheduler",
    ),
    (
        "scheduling::an_unknown_policy_is_an_error",
        "it does not know scheduler",
    ),
    (
        "scheduling::an_unknown_flag_is_an_error",
        "it does not know scheduler",
    ),
    (
        "scheduling::io_priority_is_set",
        "it does not know ioPriority",
    ),
    (
        "scheduling::an_unknown_io_class_is_an_error",
        "it does not know ioPriority",
    ),
    (
        "scheduling::an_io_priority_out_of_range_is_an_error",
        "it does not know ioPriority",
    ),
    (
        "scheduling::exec_has_its_final_affinity",
        "it does not know execCPUAffinity",
    ),
    (
        "scheduling::a_malformed_affinity_is_an_error",
        "it does not know execCPUAffinity",
    ),
    (
        "names::domainname_is_seen_inside_and_only_there",
        "it does not know domainname",
    ),
    (
        "names::domainname_without_a_namespace_does_not_change_the_hosts",
        "it does not know domainname",
    ),
    ("rlimits::duplicates_are_an_error", "it accepts duplicates"),
    (
        "devices::an_existing_file_that_does_not_match_is_an_error",
        "it takes whatever is there",
    ),
    (
        "devices::one_without_numbers_is_an_error",
        "it makes a device 0:0",
    ),
    (
        "mount_options::that_change_nothing_are_accepted",
        "it passes `defaults` to the file system",
    ),
    (
        "mounts::idmap_shows_files_under_mapped_owners",
        "it does not know idmapped mounts",
    ),
    (
        "mounts::idmap_without_any_mapping_is_an_error",
        "it does not know idmapped mounts",
    ),
    (
        "mounts::one_mapping_without_the_other_is_an_error",
        "it does not know idmapped mounts",
    ),
    (
        "namespaces::a_new_time_namespace_is_new",
        "it does not know time namespaces",
    ),
    (
        "namespaces::a_time_namespace_with_a_path_is_joined",
        "it does not know time namespaces",
    ),
    (
        "mappings::without_a_namespace_are_an_error",
        "it ignores them",
    ),
    (
        "hooks::a_timeout_that_is_not_positive_is_an_error",
        "it takes 0 for no timeout",
    ),
    (
        "namespaces::a_user_namespace_with_a_path_is_joined",
        "it wants mappings for it",
    ),
    (
        "propagation::shared_is_a_peer_group_of_its_own",
        "it leaves the root private",
    ),
    (
        "propagation::slave_receives_mounts_of_the_host",
        "it does so for rslave only",
    ),
    (
        "propagation::unbindable_cannot_be_bound",
        "it cannot bind such a root itself",
    ),
    (
        "device_rules::an_unknown_access_is_an_error",
        "it accepts any letters",
    ),
    (
        "extensibility::an_annotation_without_a_key_is_an_error",
        "it accepts an empty key",
    ),
    (
        "paths::masked_paths_must_be_absolute",
        "it takes them as relative to the root",
    ),
    (
        "paths::readonly_paths_must_be_absolute",
        "it takes them as relative to the root",
    ),
    (
        "personality::a_domain_is_set",
        "it does not know personality",
    ),
    (
        "personality::an_unknown_domain_is_an_error",
        "it does not know personality",
    ),
    (
        "personality::flags_are_an_error",
        "it does not know personality",
    ),
    (
        "time::offsets_move_the_clocks",
        "it does not know time namespaces",
    ),
    (
        "time::exec_has_the_same_clocks",
        "it does not know time namespaces",
    ),
    (
        "time::offsets_without_a_namespace_are_an_error",
        "it does not know time namespaces",
    ),
    ("resources::cpu_burst_is_set", "it does not know burst"),
    ("resources::cpu_idle_is_set", "it does not know idle"),
    ("seccomp::flags_are_accepted", "it does not know flags"),
    (
        "seccomp::an_errno_for_an_action_without_one_is_an_error",
        "it ignores the errno",
    ),
    (
        "seccomp::a_rule_without_names_is_an_error",
        "it ignores the rule",
    ),
    (
        "seccomp_notify::metadata_without_a_path_is_an_error",
        "it ignores the metadata",
    ),
    (
        "version::what_is_not_semver_is_an_error",
        "it does not look at the version",
    ),
    (
        "version::another_major_version_is_an_error",
        "it does not look at the version",
    ),
    ("version::it_is_required", "it does not look at the version"),
    (
        "bad_input::empty_and_other_documents_are_an_error",
        "`null` makes it panic",
    ),
    (
        "bad_input::nul_characters_are_an_error",
        "it passes what is before them",
    ),
    (
        "killed::create_at_any_time_leaves_what_delete_removes",
        "it leaves control groups",
    ),
    (
        "races::of_two_creators_of_one_id_one_wins",
        "the loser removes the groups of the winner",
    ),
    (
        "user_namespaces::sys_of_the_hosts_network_is_the_hosts",
        "it mounts a sysfs of the container's own or none",
    ),
    (
        "user_namespaces::another_containers_namespaces_are_joined_together",
        "it wants mappings also for a user namespace that is joined",
    ),
    (
        "user_namespaces::another_containers_user_namespace_alone_is_joined",
        "it wants mappings also for a user namespace that is joined",
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
