//! Cache and memory bandwidth of a container (`linux.intelRdt`), through the
//! kernel's resctrl file system.
//!
//! ```text
//! <mount>/                     the class that everything begins in ("/")
//!   info/                      what the processor can do
//!   <class>/                   closID, or the container's ID
//!     schemata                 its share of caches and bandwidth
//!     tasks                    its threads; those they make are in it as well
//!     mon_groups/<ID>/         the container's own counters, when asked for
//! ```
//!
//! A class is made when it is not there, and removed with the container that
//! made it; one that has a name of its own (closID) stays while other
//! containers are in it. A creator that is killed leaves a class that bears the
//! container's ID, which a later container of that ID takes over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tare_oci::runtime::IntelRdt;

use crate::error::Error;

/// The mounted file system.
#[derive(Debug)]
pub(crate) struct Resctrl {
    root: PathBuf,
}

/// A container's place in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    class: PathBuf,
    /// Whether the class goes with the container.
    made: bool,
    /// The container's own counters.
    monitoring: Option<PathBuf>,
}

impl Resctrl {
    /// Finds where it is mounted.
    pub(crate) fn find() -> Result<Resctrl, Error> {
        let table = fs::read_to_string("/proc/self/mountinfo").map_err(|error| {
            Error::configuration("linux.intelRdt", format!("/proc/self/mountinfo: {error}"))
        })?;
        mount_point(&table).map(Resctrl::at).ok_or_else(|| {
            Error::configuration(
                "linux.intelRdt",
                "no resctrl file system is mounted (mount -t resctrl resctrl /sys/fs/resctrl, on \
                 a processor that has it)",
            )
        })
    }

    fn at(root: PathBuf) -> Resctrl {
        Resctrl { root }
    }

    /// Makes a container's place as it is configured. On an error nothing has
    /// been made.
    pub(crate) fn make(&self, rdt: &IntelRdt, id: &str) -> Result<Place, Error> {
        let lines = lines(rdt);
        let configured = rdt.class_id.as_deref().filter(|class| !class.is_empty());
        let class = match configured {
            Some("/") => self.root.clone(),
            Some(name) => self.root.join(name),
            None => self.root.join(id),
        };
        let made = self.make_class(&class, configured.is_some(), &lines)?;
        let mut place = Place {
            class,
            made,
            monitoring: None,
        };
        match self.make_monitoring(rdt, &place.class, id) {
            Ok(monitoring) => {
                place.monitoring = monitoring;
                Ok(place)
            }
            Err(error) => {
                let _ = place.remove();
                Err(error)
            }
        }
    }

