//! Removal behind the caller's back.
//!
//! Ending a container must not take as long as deleting what it wrote. Its
//! directory is renamed into ingest/ and a thread of its own deletes it there;
//! a crash leaves it to the next open, which removes all of ingest/ the same
//! way.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use crate::cause::words;
use crate::tree;

#[derive(Debug)]
pub(crate) struct Trash {
    queue: Option<Sender<Item>>,
    thread: Option<JoinHandle<()>>,
    /// The store is being closed: what is left is for the next open.
    closing: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Item {
    /// A path below ingest/.
    Remove(PathBuf),
    /// Answered when everything before it is gone.
    Reached(Sender<()>),
}

impl Trash {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (queue, items) = mpsc::channel();
        let closing = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&closing);
        let thread = std::thread::Builder::new()
            .name("tare-trash".to_owned())
            .stack_size(128 << 10)
            .spawn(move || remove_all(&items, &closed))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            closing,
        })
    }

    pub(crate) fn remove(&self, path: PathBuf) {
        self.send(Item::Remove(path));
    }

    /// Waits until everything thrown away so far is deleted.
    pub(crate) fn wait(&self) {
        let (reached, answer) = mpsc::channel();
        self.send(Item::Reached(reached));
        // The thread ends only with the queue, so an answer comes.
        let _ = answer.recv();
    }

    fn send(&self, item: Item) {
        if let Some(queue) = &self.queue {
            let _ = queue.send(item);
        }
    }
}

impl Drop for Trash {
    /// Waits for the removal under way: the next owner of the data root must
    /// not meet it.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn remove_all(items: &Receiver<Item>, closing: &AtomicBool) {
    for item in items {
        match item {
            Item::Remove(_) if closing.load(Ordering::Relaxed) => {}
            Item::Remove(path) => {
                if let Err(error) = tree::remove(&path) {
                    tracing::warn!(
                        "remove {}: {}; the next start tries again",
                        path.display(),
                        words(&error)
                    );
                }
            }
            Item::Reached(reached) => {
                let _ = reached.send(());
            }
        }
    }
}
