//! `hooks`.

use tare_oci::runtime::Hooks;

use super::process::check_variable;
use super::{Error, absolute, text};

pub(super) fn check(hooks: &Hooks) -> Result<(), Error> {
    for (point, list) in [
        ("prestart", &hooks.prestart),
        ("createRuntime", &hooks.create_runtime),
        ("createContainer", &hooks.create_container),
        ("startContainer", &hooks.start_container),
        ("poststart", &hooks.poststart),
        ("poststop", &hooks.poststop),
    ] {
        for (index, hook) in list.iter().enumerate() {
            let field = |name: &str| format!("hooks.{point}[{index}].{name}");
            absolute(&field("path"), &hook.path)?;
            for (position, argument) in hook.args.iter().enumerate() {
                text(&field(&format!("args[{position}]")), argument)?;
            }
            for (position, variable) in hook.env.iter().enumerate() {
                check_variable(|| field(&format!("env[{position}]")), variable)?;
            }
            if let Some(timeout) = hook.timeout
                && timeout <= 0
            {
                let reason = format!("{timeout} is not greater than zero");
                return Err(Error::invalid(field("timeout"), reason));
            }
        }
    }
    Ok(())
}