    /// Returns whether the class is the container's to remove.
    fn make_class(&self, class: &Path, is_named: bool, lines: &[String]) -> Result<bool, Error> {
        let field = "linux.intelRdt.closID";
        let failed = |error: io::Error| {
            Error::configuration(field, format!("making {}: {error}", class.display()))
        };
        if is_named && lines.is_empty() {
            // "The runtime MUST check if corresponding pre-configured directory
            // closID is present."
            if class.join("tasks").exists() {
                return Ok(false);
            }
            let reason = format!("there is no class {}, nor a schema for it", class.display());
            return Err(Error::configuration(field, reason));
        }
        match fs::create_dir(class) {
            Ok(()) => {}
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(self.explained(error)));
            }
            Err(_) if is_named => return self.compare(class, lines).map(|()| false),
            Err(_) => {
                let tasks = fs::read_to_string(class.join("tasks")).unwrap_or_default();
                if !tasks.trim().is_empty() {
                    let reason = format!("{} is in use by others", class.display());
                    return Err(Error::configuration("linux.intelRdt", reason));
                }
            }
        }
        if !lines.is_empty() {
            let mut text = lines.join("\n");
            text.push('\n');
            fs::write(class.join("schemata"), &text).map_err(|error| {
                let error = self.explained(error);
                let _ = fs::remove_dir(class);
                let wanted = lines.join(" ");
                Error::configuration("linux.intelRdt", format!("schemata {wanted:?}: {error}"))
            })?;
        }
        Ok(true)
    }

    /// Refuses a class whose schemata are not the configured ones.
    fn compare(&self, class: &Path, lines: &[String]) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::configuration("linux.intelRdt", reason));
        let path = class.join("schemata");
        let present = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return refuse(format!("{}: {error}", path.display())),
        };
        let present: Vec<(String, String, String)> = present.lines().flat_map(values).collect();
        for line in lines {
            if let Some((resource, domain, value)) =
                values(line).find(|value| !present.contains(value))
            {
                return refuse(format!(
                    "{resource}:{domain}={value} is not what {} says",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    fn make_monitoring(
        &self,
        rdt: &IntelRdt,
        class: &Path,
        id: &str,
    ) -> Result<Option<PathBuf>, Error> {
        for (is_asked, field, feature) in [
            (rdt.enable_cache_monitoring, "enableCMT", "llc_occupancy"),
            (rdt.enable_bandwidth_monitoring, "enableMBM", "mbm_"),
            (rdt.enable_monitoring, "enableMonitoring", ""),
        ] {
            let features = fs::read_to_string(self.root.join("info/L3_MON/mon_features"));
            let has = |text: String| text.lines().any(|line| line.starts_with(feature));
            if is_asked && !features.is_ok_and(has) {
                return Err(Error::configuration(
                    format!("linux.intelRdt.{field}"),
                    "the host's processor cannot count that",
                ));
            }
        }
        if !(rdt.enable_cache_monitoring
            || rdt.enable_bandwidth_monitoring
            || rdt.enable_monitoring)
        {
            return Ok(None);
        }
        let path = class.join("mon_groups").join(id);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                let error = self.explained(error);
                Err(Error::configuration(
                    "linux.intelRdt.enableMonitoring",
                    format!("making {}: {error}", path.display()),
                ))
            }
            _ => Ok(Some(path)),
        }
    }

    /// With the kernel's own words on the last refusal.
    fn explained(&self, error: io::Error) -> io::Error {
        let words = fs::read_to_string(self.root.join("info/last_cmd_status")).unwrap_or_default();
        match words.trim() {
            "" | "ok" => error,
            words => io::Error::new(error.kind(), format!("{error} ({words})")),
        }
    }
}

impl Place {
    /// Puts a process there, which has one thread; those that it makes follow.
    pub(crate) fn enter(&self, pid: i32) -> Result<(), Error> {
        // A thread can be counted only in the class that it is in.
        for directory in [Some(&self.class), self.monitoring.as_ref()]
            .into_iter()
            .flatten()
        {
            let path = directory.join("tasks");
            fs::write(&path, format!("{pid}\n")).map_err(|source| Error::Outside {
                what: format!("the class of service ({})", path.display()),
                source,
            })?;
        }
        Ok(())
    }

    /// Removes what goes with the container, whose processes have ended. Safe
    /// to repeat.
    pub(crate) fn remove(&self) -> io::Result<()> {
        if let Some(monitoring) = &self.monitoring {
            remove(monitoring)?;
        }
        let tasks = fs::read_to_string(self.class.join("tasks")).unwrap_or_default();
        if self.made && tasks.trim().is_empty() {
            remove(&self.class)?;
        }
        Ok(())
    }
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io::Error::new(
            error.kind(),
            format!("removing {}: {error}", directory.display()),
        )),
        _ => Ok(()),
    }
}

/// What is to be written as schemata; later lines prevail.
fn lines(rdt: &IntelRdt) -> Vec<String> {
    let cache = rdt.l3_cache_schema.iter().flat_map(|schema| schema.lines());
    let bandwidth = rdt.mem_bw_schema.iter().flat_map(|schema| schema.lines());
    let further = rdt.schemata.iter().map(String::as_str);
    cache
        .chain(bandwidth)
        .chain(further)
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// The values of a line as `(resource, domain, value)`, in one spelling: the
/// kernel pads them.
fn values(line: &str) -> impl Iterator<Item = (String, String, String)> + '_ {
    let (resource, rest) = line.split_once(':').unwrap_or((line, ""));
    rest.split(';').filter_map(move |part| {
        let (domain, value) = part.split_once('=')?;
        let value = value.trim().to_ascii_lowercase();
        let value = match value.trim_start_matches('0') {
            "" => "0".to_owned(),
            short => short.to_owned(),
        };
        Some((resource.trim().to_owned(), domain.trim().to_owned(), value))
    })
}

fn mount_point(table: &str) -> Option<PathBuf> {
    table.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        if file_system.split(' ').next() != Some("resctrl") {
            return None;
        }
        // Blanks and the like would be octal here; nobody mounts it there.
        mount.split(' ').nth(4).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests;
