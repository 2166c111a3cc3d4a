//! One request for each of several names, some at a time: stopping ten
//! containers takes as long as the slowest, not as long as all together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::client::{Client, ClientError};
use crate::failure::Failure;

/// So many requests are under way at once.
const AT_ONCE: usize = 8;

/// Does `work` for each name, and prints the results and errors in the order of
/// the names; fails when one failed that `forgive` does not let pass.
pub(crate) fn each(
    client: &Client,
    names: &[String],
    work: impl Fn(&Client, &str) -> Result<String, ClientError> + Sync,
    forgive: impl Fn(&ClientError) -> bool,
) -> Result<u8, Failure> {
    let mut failed = false;
    let mut show = |result: Result<String, ClientError>| match result {
        Ok(text) => print(&text),
        Err(error) => {
            failed |= !forgive(&error);
            tell(&error);
            Ok(())
        }
    };
    if let [name] = names {
        show(work(client, name))?;
    } else {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(names.len()) {
                let (sender, next, work) = (sender.clone(), &next, &work);
                let own = client.another();
                scope.spawn(move || {
                    loop {
                        let position = next.fetch_add(1, Ordering::Relaxed);
                        let Some(name) = names.get(position) else {
                            break;
                        };
                        // The receiver outlives every sender.
                        drop(sender.send((position, work(&own, name))));
                    }
                });
            }
            drop(sender);
            let mut early = BTreeMap::new();
            let mut due = 0;
            for (position, result) in receiver {
                early.insert(position, result);
                while let Some(result) = early.remove(&due) {
                    show(result)?;
                    due += 1;
                }
            }
            Ok::<_, std::io::Error>(())
        })?;
    }
    if failed {
        Err(Failure::silent(crate::failure::GENERAL))
    } else {
        Ok(0)
    }
}

/// Writes to standard output; a reader that has gone ends the command.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a line to standard error; one that nobody reads is lost.
pub(crate) fn tell(text: &dyn std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
