//! The command line's grammar, that of runc: `--name value`, `--name=value`,
//! one hyphen or two, single letters, switches that take `=false`; flags may
//! stand after arguments unless what follows is another program's.

use std::ffi::OsString;
use std::fmt::Write;
use std::process::ExitCode;

use super::{Error, Globals};

/// A flag.
pub(super) struct Flag {
    pub(super) name: &'static str,
    short: Option<char>,
    /// What its value is called; none for a switch.
    value: Option<&'static str>,
    help: &'static str,
}

impl Flag {
    pub(super) const fn switch(name: &'static str, help: &'static str) -> Flag {
        Flag {
            name,
            short: None,
            value: None,
            help,
        }
    }

    pub(super) const fn value(name: &'static str, value: &'static str, help: &'static str) -> Flag {
        Flag {
            name,
            short: None,
            value: Some(value),
            help,
        }
    }

    pub(super) const fn short(mut self, letter: char) -> Flag {
        self.short = Some(letter);
        self
    }
}

/// How many arguments a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Exactly(usize),
    AtLeast(usize),
    Between(usize, usize),
}

/// A command.
pub(super) struct Verb {
    pub(super) name: &'static str,
    /// Its arguments, as in `<container-id>`.
    pub(super) arguments: &'static str,
    pub(super) about: &'static str,
    pub(super) flags: &'static [Flag],
    pub(super) count: Count,
    /// Whether the arguments end with another program's command line.
    pub(super) has_command: bool,
    pub(super) run: fn(&Globals, &Parsed) -> Result<ExitCode, Error>,
}

/// A parsed command line.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    flags: Vec<(&'static str, String)>,
    pub(super) arguments: Vec<String>,
}

impl Parsed {
    /// Whether a switch is on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }

    /// The last value of a flag.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let last = self.flags.iter().rev().find(|(flag, _)| *flag == name);
        last.map(|(_, value)| value.as_str())
    }

    /// All values of a flag, in order.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags
            .iter()
            .filter(move |(flag, _)| *flag == name)
            .map(|(_, value)| value.as_str())
    }

    /// The container's ID: the first argument.
    pub(super) fn id(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }
}

const HELP: Flag = Flag::switch("help", "print this help").short('h');

impl Verb {
    pub(super) fn parse(&self, words: &[String]) -> Result<Parsed, Error> {
        let mut parsed = Parsed::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                parsed.arguments.extend(words.cloned());
                break;
            }
            if !is_flag(word) {
                parsed.arguments.push(word.clone());
                if self.has_command {
                    parsed.arguments.extend(words.cloned());
                    break;
                }
                continue;
            }
            let known = self.flags.iter().chain([&HELP]);
            take(known, word, &mut words, &mut parsed)?;
        }
        // `exec <id> -- program`: the word ends the flags, of which there are
        // none any more.
        if self.has_command && parsed.arguments.get(1).is_some_and(|word| word == "--") {
            parsed.arguments.remove(1);
        }
        if !parsed.has("help") {
            self.check_count(parsed.arguments.len())?;
        }
        Ok(parsed)
    }

    fn check_count(&self, count: usize) -> Result<(), Error> {
        let (fits, wanted) = match self.count {
            Count::Exactly(wanted) => (count == wanted, format!("exactly {wanted}")),
            Count::AtLeast(least) => (count >= least, format!("a minimum of {least}")),
            Count::Between(least, most) => (
                (least..=most).contains(&count),
                format!("from {least} to {most}"),
            ),
        };
        if fits {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{}: {:?} requires {wanted} argument(s)",
            "tare-runtime", self.name
        )))
    }

    pub(super) fn help(&self) -> String {
        let mut text = format!(
            "{}\n\nUsage: tare-runtime {} [flags] {}\n\nFlags:\n",
            self.about, self.name, self.arguments
        );
        list(&mut text, self.flags.iter().chain([&HELP]));
        text
    }
}

/// The words of a command line, which are text.
pub(super) fn words(arguments: &[OsString]) -> Result<Vec<String>, Error> {
    arguments
        .iter()
        .map(|word| {
            word.to_str()
                .map(str::to_owned)
                .ok_or_else(|| Error::Usage(format!("{word:?} is not valid UTF-8")))
        })
        .collect()
}

/// Parses the flags before the command; returns what follows.
pub(super) fn parse_before<'a>(
    known: &'static [Flag],
    words: &'a [String],
) -> Result<(Parsed, &'a [String]), Error> {
    let mut parsed = Parsed::default();
    let mut rest = words.iter();
    loop {
        match rest.as_slice().first() {
            Some(word) if is_flag(word) => {
                rest.next();
                take(known.iter(), word, &mut rest, &mut parsed)?;
            }
            _ => return Ok((parsed, rest.as_slice())),
        }
    }
}

fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && word != "--"
}

/// Takes one flag, and its value from the words that follow where that is not
/// in the same word.
fn take<'a>(
    mut known: impl Iterator<Item = &'a Flag>,
    word: &str,
    words: &mut std::slice::Iter<'_, String>,
    parsed: &mut Parsed,
) -> Result<(), Error> {
    let name = word.trim_start_matches('-');
    let (name, given) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (name, None),
    };
    let flag = known
        .find(|flag| {
            let mut letter = [0; 4];
            flag.name == name
                || flag
                    .short
                    .is_some_and(|short| short.encode_utf8(&mut letter) == name)
        })
        .ok_or_else(|| Error::Usage(format!("flag provided but not defined: -{name}")))?;
    let value = match (flag.value, given) {
        (_, Some(value)) => value,
        (None, None) => "true".to_owned(),
        (Some(_), None) => words
            .next()
            .cloned()
            .ok_or_else(|| Error::Usage(format!("flag needs an argument: -{name}")))?,
    };
    if flag.value.is_none() && !matches!(value.as_str(), "true" | "false") {
        return Err(Error::Usage(format!(
            "invalid boolean value {value:?} for -{name}"
        )));
    }
    parsed.flags.push((flag.name, value));
    Ok(())
}

/// The help for the whole command line.
pub(super) fn overview(global: &'static [Flag], verbs: &[&Verb]) -> String {
    let mut text = String::from(
        "An OCI runtime: makes and runs containers from bundles.\n\n\
         Usage: tare-runtime [global flags] command [flags] [arguments]\n\nCommands:\n",
    );
    for verb in verbs {
        let _ = writeln!(text, "  {:<12} {}", verb.name, verb.about);
    }
    text.push_str("\nGlobal flags:\n");
    list(&mut text, global.iter());
    text
}

fn list<'a>(text: &mut String, flags: impl Iterator<Item = &'a Flag>) {
    for flag in flags {
        let mut name = format!("--{}", flag.name);
        if let Some(letter) = flag.short {
            let _ = write!(name, ", -{letter}");
        }
        if let Some(value) = flag.value {
            let _ = write!(name, " {value}");
        }
        let _ = writeln!(text, "  {name:<32} {}", flag.help);
    }
}

#[cfg(test)]
mod tests;
