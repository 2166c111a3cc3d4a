//! Mount options in the words of mount(8), sorted into what the kernel's
//! mount interface wants.

mod table;

use tare_sys::mount::Attributes;

use table::{Effect, TABLE};

/// The names of all options that are not the file system's own, sorted.
pub const NAMES: [&str; TABLE.len()] = {
    let mut names = [""; TABLE.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = TABLE[index].0;
        index += 1;
    }
    names
};

/// A flag of a file system as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SuperBlockFlag {
    /// Its name, for fsconfig.
    pub(crate) name: String,
    /// Whether a file system that does not know it is refused.
    pub(crate) needed: bool,
}

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
    /// Flags of the file system as a whole, in the order given.
    pub(crate) super_block: Vec<SuperBlockFlag>,
    /// The file system's own options.
    pub(crate) data: Vec<(String, Option<String>)>,
    /// Whether the directory's content is copied into the new tmpfs.
    pub(crate) copy_up: bool,
    /// Whether what is mounted there already is changed.
    pub(crate) remount: bool,
    /// `idmap` (false) or `ridmap` (true).
    pub(crate) id_map: Option<bool>,
}

impl MountOptions {
    /// Sorts options. What is no option of [`NAMES`] is the file system's.
    pub(crate) fn parse<S: AsRef<str>>(options: &[S]) -> MountOptions {
        let mut parsed = MountOptions::default();
        for option in options {
            parsed.add(option.as_ref());
        }
        parsed
    }

    fn add(&mut self, option: &str) {
        match table::effect(option) {
            Some(Effect::Attribute { set, mask }) => apply(&mut self.attributes, set, mask),
            Some(Effect::Recursive { set, mask }) => apply(&mut self.recursive, set, mask),
            Some(Effect::Withdraw { bits, recursive }) => {
                let attributes = if recursive {
                    &mut self.recursive
                } else {
                    &mut self.attributes
                };
                attributes.set &= !bits;
            }
            Some(Effect::Propagation { kind, recursive }) => {
                self.propagation.push((kind, recursive));
            }
            Some(Effect::SuperBlock { needed }) => self.super_block.push(SuperBlockFlag {
                name: option.to_owned(),
                needed,
            }),
            Some(Effect::Bind(recursive)) => self.bind = Some(recursive),
            Some(Effect::IdMap(recursive)) => self.id_map = Some(recursive),
            Some(Effect::Remount) => self.remount = true,
            Some(Effect::CopyUp) => self.copy_up = true,
            Some(Effect::Nothing) => {}
            None if option.is_empty() => {}
            None => self.data.push(match option.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), None),
            }),
        }
    }

    /// Whether one of the file system's own options is given.
    pub(crate) fn has_data(&self, key: &str) -> bool {
        self.data.iter().any(|(name, _)| name == key)
    }

    /// The first option that says something about a file system as a whole,
    /// which a bind mount has no say in.
    pub(crate) fn first_of_file_system(&self) -> Option<&str> {
        // These are the case without them.
        const DEFAULTS: [&str; 6] = [
            "async",
            "loud",
            "noacl",
            "noiversion",
            "nolazytime",
            "nomand",
        ];
        let flags = self.super_block.iter().map(|flag| flag.name.as_str());
        flags
            .filter(|name| !DEFAULTS.contains(name))
            .chain(self.data.iter().map(|(name, _)| name.as_str()))
            .next()
    }

    /// Changes to the mount itself, those of the whole tree included.
    pub(crate) fn own_attributes(&self) -> Attributes {
        let mut all = self.attributes;
        apply(&mut all, self.recursive.set, self.recursive.clear);
        all
    }
}

fn apply(attributes: &mut Attributes, set: u64, mask: u64) {
    attributes.set = attributes.set & !mask | set;
    attributes.clear |= mask;
}

#[cfg(test)]
mod tests;
