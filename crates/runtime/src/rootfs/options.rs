//! Mount options in the words of mount(8), sorted into what the kernel's
//! mount interface wants.

use std::borrow::Cow;

use tare_sys::mount::Attributes;

/// The options of one mount, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MountOptions {
    /// `bind` (false) or `rbind` (true).
    pub(crate) bind: Option<bool>,
    /// Changes to the mount itself.
    pub(crate) attributes: Attributes,
    /// Changes to the mount and all below it.
    pub(crate) recursive: Attributes,
    /// Propagation types in the order given, with their reach.
    pub(crate) propagation: Vec<(u64, bool)>,
    /// The file system's own options.
    pub(crate) data: Vec<(String, Option<String>)>,
    /// Whether the directory's content is copied into the new tmpfs.
    pub(crate) copy_up: bool,
}

impl MountOptions {
    /// Sorts options.
    ///
    /// # Errors
    /// The option that is known but not supported.
    pub(crate) fn parse<S: AsRef<str>>(options: &[S]) -> Result<MountOptions, String> {
        let mut parsed = MountOptions::default();
        for option in options {
            parsed.add(option.as_ref())?;
        }
        Ok(parsed)
    }

    fn add(&mut self, option: &str) -> Result<(), String> {
        if let Some((set, mask)) = attribute(option) {
            apply(&mut self.attributes, set, mask);
            return Ok(());
        }
        // "rro", "rnoexec", ...: the same, for the whole tree.
        if let Some((set, mask)) = option.strip_prefix('r').and_then(attribute)
            && option != "relatime"
        {
            apply(&mut self.recursive, set, mask);
            return Ok(());
        }
        if let Some(propagation) = propagation(option) {
            self.propagation.push(propagation);
            return Ok(());
        }
        match option {
            "bind" => self.bind = Some(false),
            "rbind" => self.bind = Some(true),
            "defaults" | "async" | "" | "loud" | "nomand" | "noiversion" | "norelatime"
            | "nostrictatime" => {}
            "tmpcopyup" => self.copy_up = true,
            "remount" | "idmap" | "ridmap" => return Err(option.to_owned()),
            _ => self.data.push(match option.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), None),
            }),
        }
        Ok(())
    }

    /// The value of one of the file system's own options.
    pub(crate) fn data_value(&self, key: &str) -> Option<Cow<'_, str>> {
        self.data
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .and_then(|(_, value)| value.as_deref().map(Cow::Borrowed))
    }
}

fn apply(attributes: &mut Attributes, set: u64, mask: u64) {
    attributes.set = attributes.set & !mask | set;
    attributes.clear |= mask;
}

/// What an option sets, and the bits that it decides.
fn attribute(option: &str) -> Option<(u64, u64)> {
    let switch = |bit: u64, on: bool| (if on { bit } else { 0 }, bit);
    Some(match option {
        "ro" => switch(Attributes::RDONLY, true),
        "rw" => switch(Attributes::RDONLY, false),
        "nosuid" => switch(Attributes::NOSUID, true),
        "suid" => switch(Attributes::NOSUID, false),
        "nodev" => switch(Attributes::NODEV, true),
        "dev" => switch(Attributes::NODEV, false),
        "noexec" => switch(Attributes::NOEXEC, true),
        "exec" => switch(Attributes::NOEXEC, false),
        "nodiratime" => switch(Attributes::NODIRATIME, true),
        "diratime" => switch(Attributes::NODIRATIME, false),
        "nosymfollow" => switch(Attributes::NOSYMFOLLOW, true),
        "symfollow" => switch(Attributes::NOSYMFOLLOW, false),
        "noatime" => (Attributes::NOATIME, Attributes::ATIME),
        "relatime" | "atime" => (Attributes::RELATIME, Attributes::ATIME),
        "strictatime" => (Attributes::STRICTATIME, Attributes::ATIME),
        _ => return None,
    })
}

fn propagation(option: &str) -> Option<(u64, bool)> {
    let (name, recursive) = match option.strip_prefix('r') {
        Some(name) => (name, true),
        None => (option, false),
    };
    let kind = match name {
        "private" => Attributes::PRIVATE,
        "shared" => Attributes::SHARED,
        "slave" => Attributes::SLAVE,
        "unbindable" => Attributes::UNBINDABLE,
        _ => return None,
    };
    Some((kind, recursive))
}

#[cfg(test)]
mod tests;
