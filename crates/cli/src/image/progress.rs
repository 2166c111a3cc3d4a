//! The progress of a pull or load: on a terminal one line for each layer,
//! redrawn as it goes on; elsewhere one plain line for each step.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, IsTerminal, Write};

use tare_engine_api::{JsonMessage, ProgressDetail};

use super::pull::Progress;
use crate::client::Response;
use crate::failure::Failure;
use crate::format::units::progress_size;

/// A bar needs at least this many columns beside the rest of its line.
const WIDE: usize = 110;

/// The longest message of the engine that is understood.
const LONGEST_MESSAGE: usize = 1 << 20;

/// Draws messages.
pub(crate) struct Display {
    progress: Progress,
    terminal: Option<usize>,
    colour: bool,
    lines: HashMap<String, usize>,
}

impl Display {
    /// Draws where `progress` says, for the terminal there.
    pub(crate) fn new(progress: Progress) -> Self {
        let width = |size: Result<rustix::termios::Winsize, _>| match size {
            Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
            _ => 80,
        };
        let terminal = match progress {
            Progress::Stdout if std::io::stdout().is_terminal() => {
                Some(width(rustix::termios::tcgetwinsize(std::io::stdout())))
            }
            Progress::Stderr if std::io::stderr().is_terminal() => {
                Some(width(rustix::termios::tcgetwinsize(std::io::stderr())))
            }
            _ => None,
        };
        let colour = terminal.is_some() && std::env::var_os("NO_COLOR").is_none();
        Self {
            progress,
            terminal,
            colour,
            lines: HashMap::new(),
        }
    }

    /// Reads messages to their end and draws them.
    ///
    /// # Errors
    /// The error the messages end with.
    pub(crate) fn show(mut self, response: Response<'_>) -> Result<(), Failure> {
        let lost = |error| {
            Failure::new(format!(
                "connection to the engine lost while it was at work: {error}"
            ))
        };
        let mut reader = BufReader::with_capacity(64 << 10, response.into_body());
        let mut waiting: Vec<u8> = Vec::new();
        loop {
            let piece = reader.fill_buf().map_err(lost)?;
            let length = piece.len();
            if length == 0 {
                break;
            }
            waiting.extend_from_slice(piece);
            reader.consume(length);
            self.draw_complete(&mut waiting)?;
            if waiting.len() > LONGEST_MESSAGE {
                return Err(Failure::new(
                    "the engine's progress cannot be understood: a message without end",
                ));
            }
        }
        if waiting.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        Err(Failure::new("the engine's progress was cut off"))
    }

    /// Draws the whole messages at the front and takes them away.
    fn draw_complete(&mut self, waiting: &mut Vec<u8>) -> Result<(), Failure> {
        let mut messages = serde_json::Deserializer::from_slice(waiting).into_iter::<JsonMessage>();
        let mut drawn = String::new();
        let mut outcome = Ok(());
        for message in messages.by_ref() {
            match message {
                Ok(message) => {
                    if let Some(error) = error_of(&message) {
                        outcome = Err(Failure::new(error));
                        break;
                    }
                    self.draw(&message, &mut drawn);
                }
                // The rest of it has not arrived yet.
                Err(error) if error.is_eof() => break,
                Err(error) => {
                    outcome = Err(Failure::new(format!(
                        "the engine's progress cannot be understood: {error}"
                    )));
                    break;
                }
            }
        }
        let used = messages.byte_offset().min(waiting.len());
        waiting.drain(..used);
        self.write(&drawn)?;
        outcome
    }

    fn write(&self, drawn: &str) -> std::io::Result<()> {
        match self.progress {
            Progress::Quiet => Ok(()),
            Progress::Stdout => {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(drawn.as_bytes())?;
                stdout.flush()
            }
            Progress::Stderr => std::io::stderr().lock().write_all(drawn.as_bytes()),
        }
    }

    /// Appends what one message changes on the screen.
    fn draw(&mut self, message: &JsonMessage, out: &mut String) {
        let Some(width) = self.terminal else {
            draw_plain(message, out);
            return;
        };
        let item = message.id.as_deref().filter(|id| !id.is_empty());
        match item.filter(|_| message.progress_detail.is_some()) {
            Some(id) => {
                let known = self.lines.len();
                let line = *self.lines.entry(id.to_owned()).or_insert(known);
                if line == known {
                    out.push('\n');
                }
                let up = self.lines.len() - line;
                // Writing to a String cannot fail.
                let _ = write!(
                    out,
                    "\x1b[{up}A\x1b[2K\r{id}: {}\r\x1b[{up}B",
                    self.step(message, width)
                );
            }
            None => {
                // Lines drawn before stay where they are from now on.
                self.lines.clear();
                if let Some(text) = &message.stream {
                    out.push_str(text);
                } else {
                    if let Some(id) = item {
                        out.push_str(id);
                        out.push_str(": ");
                    }
                    out.push_str(message.status.as_deref().unwrap_or_default());
                    out.push('\n');
                }
            }
        }
    }

    fn step(&self, message: &JsonMessage, width: usize) -> String {
        let status = message.status.as_deref().unwrap_or_default();
        let numbers = message
            .progress_detail
            .as_ref()
            .map(|detail| bar(detail, width))
            .unwrap_or_default();
        let finished = matches!(
            status,
            "Pull complete" | "Already exists" | "Layer already exists"
        );
        match (self.colour, finished) {
            (true, true) => format!("\x1b[32m{status}\x1b[0m"),
            _ if numbers.is_empty() => status.to_owned(),
            _ => format!("{status} {numbers}"),
        }
    }
}

fn error_of(message: &JsonMessage) -> Option<String> {
    match (&message.error_detail, &message.error) {
        (Some(detail), _) if !detail.message.is_empty() => Some(detail.message.clone()),
        (_, error) => error.clone(),
    }
}

fn draw_plain(message: &JsonMessage, out: &mut String) {
    if let Some(text) = &message.stream {
        out.push_str(text);
        return;
    }
    // How far a step is would be a line for every block of it.
    if message
        .progress_detail
        .as_ref()
        .is_some_and(|detail| detail.current > 0 || detail.total > 0)
    {
        return;
    }
    if let Some(id) = message.id.as_deref().filter(|id| !id.is_empty()) {
        out.push_str(id);
        out.push_str(": ");
    }
    out.push_str(message.status.as_deref().unwrap_or_default());
    out.push('\n');
}

/// `[====>    ]  1.2MB/4.5MB`, without the bar on a narrow screen.
fn bar(detail: &ProgressDetail, width: usize) -> String {
    let (current, total) = (detail.current, detail.total);
    if current <= 0 && total <= 0 {
        return String::new();
    }
    let amount = |number: i64| match detail.units.as_deref() {
        None | Some("") => progress_size(number),
        Some(unit) => format!("{number} {unit}"),
    };
    if total <= 0 || current > total {
        return format!("{:>8}", amount(current));
    }
    let done = ((current as f64 / total as f64 * 50.0) as usize).min(50);
    let drawn = if width > WIDE {
        format!("[{}>{}] ", "=".repeat(done), " ".repeat(50 - done))
    } else {
        String::new()
    };
    format!("{drawn}{:>8}/{}", amount(current), amount(total))
}

#[cfg(test)]
mod tests;
