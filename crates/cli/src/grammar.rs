//! The grammar of the command line: Docker's, that is Go's pflag.
//!
//! Commands and flags are constant tables, so that a start pays for the one
//! command that is asked for and allocates nothing for the others. Every
//! flag carries its name, its check and its help in one place; help pages,
//! suggestions and parsing all read the same tables.

mod help;
mod parse;
mod suggest;
#[cfg(test)]
mod tests;
pub(crate) mod values;

pub(crate) use help::{command_lines, command_page, flag_lines, noun_page};
pub(crate) use parse::{Matches, Parsed, UsageError, parse};
pub(crate) use suggest::nearest;

use crate::context::Context;
use crate::failure::Failure;

/// Checks one value of a flag and returns it in its normal form.
pub(crate) type Check = fn(&str) -> Result<String, String>;

/// How a flag takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `--flag` or `--flag=false`.
    Switch,
    /// One value; the last one given counts.
    Single,
    /// One value each time it is given; all count.
    List,
    /// Another name for the flag named here.
    Alias(&'static str),
}

/// One flag of one command.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    /// The name behind `--`.
    pub(crate) long: &'static str,
    /// The letter behind `-`.
    pub(crate) short: Option<char>,
    /// How it takes its value.
    pub(crate) kind: Kind,
    /// What the help page calls the value.
    pub(crate) placeholder: &'static str,
    /// Checks each value when the line is parsed.
    pub(crate) check: Option<Check>,
    /// The sentence on the help page; empty hides the flag there.
    pub(crate) help: &'static str,
}

impl Flag {
    /// A flag that is on or off.
    pub(crate) const fn switch(long: &'static str, help: &'static str) -> Self {
        Self {
            long,
            short: None,
            kind: Kind::Switch,
            placeholder: "",
            check: None,
            help,
        }
    }

    /// A flag with one value.
    pub(crate) const fn single(
        long: &'static str,
        placeholder: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            long,
            short: None,
            kind: Kind::Single,
            placeholder,
            check: None,
            help,
        }
    }

    /// A flag that may be repeated.
    pub(crate) const fn list(
        long: &'static str,
        placeholder: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            long,
            short: None,
            kind: Kind::List,
            placeholder,
            check: None,
            help,
        }
    }

    /// Another, unlisted name of a flag.
    pub(crate) const fn alias(long: &'static str, of: &'static str) -> Self {
        Self {
            long,
            short: None,
            kind: Kind::Alias(of),
            placeholder: "",
            check: None,
            help: "",
        }
    }

    /// The same flag with a letter of its own.
    pub(crate) const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// The same flag with its values checked.
    pub(crate) const fn checked(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }
}

/// How many arguments a command takes behind its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    /// None at all.
    None,
    /// This many, exactly.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
    /// This many or fewer.
    AtMost(usize),
}

/// One command.
pub(crate) struct Command {
    /// Other spellings, shown on the help page.
    pub(crate) aliases: &'static [&'static str],
    /// What follows the command's name on the usage line.
    pub(crate) usage: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// Its flags, in one or more tables.
    pub(crate) flags: &'static [&'static [Flag]],
    /// How many arguments it takes.
    pub(crate) arity: Arity,
    /// False where flags end at the first argument, because what follows
    /// belongs to the program in the container.
    pub(crate) interspersed: bool,
    /// Does it.
    pub(crate) run: fn(&Context, &Matches<'_>) -> Result<u8, Failure>,
}

impl Command {
    /// Every flag, in the tables' order.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().flat_map(|table| table.iter())
    }
}
