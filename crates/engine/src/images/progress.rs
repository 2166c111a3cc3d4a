//! What a client is told while an image is on its way, in Docker's words and form.

use std::fmt::Write as _;

use tare_engine_api::{JsonMessage, ProgressDetail};
use tokio::sync::mpsc;

/// Messages that may wait for a slow client.
const WAITING: usize = 64;

/// Width of the bar that old clients print as it comes.
const BAR: u64 = 50;

/// Sends messages to one client. Nothing happens once it has hung up.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    sender: mpsc::Sender<JsonMessage>,
}

impl Reporter {
    /// A reporter and its client's end.
    pub(super) fn new() -> (Self, mpsc::Receiver<JsonMessage>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender }, receiver)
    }

    /// Returns when the client has hung up.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Whether the client has hung up.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a message of the caller's own making.
    pub(super) async fn send(&self, message: JsonMessage) {
        // Whoever has hung up needs no message.
        let _ = self.sender.send(message).await;
    }

    /// The same from a thread that may block.
    pub(super) fn send_blocking(&self, message: JsonMessage) {
        let _ = self.sender.blocking_send(message);
    }

    /// What happens to a layer now, without numbers.
    pub(super) async fn layer(&self, id: &str, status: &str) {
        self.send(layer(id, status)).await;
    }

    /// How far a layer is.
    pub(super) async fn layer_progress(&self, id: &str, status: &str, current: u64, total: u64) {
        self.send(layer_progress(id, status, current, total)).await;
    }
}

/// A layer's status. Docker sends an empty object for the progress.
pub(super) fn layer(id: &str, status: &str) -> JsonMessage {
    JsonMessage {
        progress_detail: Some(ProgressDetail::default()),
        ..JsonMessage::status(Some(id), status)
    }
}

/// A layer's status with its numbers.
pub(super) fn layer_progress(id: &str, status: &str, current: u64, total: u64) -> JsonMessage {
    let number = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
    JsonMessage {
        progress: Some(bar(current, total)),
        ..JsonMessage::progress(id, status, number(current), number(total))
    }
}

/// `[====>      ]  1.2MB/5.6MB`, as Docker draws it for a wide terminal.
fn bar(current: u64, total: u64) -> String {
    let mut text = String::new();
    if total > 0 {
        let done = (u128::from(current) * 100 / u128::from(total) / 2).min(u128::from(BAR)) as u64;
        let (done, rest) = (done as usize, (BAR - done) as usize);
        // Writing to a string cannot fail.
        let _ = write!(text, "[{}>{}] ", "=".repeat(done), " ".repeat(rest));
    }
    let _ = write!(text, "{:>8}", size(current));
    if total > 0 && current <= total {
        let _ = write!(text, "/{}", size(total));
    }
    text
}

/// Bytes with four significant digits and a decimal unit.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 1000.0 {
        let Some(next) = units.next() else { break };
        value /= 1000.0;
        unit = next;
    }
    let digits = if value >= 100.0 {
        1
    } else if value >= 10.0 {
        2
    } else {
        3
    };
    let number = format!("{value:.digits$}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{}{unit}", if number.is_empty() { "0" } else { number })
}

#[cfg(test)]
mod tests;
