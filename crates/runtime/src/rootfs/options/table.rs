//! Every mount option that is not the file system's own, by name.

use tare_sys::mount::Attributes;

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Sets bits of those that it decides, for the mount itself.
    Attribute { set: u64, mask: u64 },
    /// The same for the mount and all below it.
    Recursive { set: u64, mask: u64 },
    /// Takes back what an option before it has set: this is the kernel's own
    /// way without it.
    Withdraw { bits: u64, recursive: bool },
    /// Gives the mount, or all of the tree, a propagation type.
    Propagation { kind: u64, recursive: bool },
    /// A flag of the file system as a whole, wherever it is mounted.
    SuperBlock { needed: bool },
    /// `bind` (false) or `rbind` (true).
    Bind(bool),
    /// `idmap` (false) or `ridmap` (true).
    IdMap(bool),
    /// Changes what is mounted there already.
    Remount,
    /// Fills a new tmpfs with what it covers.
    CopyUp,
    /// Names what is the case anyway.
    Nothing,
}

use Effect::{Attribute, Bind, CopyUp, IdMap, Nothing, Propagation, Recursive, Remount};

const fn on(bit: u64) -> Effect {
    Attribute {
        set: bit,
        mask: bit,
    }
}

const fn off(bit: u64) -> Effect {
    Attribute { set: 0, mask: bit }
}

const fn times(set: u64) -> Effect {
    Attribute {
        set,
        mask: Attributes::ATIME,
    }
}

const fn all_on(bit: u64) -> Effect {
    Recursive {
        set: bit,
        mask: bit,
    }
}

const fn all_off(bit: u64) -> Effect {
    Recursive { set: 0, mask: bit }
}

const fn all_times(set: u64) -> Effect {
    Recursive {
        set,
        mask: Attributes::ATIME,
    }
}

const fn withdraw(bits: u64, recursive: bool) -> Effect {
    Effect::Withdraw { bits, recursive }
}

const fn propagation(kind: u64, recursive: bool) -> Effect {
    Propagation { kind, recursive }
}

/// The kernel refuses a file system that cannot have this flag.
const NEEDED: Effect = Effect::SuperBlock { needed: true };
/// Only some file systems know this flag. As with mount(2) the others are
/// mounted all the same: to them it makes no difference.
const KNOWN_TO_SOME: Effect = Effect::SuperBlock { needed: false };

/// The options, sorted by name: those of the specification (config.md, "Linux
/// mount options") and `acl` and `noacl`, which runc knows beside them.
pub(super) const TABLE: [(&str, Effect); 64] = [
    ("acl", KNOWN_TO_SOME),
    ("async", NEEDED),
    ("atime", times(Attributes::RELATIME)),
    ("bind", Bind(false)),
    ("defaults", Nothing),
    ("dev", off(Attributes::NODEV)),
    ("diratime", off(Attributes::NODIRATIME)),
    ("dirsync", NEEDED),
    ("exec", off(Attributes::NOEXEC)),
    ("idmap", IdMap(false)),
    ("iversion", KNOWN_TO_SOME),
    ("lazytime", NEEDED),
    ("loud", KNOWN_TO_SOME),
    ("mand", NEEDED),
    ("noacl", KNOWN_TO_SOME),
    ("noatime", times(Attributes::NOATIME)),
    ("nodev", on(Attributes::NODEV)),
    ("nodiratime", on(Attributes::NODIRATIME)),
    ("noexec", on(Attributes::NOEXEC)),
    ("noiversion", KNOWN_TO_SOME),
    ("nolazytime", NEEDED),
    ("nomand", NEEDED),
    ("norelatime", Nothing),
    ("nostrictatime", withdraw(Attributes::STRICTATIME, false)),
    ("nosuid", on(Attributes::NOSUID)),
    ("nosymfollow", on(Attributes::NOSYMFOLLOW)),
    ("private", propagation(Attributes::PRIVATE, false)),
    ("ratime", all_times(Attributes::RELATIME)),
    ("rbind", Bind(true)),
    ("rdev", all_off(Attributes::NODEV)),
    ("rdiratime", all_off(Attributes::NODIRATIME)),
    ("relatime", times(Attributes::RELATIME)),
    ("remount", Remount),
    ("rexec", all_off(Attributes::NOEXEC)),
    ("ridmap", IdMap(true)),
    ("rnoatime", all_times(Attributes::NOATIME)),
    ("rnodev", all_on(Attributes::NODEV)),
    ("rnodiratime", all_on(Attributes::NODIRATIME)),
    ("rnoexec", all_on(Attributes::NOEXEC)),
    ("rnorelatime", Nothing),
    ("rnostrictatime", withdraw(Attributes::STRICTATIME, true)),
    ("rnosuid", all_on(Attributes::NOSUID)),
    ("rnosymfollow", all_on(Attributes::NOSYMFOLLOW)),
    ("ro", on(Attributes::RDONLY)),
    ("rprivate", propagation(Attributes::PRIVATE, true)),
    ("rrelatime", all_times(Attributes::RELATIME)),
    ("rro", all_on(Attributes::RDONLY)),
    ("rrw", all_off(Attributes::RDONLY)),
    ("rshared", propagation(Attributes::SHARED, true)),
    ("rslave", propagation(Attributes::SLAVE, true)),
    ("rstrictatime", all_times(Attributes::STRICTATIME)),
    ("rsuid", all_off(Attributes::NOSUID)),
    ("rsymfollow", all_off(Attributes::NOSYMFOLLOW)),
    ("runbindable", propagation(Attributes::UNBINDABLE, true)),
    ("rw", off(Attributes::RDONLY)),
    ("shared", propagation(Attributes::SHARED, false)),
    ("silent", KNOWN_TO_SOME),
    ("slave", propagation(Attributes::SLAVE, false)),
    ("strictatime", times(Attributes::STRICTATIME)),
    ("suid", off(Attributes::NOSUID)),
    ("symfollow", off(Attributes::NOSYMFOLLOW)),
    ("sync", NEEDED),
    ("tmpcopyup", CopyUp),
    ("unbindable", propagation(Attributes::UNBINDABLE, false)),
];

/// What an option does; `None` for one of the file system's own.
pub(super) fn effect(option: &str) -> Option<Effect> {
    TABLE
        .binary_search_by_key(&option, |(name, _)| name)
        .ok()
        .map(|at| TABLE[at].1)
}
