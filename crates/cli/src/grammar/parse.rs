//! Parsing a command line by pflag's rules, so that lines written for
//! Docker mean the same here: `-it`, `-p80:80`, `-p=80:80`, `--name x`,
//! `--name=x`, `--rm=false`, `--` ends the flags.

use super::{Arity, Command, Flag, Kind};

/// A line that does not fit the grammar.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    /// No flag has this name.
    #[error("unknown flag: --{0}")]
    UnknownFlag(String),
    /// No flag has this letter.
    #[error("unknown shorthand flag: '{letter}' in -{letters}")]
    UnknownShorthand { letter: char, letters: String },
    /// The flag needs a value and the line ends.
    #[error("flag needs an argument: {0}")]
    MissingValue(String),
    /// Not a flag at all, such as `--=x`.
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    /// The value fails the flag's check.
    #[error("invalid argument {value:?} for \"{flag}\" flag: {reason}")]
    InvalidValue {
        value: String,
        flag: String,
        reason: String,
    },
    /// Too few or too many arguments.
    #[error("'{path}' {rule}")]
    Arguments { path: String, rule: String },
}

/// What a line that fits asks for.
pub(crate) enum Parsed<'a> {
    /// The help page.
    Help,
    /// The command with these flags and arguments.
    Run(Matches<'a>),
}

/// The flags and arguments of one parsed line.
pub(crate) struct Matches<'a> {
    command: &'a Command,
    /// How the command was called, with its noun: `tare container ls`.
    pub(crate) path: &'a str,
    values: Vec<(&'static Flag, String)>,
    /// What follows the flags.
    pub(crate) arguments: Vec<String>,
}

impl<'a> Matches<'a> {
    fn given<'m, 'l>(
        &'m self,
        long: &'l str,
    ) -> impl DoubleEndedIterator<Item = &'m str> + use<'m, 'l, 'a> {
        debug_assert!(
            self.command.flags().any(|flag| flag.long == long),
            "{} has no flag --{long}",
            self.path
        );
        self.values
            .iter()
            .filter(move |(flag, _)| flag.long == long)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(crate) fn switch(&self, long: &str) -> bool {
        self.given(long).next_back() == Some("true")
    }

    /// A switch that is on unless it is turned off.
    pub(crate) fn switch_default_on(&self, long: &str) -> bool {
        self.given(long).next_back() != Some("false")
    }

    /// Whether the flag was given at all.
    pub(crate) fn changed(&self, long: &str) -> bool {
        self.given(long).next().is_some()
    }

    /// The last value given.
    pub(crate) fn text(&self, long: &str) -> Option<&str> {
        self.given(long).next_back()
    }

    /// The last value given, or the empty string as in Go.
    pub(crate) fn text_or_empty(&self, long: &str) -> String {
        self.text(long).unwrap_or_default().to_owned()
    }

    /// The last value as a number; its check has normalised it.
    pub(crate) fn number(&self, long: &str) -> Option<i64> {
        self.text(long).and_then(|text| text.parse().ok())
    }

    /// Every value given, in order.
    pub(crate) fn list(&self, long: &str) -> Vec<String> {
        self.given(long).map(str::to_owned).collect()
    }
}

/// Parses the words behind the command's name.
///
/// # Errors
/// The first word that does not fit, or a wrong number of arguments.
pub(crate) fn parse<'a>(
    command: &'a Command,
    path: &'a str,
    words: &[String],
) -> Result<Parsed<'a>, UsageError> {
    let mut matches = Matches {
        command,
        path,
        values: Vec::new(),
        arguments: Vec::new(),
    };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            matches.arguments.extend(rest.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            if parse_long(&mut matches, long, &mut rest)? {
                return Ok(Parsed::Help);
            }
        } else if word.len() > 1 && word.starts_with('-') {
            if parse_letters(&mut matches, &word[1..], &mut rest)? {
                return Ok(Parsed::Help);
            }
        } else {
            matches.arguments.push(word.clone());
            if !command.interspersed {
                matches.arguments.extend(rest.by_ref().cloned());
            }
        }
    }
    check_arity(command.arity, path, matches.arguments.len())?;
    Ok(Parsed::Run(matches))
}

