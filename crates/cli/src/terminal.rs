//! The user's terminal: raw mode that is always undone, and its size.
//!
//! Owned: the terminal's settings while a [`RawMode`] lives. They are
//! restored when it is dropped and by the panic hook, since a release build
//! aborts on panic. Killing signals are read by the session, which ends and
//! drops the guard; only SIGKILL leaves the terminal raw (`reset` mends it).

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Standard input's terminal in raw mode.
pub(crate) struct RawMode {
    saved: Termios,
    active: Arc<AtomicBool>,
}

impl RawMode {
    /// Puts standard input's terminal into raw mode.
    ///
    /// # Errors
    /// When its settings cannot be read or changed.
    pub(crate) fn enter() -> io::Result<Self> {
        let saved = tcgetattr(io::stdin())?;
        let active = Arc::new(AtomicBool::new(true));
        let guard = Self {
            saved: saved.clone(),
            active: Arc::clone(&active),
        };
        let next_hook = std::panic::take_hook();
        let restored = saved.clone();
        std::panic::set_hook(Box::new(move |panic| {
            if active.load(Ordering::Relaxed) {
                restore(&restored);
            }
            next_hook(panic);
        }));
        let mut raw = saved;
        raw.make_raw();
        // What has been typed ahead is for the container.
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(guard)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.active.store(false, Ordering::Relaxed);
        restore(&self.saved);
    }
}

fn restore(settings: &Termios) {
    // The terminal may have gone; then there is nothing to restore.
    let _ = tcsetattr(io::stdin(), OptionalActions::Drain, settings);
}

/// Rows and columns of standard output's terminal.
pub(crate) fn size() -> Option<(u16, u16)> {
    if !io::stdout().is_terminal() {
        return None;
    }
    tcgetwinsize(io::stdout())
        .ok()
        .map(|size| (size.ws_row, size.ws_col))
        .filter(|size| *size != (0, 0))
}

/// Whether standard input is a terminal.
pub(crate) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Whether standard output is a terminal.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}
