//! Stopping and continuing all processes of a container.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Cgroup, Error, controls};

/// How long the kernel may take to freeze all processes.
const PATIENCE: Duration = Duration::from_secs(10);

impl Cgroup {
    /// The group by which the container's processes are frozen, when it exists.
    pub(crate) fn freezer_directory(&self) -> Option<std::path::PathBuf> {
        let directory = self
            .controller_directory("freezer")
            .or_else(|| self.unified_directory())?;
        directory.exists().then_some(directory)
    }

    /// Stops every process of the container, and returns when all have
    /// stopped.
    ///
    /// # Errors
    /// When the kernel refuses or does not come to an end; the container is
    /// thawed again then.
    pub fn freeze(&self) -> Result<(), Error> {
        if self.absent {
            return Err(Error::Absent("pause"));
        }
        self.set_frozen(true).inspect_err(|_| {
            // Half frozen is worse than not frozen.
            let _ = self.set_frozen(false);
        })
    }

    /// Lets the container's processes go on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn thaw(&self) -> Result<(), Error> {
        if self.absent {
            return Ok(());
        }
        self.set_frozen(false)
    }

    /// Whether the container is frozen; never without groups.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn is_frozen(&self) -> Result<bool, Error> {
        if self.absent {
            return Ok(false);
        }
        if let Some(directory) = self.controller_directory("freezer") {
            let state = controls::read(&directory.join("freezer.state"))?;
            return Ok(state.is_some_and(|state| state.trim() == "FROZEN"));
        }
        let directory = self.main_directory()?;
        let events = controls::read(&directory.join("cgroup.events"))?;
        Ok(events.is_some_and(|text| controls::keyed(&text, "frozen") == Some(1)))
    }

    /// Lets everything go on, nested groups that the container has frozen
    /// itself included, for the sake of what has been killed: on v1 the frozen
    /// do not die. Does not wait.
    pub(super) fn thaw_for_good(&self) {
        let groups = |directory: Option<std::path::PathBuf>| {
            directory
                .and_then(|directory| super::remove::tree(&directory).ok())
                .unwrap_or_default()
        };
        for group in groups(self.controller_directory("freezer")) {
            let file = group.join("freezer.state");
            let state = controls::read(&file).ok().flatten();
            if state.is_some_and(|state| state.trim() != "THAWED") {
                let _ = controls::write(&file, "THAWED");
            }
        }
        for group in groups(self.unified_directory()) {
            let file = group.join("cgroup.freeze");
            let state = controls::read(&file).ok().flatten();
            if state.is_some_and(|state| state.trim() == "1") {
                let _ = controls::write(&file, "0");
            }
        }
    }

    fn set_frozen(&self, frozen: bool) -> Result<(), Error> {
        if let Some(directory) = self.controller_directory("freezer") {
            return self.set_frozen_v1(&directory, frozen);
        }
        let directory = self.main_directory()?;
        controls::write(
            &directory.join("cgroup.freeze"),
            if frozen { "1" } else { "0" },
        )?;
        self.wait_until(&directory, frozen, || Ok(()))
    }

    fn set_frozen_v1(&self, directory: &Path, frozen: bool) -> Result<(), Error> {
        let file = directory.join("freezer.state");
        let state = if frozen { "FROZEN" } else { "THAWED" };
        controls::write(&file, state)?;
        // A process that is being made escapes the first attempt: the kernel
        // stays in "FREEZING" until it is asked again.
        self.wait_until(directory, frozen, || controls::write(&file, state))
    }

    fn wait_until(
        &self,
        directory: &Path,
        frozen: bool,
        ask_again: impl Fn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_micros(50);
        while self.is_frozen()? != frozen {
            if Instant::now() > deadline {
                return Err(Error::Freeze {
                    path: directory.to_owned(),
                    state: if frozen { "frozen" } else { "thawed" },
                });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
            ask_again()?;
        }
        Ok(())
    }
}
