//! The tree of commands, and finding the one that is asked for.

use crate::grammar::{Command, Flag, command_lines, flag_lines};
use crate::{container, image, inspect, network, system};

/// A name and its command.
pub(crate) type Entry = (&'static str, &'static Command);

/// What people use every day.
pub(crate) const COMMON: &[Entry] = &[
    ("run", &container::run::COMMAND),
    ("exec", &container::exec::COMMAND),
    ("ps", &container::list::COMMAND),
    ("logs", &container::logs::COMMAND),
    ("stop", &container::stop::COMMAND),
    ("rm", &container::remove::COMMAND),
    ("pull", &image::pull::COMMAND),
    ("images", &image::list::COMMAND),
    ("rmi", &image::remove::COMMAND),
];

/// The other commands without a noun.
pub(crate) const OTHER: &[Entry] = &[
    ("attach", &container::attach::COMMAND),
    ("create", &container::create::COMMAND),
    ("info", &system::info::COMMAND),
    ("inspect", &inspect::COMMAND),
    ("kill", &container::kill::COMMAND),
    ("load", &image::load::COMMAND),
    ("start", &container::start::COMMAND),
    ("version", &system::version::COMMAND),
    ("wait", &container::wait::COMMAND),
];

/// A noun with its verbs.
pub(crate) struct Noun {
    /// The word.
    pub(crate) name: &'static str,
    /// What its verbs do.
    pub(crate) summary: &'static str,
    /// The verbs that the help page lists.
    pub(crate) verbs: &'static [Entry],
    /// Other words for some of them.
    pub(crate) aliases: &'static [(&'static str, &'static str)],
}

/// Every noun.
pub(crate) const NOUNS: &[Noun] = &[
    Noun {
        name: "container",
        summary: "Manage containers",
        verbs: &[
            ("attach", &container::attach::COMMAND),
            ("create", &container::create::COMMAND),
            ("exec", &container::exec::COMMAND),
            ("inspect", &inspect::CONTAINER),
            ("kill", &container::kill::COMMAND),
            ("logs", &container::logs::COMMAND),
            ("ls", &container::list::COMMAND),
            ("rm", &container::remove::COMMAND),
            ("run", &container::run::COMMAND),
            ("start", &container::start::COMMAND),
            ("stop", &container::stop::COMMAND),
            ("wait", &container::wait::COMMAND),
        ],
        aliases: &[("list", "ls"), ("ps", "ls"), ("remove", "rm")],
    },
    Noun {
        name: "image",
        summary: "Manage images",
        verbs: &[
            ("inspect", &inspect::IMAGE),
            ("load", &image::load::COMMAND),
            ("ls", &image::list::COMMAND),
            ("pull", &image::pull::COMMAND),
            ("rm", &image::remove::COMMAND),
        ],
        aliases: &[("list", "ls"), ("remove", "rm")],
    },
    Noun {
        name: "network",
        summary: "Manage networks",
        verbs: &[
            ("inspect", &network::inspect::COMMAND),
            ("ls", &network::list::COMMAND),
        ],
        aliases: &[("list", "ls")],
    },
    Noun {
        name: "system",
        summary: "Manage the engine",
        verbs: &[("info", &system::info::COMMAND)],
        aliases: &[],
    },
];

/// What the words in front of the flags name.
pub(crate) enum Named {
    /// A command, and how many words named it.
    Command(&'static Command, usize),
    /// A noun without a verb.
    Noun(&'static Noun),
    /// A noun with a word that is none of its verbs.
    UnknownVerb(&'static Noun, String),
    /// Nothing that is known.
    Unknown(String),
}

/// Finds the command that the first words name.
pub(crate) fn find(words: &[String]) -> Option<Named> {
    let first = words.first()?;
    if let Some((_, command)) = COMMON.iter().chain(OTHER).find(|(name, _)| name == first) {
        return Some(Named::Command(command, 1));
    }
    let Some(noun) = NOUNS.iter().find(|noun| noun.name == first) else {
        return Some(Named::Unknown(first.clone()));
    };
    let Some(verb) = words.get(1).filter(|verb| !verb.starts_with('-')) else {
        return Some(Named::Noun(noun));
    };
    let plain = noun
        .aliases
        .iter()
        .find(|(alias, _)| alias == verb)
        .map_or(verb.as_str(), |(_, verb)| verb);
    match noun.verbs.iter().find(|(name, _)| *name == plain) {
        Some((_, command)) => Some(Named::Command(command, 2)),
        None => Some(Named::UnknownVerb(noun, verb.clone())),
    }
}

/// Every word that may come first, for suggestions.
pub(crate) fn first_words() -> impl Iterator<Item = &'static str> {
    COMMON
        .iter()
        .chain(OTHER)
        .map(|(name, _)| *name)
        .chain(NOUNS.iter().map(|noun| noun.name))
        .chain(["daemon", "help"])
}

/// The flags in front of the command.
pub(crate) const GLOBAL: &[Flag] = &[
    Flag::single(
        "config",
        "directory",
        "Read the client's configuration from here (default ~/.docker)",
    ),
    Flag::single(
        "context",
        "name",
        "Use this context (only \"default\" is supported yet)",
    )
    .short('c'),
    Flag::switch("debug", "Say more on standard error").short('D'),
    Flag::list(
        "host",
        "address",
        "Talk to the engine at unix:///path or tcp://host:port",
    )
    .short('H'),
    Flag::single(
        "log-level",
        "level",
        "debug, info, warn, error or fatal (default info)",
    )
    .short('l')
    .checked(log_level),
    Flag::switch("tls", ""),
    Flag::single("tlscacert", "path", ""),
    Flag::single("tlscert", "path", ""),
    Flag::single("tlskey", "path", ""),
    Flag::switch("tlsverify", ""),
    Flag::switch("version", "Print the version and quit").short('v'),
];

fn log_level(value: &str) -> Result<String, String> {
    match value {
        "debug" | "info" | "warn" | "error" | "fatal" => Ok(value.to_owned()),
        _ => Err("not a log level".to_owned()),
    }
}

/// The page of `tare help`.
pub(crate) fn main_page(width: usize) -> String {
    let flags: Vec<&Flag> = GLOBAL.iter().filter(|flag| !flag.help.is_empty()).collect();
    let nouns: String = NOUNS
        .iter()
        .map(|noun| format!("  {:<12}{}\n", noun.name, noun.summary))
        .collect();
    format!(
        "Usage:  tare [OPTIONS] COMMAND\n\n\
         A container engine that speaks Docker's and the OCI's interfaces\n\n\
         Common Commands:\n{}\n\
         Commands:\n{}\n\
         Commands by noun:\n{nouns}\n\
         The engine:\n  {:<12}Run the engine in the foreground; as root it is started when it is needed\n\n\
         Options:\n{}\n\
         Without --host the engine is the one that TARE_HOST or DOCKER_HOST name,\n\
         or unix://{}.\n\n\
         To begin with: tare run --rm hello\n\
         Run 'tare COMMAND --help' for more information on a command.\n",
        command_lines(COMMON),
        command_lines(OTHER),
        "daemon",
        flag_lines(&flags, width),
        crate::context::DEFAULT_SOCKET,
    )
}
