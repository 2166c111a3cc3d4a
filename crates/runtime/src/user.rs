//! Who a container's program runs as: users and groups by name.
//!
//! The names are looked up in the container's own /etc/passwd and /etc/group,
//! by its own process and inside its own root. Those files are the image's, so
//! they are read as what they are: text of a stranger, of bounded size, from a
//! regular file only. Digits are an ID, whatever the files say and however many
//! they are: an image that has a user of that name must not be what decides
//! (CVE-2026-46680).

use std::io::Read;

use rustix::fs::{FileType, Mode, OFlags};

/// The largest ID, as Docker and runc have it.
const MAXIMUM_ID: u32 = 0x7fff_ffff;
/// As much of each file as is read, in bytes.
const MAXIMUM_SIZE: u64 = 16 << 20;
/// As many supplementary groups as a process can have.
const MAXIMUM_GROUPS: usize = 65536;

/// Who a program runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// User ID.
    pub uid: u32,
    /// Group ID.
    pub gid: u32,
    /// Supplementary groups, the group among them, without repetition.
    pub groups: Vec<u32>,
    /// Home directory.
    pub home: Option<String>,
}

/// Why a user could not be made out. The texts are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such user.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoSuchUser(String),
    /// No such group.
    #[error("unable to find group {0}: no matching entries in group file")]
    NoSuchGroup(String),
    /// An ID that is too large.
    #[error("uids and gids must be in range 0-{MAXIMUM_ID}")]
    OutOfRange,
    /// More groups than a process can have.
    #[error("too many supplementary groups")]
    TooManyGroups,
    /// A file that is no text or no regular file.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// A line of /etc/passwd, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// A line of /etc/group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

fn users(passwd: &str) -> impl Iterator<Item = User<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let mut fields = fields.skip(1);
        let uid = id(fields.next()?)?;
        let gid = id(fields.next()?)?;
        let home = fields.nth(1).unwrap_or("");
        Some(User {
            name,
            uid,
            gid,
            home,
        })
    })
}

fn groups(group: &str) -> impl Iterator<Item = Group<'_>> {
    group.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = id(fields.nth(1)?)?;
        Some(Group {
            name,
            gid,
            members: fields.next().unwrap_or(""),
        })
    })
}

fn id(text: &str) -> Option<u32> {
    // In the files "+5" is no number, whatever the standard library thinks.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|id| *id <= MAXIMUM_ID)
}

/// Whether somebody who reads numbers would read this as one: digits, perhaps
/// with a sign.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ID that a number is, with a sign as Docker takes it.
fn chosen(number: &str) -> Result<u32, Error> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    id(digits).ok_or(Error::OutOfRange)
}

/// Makes out `specification`, which is empty (root) or `user[:group]`, either
/// by name or by number, and the `additional` groups, likewise.
///
/// # Errors
/// When a name is unknown or a number too large.
pub fn resolve(
    passwd: &str,
    group: &str,
    specification: &str,
    additional: &[String],
) -> Result<Resolved, Error> {
    let (user, group_part) = match specification.split_once(':') {
        Some((user, group)) => (user, group),
        None => (specification, ""),
    };
    let mut resolved = Resolved::default();
    let mut name = None;
    let found = if user.is_empty() {
        users(passwd).find(|entry| entry.uid == 0)
    } else if is_number(user) {
        let uid = chosen(user)?;
        resolved.uid = uid;
        users(passwd).find(|entry| entry.uid == uid)
    } else {
        let entry = users(passwd).find(|entry| entry.name == user);
        Some(entry.ok_or_else(|| Error::NoSuchUser(user.to_owned()))?)
    };
    if let Some(entry) = found {
        resolved.uid = entry.uid;
        resolved.gid = entry.gid;
        name = Some(entry.name);
        resolved.home = Some(entry.home.to_owned()).filter(|home| !home.is_empty());
    }
    if group_part.is_empty() {
        // Without a group of its own choice the user has all of its groups.
        if let Some(name) = name {
            for entry in groups(group) {
                if entry.members.split(',').any(|member| member == name) {
                    resolved.groups.push(entry.gid);
                }
            }
        }
    } else {
        resolved.gid = find_group(group, group_part)?;
    }
    for one in additional {
        resolved.groups.push(find_group(group, one)?);
    }
    // The group itself is among the supplementary ones, so that dropping it
    // is no way around a file that shuts the group out (CVE-2022-36109).
    resolved.groups.insert(0, resolved.gid);
    let mut seen = std::collections::BTreeSet::new();
    resolved.groups.retain(|gid| seen.insert(*gid));
    if resolved.groups.len() > MAXIMUM_GROUPS {
        return Err(Error::TooManyGroups);
    }
    Ok(resolved)
}

fn find_group(group: &str, name: &str) -> Result<u32, Error> {
    if is_number(name) {
        return chosen(name);
    }
    groups(group)
        .find(|entry| entry.name == name)
        .map(|entry| entry.gid)
        .ok_or_else(|| Error::NoSuchGroup(name.to_owned()))
}

/// The home directory of a user by number; `/` when it has none.
#[must_use]
pub fn home(passwd: &str, uid: u32) -> String {
    users(passwd)
        .find(|entry| entry.uid == uid)
        .map(|entry| entry.home)
        .filter(|home| !home.is_empty())
        .unwrap_or("/")
        .to_owned()
}

/// The name of a user by number.
#[must_use]
pub fn name(passwd: &str, uid: u32) -> Option<String> {
    users(passwd)
        .find(|entry| entry.uid == uid)
        .map(|entry| entry.name.to_owned())
}

/// The text of /etc/passwd of the root that the calling process is in; empty
/// when there is none.
pub(crate) fn read_passwd() -> Result<String, Error> {
    read("/etc/passwd")
}

/// As [`read_passwd`], for /etc/group.
pub(crate) fn read_group() -> Result<String, Error> {
    read("/etc/group")
}

fn read(path: &'static str) -> Result<String, Error> {
    let file_error = |reason: String| Error::File { path, reason };
    // A FIFO or a device there must not hold the process up.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(String::new()),
        Err(error) => return Err(file_error(error.to_string())),
    };
    let status = rustix::fs::fstat(&file).map_err(|error| file_error(error.to_string()))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(file_error("is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    std::fs::File::from(file)
        .take(MAXIMUM_SIZE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| file_error(error.to_string()))?;
    if bytes.len() as u64 > MAXIMUM_SIZE {
        return Err(file_error("is too large".to_owned()));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