fn parse_long<'w>(
    matches: &mut Matches<'_>,
    long: &str,
    rest: &mut impl Iterator<Item = &'w String>,
) -> Result<bool, UsageError> {
    let (name, inline) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (long, None),
    };
    if name.is_empty() || name.starts_with('-') {
        return Err(UsageError::Syntax(format!("--{long}")));
    }
    let Some(flag) = matches.command.flags().find(|flag| flag.long == name) else {
        if name == "help" {
            return Ok(true);
        }
        return Err(UsageError::UnknownFlag(name.to_owned()));
    };
    let target = resolve(matches.command, flag);
    let value = match inline {
        Some(value) => value,
        None if target.kind == Kind::Switch => "true".to_owned(),
        None => rest
            .next()
            .cloned()
            .ok_or_else(|| UsageError::MissingValue(format!("--{name}")))?,
    };
    record(matches, target, value)?;
    Ok(false)
}

fn parse_letters<'w>(
    matches: &mut Matches<'_>,
    letters: &str,
    rest: &mut impl Iterator<Item = &'w String>,
) -> Result<bool, UsageError> {
    let mut remaining = letters;
    while let Some(letter) = remaining.chars().next() {
        let behind = &remaining[letter.len_utf8()..];
        let Some(flag) = matches
            .command
            .flags()
            .find(|flag| flag.short == Some(letter))
        else {
            if letter == 'h' {
                return Ok(true);
            }
            return Err(UsageError::UnknownShorthand {
                letter,
                letters: remaining.to_owned(),
            });
        };
        if let Some(value) = behind.strip_prefix('=') {
            record(matches, flag, value.to_owned())?;
            return Ok(false);
        }
        if flag.kind == Kind::Switch {
            record(matches, flag, "true".to_owned())?;
            remaining = behind;
            continue;
        }
        let value = if behind.is_empty() {
            rest.next()
                .cloned()
                .ok_or_else(|| UsageError::MissingValue(format!("'{letter}' in -{remaining}")))?
        } else {
            behind.to_owned()
        };
        record(matches, flag, value)?;
        return Ok(false);
    }
    Ok(false)
}

fn resolve(command: &Command, flag: &'static Flag) -> &'static Flag {
    match flag.kind {
        Kind::Alias(of) => command
            .flags()
            .find(|candidate| candidate.long == of)
            .unwrap_or(flag),
        _ => flag,
    }
}

fn record(matches: &mut Matches<'_>, flag: &'static Flag, value: String) -> Result<(), UsageError> {
    let checked = match (flag.kind, flag.check) {
        (Kind::Switch, _) => super::values::boolean(&value),
        (_, Some(check)) => check(&value),
        (_, None) => Ok(value.clone()),
    };
    let value = checked.map_err(|reason| UsageError::InvalidValue {
        value,
        flag: match flag.short {
            Some(letter) => format!("-{letter}, --{}", flag.long),
            None => format!("--{}", flag.long),
        },
        reason,
    })?;
    matches.values.push((flag, value));
    Ok(())
}

fn check_arity(arity: Arity, path: &str, count: usize) -> Result<(), UsageError> {
    let plural = |number: usize| if number == 1 { "argument" } else { "arguments" };
    let rule = match arity {
        Arity::None if count > 0 => "accepts no arguments".to_owned(),
        Arity::Exactly(wanted) if count != wanted => {
            format!("requires {wanted} {}", plural(wanted))
        }
        Arity::AtLeast(wanted) if count < wanted => {
            format!("requires at least {wanted} {}", plural(wanted))
        }
        Arity::AtMost(wanted) if count > wanted => {
            format!("requires at most {wanted} {}", plural(wanted))
        }
        _ => return Ok(()),
    };
    Err(UsageError::Arguments {
        path: path.to_owned(),
        rule,
    })
}
