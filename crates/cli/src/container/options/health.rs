//! The health check.

use tare_engine_api::HealthConfig;

use super::OptionError;
use crate::grammar::Matches;

pub(super) fn parse(matches: &Matches<'_>) -> Result<Option<HealthConfig>, OptionError> {
    let number = |flag: &str| match matches.number(flag).unwrap_or_default() {
        negative if negative < 0 => Err(OptionError(format!("--{flag} cannot be negative"))),
        number => Ok(number),
    };
    let command = matches.text_or_empty("health-cmd");
    let given = [
        "health-interval",
        "health-timeout",
        "health-start-period",
        "health-start-interval",
        "health-retries",
    ]
    .iter()
    .any(|flag| matches.number(flag).unwrap_or_default() != 0);
    if matches.switch("no-healthcheck") {
        if given || !command.is_empty() {
            return Err(OptionError::new(
                "--no-healthcheck conflicts with --health-* options",
            ));
        }
        return Ok(Some(HealthConfig {
            test: vec!["NONE".to_owned()],
            ..HealthConfig::default()
        }));
    }
    if !given && command.is_empty() {
        return Ok(None);
    }
    Ok(Some(HealthConfig {
        test: if command.is_empty() {
            Vec::new()
        } else {
            vec!["CMD-SHELL".to_owned(), command]
        },
        interval: number("health-interval")?,
        timeout: number("health-timeout")?,
        start_period: number("health-start-period")?,
        start_interval: number("health-start-interval")?,
        retries: number("health-retries")?,
    }))
}
