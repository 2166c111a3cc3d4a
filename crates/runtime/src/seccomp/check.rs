//! What a configuration may ask for.

use tare_oci::runtime::{Seccomp, SeccompAction, SeccompFlag};
use tare_sys::seccomp::Flags;

use super::Error;
use super::compile::{ERRNO, KILL_THREAD};

const EPERM: u32 = 1;
/// No errno is above it; the kernel makes greater ones of it.
const MAXIMUM_ERRNO: u32 = 4095;

const KILL_PROCESS: u32 = 0x8000_0000;
const TRAP: u32 = 0x0003_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

/// Whether a listener is asked for.
pub(super) fn notifies(configuration: &Seccomp) -> bool {
    configuration
        .syscalls
        .iter()
        .any(|syscall| syscall.action == SeccompAction::Notify)
}

/// Refuses what cannot be, and what the specification forbids.
pub(super) fn check(configuration: &Seccomp) -> Result<(), Error> {
    if configuration.default_action == SeccompAction::Notify {
        return Err(Error::NotifyByDefault);
    }
    check_errno(
        "defaultErrnoRet",
        configuration.default_action,
        configuration.default_errno_ret,
    )?;
    for (position, syscall) in configuration.syscalls.iter().enumerate() {
        if syscall.names.is_empty() || syscall.names.iter().any(String::is_empty) {
            return Err(Error::Name { rule: position });
        }
        if syscall.action == SeccompAction::Notify && syscall.names.iter().any(|n| n == "write") {
            return Err(Error::NotifyOnWrite { rule: position });
        }
        if let Some(argument) = syscall.args.iter().find(|argument| argument.index > 5) {
            return Err(Error::ArgumentIndex {
                rule: position,
                index: argument.index,
            });
        }
        if syscall.errno_ret.is_some() {
            let field = format!("syscalls[{position}].errnoRet");
            check_errno(&field, syscall.action, syscall.errno_ret)?;
        }
    }
    Ok(())
}

/// "When the action doesn't support an errno, the runtime MUST print and
/// error and fail" (config-linux.md).
fn check_errno(field: &str, action: SeccompAction, errno: Option<u32>) -> Result<(), Error> {
    let Some(errno) = errno else {
        return Ok(());
    };
    let most = match action {
        SeccompAction::Errno => MAXIMUM_ERRNO,
        // A number for the tracer, which gets 16 bits.
        SeccompAction::Trace => 0xffff,
        _ => {
            return Err(Error::ErrnoNotTaken {
                field: field.to_owned(),
                action,
            });
        }
    };
    if errno > most {
        return Err(Error::ErrnoTooGreat {
            field: field.to_owned(),
            errno,
            most,
        });
    }
    Ok(())
}

/// The kernel's number for an action.
pub(super) fn verdict(action: SeccompAction, data: Option<u32>) -> u32 {
    let data = data.unwrap_or(EPERM);
    match action {
        SeccompAction::KillThread => KILL_THREAD,
        SeccompAction::KillProcess => KILL_PROCESS,
        SeccompAction::Trap => TRAP,
        SeccompAction::Errno => ERRNO | data,
        SeccompAction::Trace => TRACE | data,
        SeccompAction::Log => LOG,
        SeccompAction::Allow => ALLOW,
        SeccompAction::Notify => NOTIFY,
    }
}

/// Whether calls that nobody has heard of yet go on: a tracer can be newer
/// than the rules.
pub(super) fn is_permissive(action: SeccompAction) -> bool {
    matches!(
        action,
        SeccompAction::Allow | SeccompAction::Log | SeccompAction::Trace
    )
}

/// The flags to load the filter with.
pub(super) fn flags(configuration: &Seccomp) -> Result<Flags, Error> {
    let notifies = notifies(configuration);
    // As runc: without a word about flags, no mitigation that costs every
    // program speed only because it is filtered.
    let mut bits = match configuration.flags.as_deref() {
        None => Flags::SPEC_ALLOW,
        Some(flags) => flags.iter().fold(0, |bits, flag| bits | bit(*flag)),
    };
    if bits & Flags::WAIT_KILLABLE_RECEIVE != 0 && !notifies {
        return Err(Error::WaitWithoutNotify);
    }
    if notifies {
        bits |= Flags::NEW_LISTENER;
        // The call returns the listener or the thread that is out of step; the
        // kernel takes both flags only when told which.
        if bits & Flags::THREAD_SYNC != 0 {
            bits |= Flags::THREAD_SYNC_FAILS;
        }
    }
    Ok(Flags(bits))
}

fn bit(flag: SeccompFlag) -> u32 {
    match flag {
        SeccompFlag::ThreadSync => Flags::THREAD_SYNC,
        SeccompFlag::Log => Flags::LOG,
        SeccompFlag::SpecAllow => Flags::SPEC_ALLOW,
        SeccompFlag::WaitKillableReceive => Flags::WAIT_KILLABLE_RECEIVE,
    }
}
