//! `linux.seccomp`: what is wrong with a filter before it is compiled.

use tare_oci::runtime::{Seccomp, SeccompAction};

use super::{Context, Error, absolute};

pub(super) fn check(seccomp: &Seccomp, context: &Context<'_>) -> Result<(), Error> {
    let field = |rest: String| format!("linux.seccomp.{rest}");
    let listens = seccomp.listener_path.as_deref().unwrap_or_default();
    if seccomp.default_action == SeccompAction::Notify {
        // The listener's own descriptor could not be sent to anybody.
        return Err(Error::invalid(
            field("defaultAction".to_owned()),
            "cannot be SCMP_ACT_NOTIFY",
        ));
    }
    if !listens.is_empty() {
        absolute("linux.seccomp.listenerPath", listens)?;
    }
    for (index, syscall) in seccomp.syscalls.iter().enumerate() {
        if syscall.names.is_empty() {
            return Err(Error::invalid(
                field(format!("syscalls[{index}].names")),
                "is empty",
            ));
        }
        if syscall.action == SeccompAction::Notify && listens.is_empty() && !context.keeps_listener
        {
            return Err(Error::invalid(
                field(format!("syscalls[{index}].action")),
                "SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath",
            ));
        }
        for (position, argument) in syscall.args.iter().enumerate() {
            if argument.index > 5 {
                return Err(Error::invalid(
                    field(format!("syscalls[{index}].args[{position}].index")),
                    format!(
                        "{} is above 5, which is a call's last argument",
                        argument.index
                    ),
                ));
            }
        }
    }
    Ok(())
}
