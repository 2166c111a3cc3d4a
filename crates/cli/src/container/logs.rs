//! `tare logs`.

use tare_engine_api::stream::{MULTIPLEXED_STREAM, RAW_STREAM};

use super::session::stream_failure;
use super::start::inspect;
use crate::client::{Query, Request, percent_encoded};
use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::values::parse_duration;
use crate::grammar::{Arity, Command, Flag, Matches};
use crate::stream::{self, End};

/// The command.
pub(crate) const COMMAND: Command = Command {
    aliases: &["tare container logs", "tare logs"],
    usage: "[OPTIONS] CONTAINER",
    summary: "Show the output of a container",
    flags: &[&[
        Flag::switch("details", "Show the attributes that were added to the log"),
        Flag::switch("follow", "Go on showing what is written").short('f'),
        Flag::single(
            "since",
            "time",
            "Show what was written since this time (2013-01-02T13:23:37Z) or age (42m)",
        ),
        Flag::single(
            "tail",
            "number",
            "Show this many lines of the end (default all)",
        )
        .short('n'),
        Flag::switch("timestamps", "Show when each line was written").short('t'),
        Flag::single(
            "until",
            "time",
            "Show what was written before this time or age",
        ),
    ]],
    arity: Arity::Exactly(1),
    interspersed: true,
    run,
};

fn run(context: &Context, matches: &Matches<'_>) -> Result<u8, Failure> {
    let time = |flag: &str| {
        match matches.text(flag).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => moment(text, jiff::Timestamp::now()).map(Some).ok_or_else(|| {
            Failure::new(format!("invalid value for \"{flag}\": failed to parse value as time or duration: {text:?}"))
        }),
    }
    };
    let name = &matches.arguments[0];
    let path = Query::default()
        .set("stdout", "1")
        .set("stderr", "1")
        .set_some("since", time("since")?.as_deref())
        .set_some("until", time("until")?.as_deref())
        .set_if("timestamps", matches.switch("timestamps"))
        .set_if("follow", matches.switch("follow"))
        .set_if("details", matches.switch("details"))
        .set_some("tail", matches.text("tail"))
        .on(format_args!("/containers/{}/logs", percent_encoded(name)));
    let client = context.client()?;
    let response = client.send(&Request::get(path))?;
    let raw = match response.head.header("content-type") {
        Some(MULTIPLEXED_STREAM) => false,
        Some(RAW_STREAM) => true,
        // Engines before API 1.42 do not say.
        _ => inspect(client, name)?.config.tty,
    };
    match stream::copy(response.into_body(), raw).map_err(stream_failure)? {
        End::OutputClosed => Ok(128 + 13),
        _ => Ok(0),
    }
}

/// Seconds and nanoseconds of the epoch for a time, an age or such seconds.
fn moment(text: &str, now: jiff::Timestamp) -> Option<String> {
    let seconds = |timestamp: jiff::Timestamp| {
        format!(
            "{}.{:09}",
            timestamp.as_second(),
            timestamp.subsec_nanosecond().max(0)
        )
    };
    if let Ok(age) = parse_duration(text) {
        return now
            .checked_sub(jiff::SignedDuration::from_nanos(age))
            .ok()
            .map(seconds);
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(seconds(timestamp));
    }
    if let Ok(local) = text.parse::<jiff::civil::DateTime>() {
        return local
            .to_zoned(jiff::tz::TimeZone::system())
            .ok()
            .map(|zoned| seconds(zoned.timestamp()));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    (!whole.is_empty() && digits(whole) && digits(fraction)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
