//! Something that moves while nothing is known yet; on a terminal only.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::pull::Progress;

/// Frames of the spinner, drawn in turn.
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
/// What is over sooner than this shows no spinner.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a frame stands.
const FRAME: Duration = Duration::from_millis(100);

/// Does `work` and shows `text` with a spinner if it takes long.
pub(super) fn during<T>(progress: Progress, text: &str, work: impl FnOnce() -> T) -> T {
    let shown = match progress {
        Progress::Quiet => false,
        // Both go to the same place on a terminal; it is the error stream that
        // never mixes with what a script reads.
        Progress::Stdout => std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
        Progress::Stderr => std::io::stderr().is_terminal(),
    };
    if !shown {
        return work();
    }
    let (ended, end) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || spin(text, &end, &mut std::io::stderr()));
        let result = work();
        drop(ended);
        result
    })
}

/// Draws until the other end of `end` is dropped, and leaves an empty line.
fn spin(text: &str, end: &Receiver<()>, out: &mut impl Write) {
    let mut wait = PATIENCE;
    for frame in FRAMES.iter().cycle() {
        if end.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        // A terminal that has gone is noticed by what comes after.
        let _ = write!(out, "\r{frame} {text}");
        let _ = out.flush();
        wait = FRAME;
    }
    if wait == FRAME {
        let _ = write!(out, "\r\x1b[K");
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quick_shows_nothing_and_what_is_slow_leaves_nothing() {
        let drawn = |time: Duration| {
            let (ended, end) = channel::<()>();
            let spinning = std::thread::spawn(move || {
                let mut out = Vec::new();
                spin("asking", &end, &mut out);
                out
            });
            std::thread::sleep(time);
            drop(ended);
            String::from_utf8(spinning.join().unwrap()).unwrap()
        };
        assert_eq!(drawn(Duration::ZERO), "");
        let slow = drawn(PATIENCE * 3);
        assert!(slow.starts_with("\r| asking\r/ asking"), "{slow:?}");
        assert!(slow.ends_with("\r\x1b[K"), "{slow:?}");
    }
}
