//! From the attachments to the process's standard input.

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::attachment::{Attached, Input};
use super::{CHUNK, Streams};

impl Streams {
    pub(super) fn attachment_ready(
        &mut self,
        index: usize,
        flags: PollFlags,
        buffer: &mut Vec<u8>,
    ) {
        let is_input = self.is_input(&self.attached[index]);
        let one = &mut self.attached[index];
        if flags.intersects(PollFlags::HUP | PollFlags::ERR) {
            one.hung_up();
        } else if flags.contains(PollFlags::OUT) {
            one.flush();
        }
        if !one.input_open || is_input && !self.unread.is_empty() {
            return;
        }
        if !flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            return;
        }
        buffer.clear();
        buffer.reserve_exact(CHUNK);
        match one.input(buffer) {
            Input::Nothing => {}
            // What a process without standard input is told is discarded.
            Input::Bytes if !is_input => {}
            Input::Bytes => {
                self.unread.extend_from_slice(buffer);
                self.write_input();
            }
            Input::End if !is_input => {}
            Input::End if self.input.once && self.console.is_none() => {
                self.close_stdin = true;
                self.write_input();
            }
            // As Docker: the end of the input ends the attachment where it
            // does not end standard input.
            Input::End => one.close(),
        }
    }

    pub(super) fn is_input(&self, one: &Attached) -> bool {
        self.input.open && one.gives_input()
    }

    pub(super) fn write_input(&mut self) {
        if let Some(stdin) = &self.stdin
            && !self.unread.is_empty()
        {
            match rustix::io::write(stdin, &self.unread) {
                Ok(written) => drop(self.unread.drain(..written)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                // The process has closed it.
                Err(_) => self.stdin = None,
            }
        }
        if self.stdin.is_none() {
            self.unread.clear();
        }
        if self.unread.is_empty() {
            // Input is rare: its memory is not kept.
            self.unread = Vec::new();
            if self.close_stdin {
                self.stdin = None;
            }
        }
    }
}
