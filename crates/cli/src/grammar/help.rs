//! Help pages, laid out from the tables to the terminal's width.

use super::{Command, Flag, Kind};

/// Words of `text` in lines of at most `width`, each after the first behind
/// `indent` spaces.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += length;
    }
    lines
}

/// The page of one command.
pub(crate) fn command_page(command: &Command, path: &str, width: usize) -> String {
    let mut page = format!("Usage:  {path} {}\n\n{}\n", command.usage, command.summary);
    if !command.aliases.is_empty() {
        page.push_str(&format!("\nAliases:\n  {}\n", command.aliases.join(", ")));
    }
    let mut flags: Vec<&Flag> = command
        .flags()
        .filter(|flag| !flag.help.is_empty())
        .collect();
    if !flags.is_empty() {
        flags.sort_by_key(|flag| flag.long);
        page.push_str("\nOptions:\n");
        page.push_str(&flag_lines(&flags, width));
    }
    page
}

/// The flags as an aligned block of two columns.
pub(crate) fn flag_lines(flags: &[&Flag], width: usize) -> String {
    let names: Vec<String> = flags
        .iter()
        .map(|flag| {
            let letter = flag
                .short
                .map_or("    ".to_owned(), |letter| format!("-{letter}, "));
            let value = if flag.kind == Kind::Switch {
                String::new()
            } else {
                format!(" {}", flag.placeholder)
            };
            format!("  {letter}--{}{value}", flag.long)
        })
        .collect();
    let column = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default()
        + 3;
    let room = width.saturating_sub(column + 1).max(24);
    names
        .iter()
        .zip(flags)
        .map(|(name, flag)| format!("{name:column$}{}\n", wrapped(flag.help, room, column)))
        .collect()
}

/// The page of a noun such as `container`: its verbs.
pub(crate) fn noun_page(noun: &str, summary: &str, verbs: &[(&str, &Command)]) -> String {
    let mut page = format!("Usage:  tare {noun} COMMAND\n\n{summary}\n\nCommands:\n");
    page.push_str(&command_lines(verbs));
    page.push_str(&format!(
        "\nRun 'tare {noun} COMMAND --help' for more information on a command.\n"
    ));
    page
}

/// One line for each command.
pub(crate) fn command_lines(commands: &[(&str, &Command)]) -> String {
    commands
        .iter()
        .map(|(name, command)| format!("  {name:<12}{}\n", command.summary))
        .collect()
}
