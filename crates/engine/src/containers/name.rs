//! Container names: what is allowed, and the one made up when none is given.

use crate::error::{Error, Result};

/// First halves of made-up names: what an empty vessel may be like.
const QUALITIES: &[&str] = &[
    "agile",
    "amber",
    "ample",
    "bold",
    "brave",
    "brisk",
    "calm",
    "candid",
    "clear",
    "clever",
    "cosy",
    "crisp",
    "daring",
    "deft",
    "eager",
    "early",
    "earnest",
    "fair",
    "fleet",
    "fond",
    "frank",
    "fresh",
    "gentle",
    "glad",
    "golden",
    "grand",
    "happy",
    "hardy",
    "honest",
    "humble",
    "jolly",
    "keen",
    "kind",
    "light",
    "lively",
    "loyal",
    "lucid",
    "merry",
    "mild",
    "modest",
    "neat",
    "nimble",
    "noble",
    "open",
    "patient",
    "placid",
    "plain",
    "polite",
    "prime",
    "proud",
    "quick",
    "quiet",
    "ready",
    "robust",
    "serene",
    "sharp",
    "silent",
    "silver",
    "simple",
    "sleek",
    "smooth",
    "sober",
    "solid",
    "spare",
    "spry",
    "stable",
    "steady",
    "still",
    "sturdy",
    "subtle",
    "sunny",
    "swift",
    "tender",
    "tidy",
    "trim",
    "trusty",
    "upright",
    "vivid",
    "warm",
    "weightless",
    "willing",
    "wise",
    "witty",
];

/// Second halves: things that hold, carry or weigh.
const VESSELS: &[&str] = &[
    "amphora",
    "anchor",
    "ark",
    "balance",
    "bale",
    "barge",
    "bark",
    "barrel",
    "basin",
    "basket",
    "beaker",
    "bin",
    "bottle",
    "bowl",
    "box",
    "brig",
    "bucket",
    "bundle",
    "caddy",
    "caique",
    "can",
    "canister",
    "canoe",
    "canteen",
    "carafe",
    "carrack",
    "cart",
    "case",
    "cask",
    "casket",
    "chalice",
    "chest",
    "clipper",
    "cog",
    "coracle",
    "crate",
    "cruse",
    "cutter",
    "dinghy",
    "drum",
    "ewer",
    "ferry",
    "firkin",
    "flagon",
    "flask",
    "galleon",
    "galley",
    "goblet",
    "hamper",
    "hogshead",
    "hull",
    "jar",
    "jug",
    "junk",
    "kayak",
    "keel",
    "keg",
    "ketch",
    "kettle",
    "kist",
    "ladle",
    "lighter",
    "locker",
    "lugger",
    "mug",
    "pail",
    "pallet",
    "pan",
    "pannier",
    "pinnace",
    "pitcher",
    "pot",
    "pouch",
    "punt",
    "raft",
    "sack",
    "sampan",
    "scale",
    "schooner",
    "scow",
    "scuttle",
    "skiff",
    "sloop",
    "steelyard",
    "tankard",
    "tender",
    "tray",
    "trough",
    "trunk",
    "tub",
    "tun",
    "urn",
    "vase",
    "vat",
    "vial",
    "wherry",
    "yawl",
];

/// A name such as `swift_barge`; a number is appended from the second `attempt` on.
pub(crate) fn generate(attempt: u32) -> Result<String> {
    let mut random = [0_u8; 6];
    getrandom::fill(&mut random).map_err(Error::internal)?;
    let quality =
        QUALITIES[usize::from(u16::from_le_bytes([random[0], random[1]])) % QUALITIES.len()];
    let vessel = VESSELS[usize::from(u16::from_le_bytes([random[2], random[3]])) % VESSELS.len()];
    if attempt == 0 {
        return Ok(format!("{quality}_{vessel}"));
    }
    let number = u16::from_le_bytes([random[4], random[5]]);
    Ok(format!("{quality}_{vessel}{number}"))
}

/// Checks a name that a client chose and returns it without a leading slash.
pub(crate) fn check(name: &str) -> Result<&str> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    let mut characters = bare.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = characters.clone().next().is_some()
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if first && rest {
        return Ok(bare);
    }
    Err(Error::invalid(format!(
        "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    )))
}

/// A new container or exec ID: 64 random hexadecimal digits.
///
/// Redrawn when the short form could be read as a decimal number, as Docker
/// does, since tools would take it for one.
pub(crate) fn new_id() -> Result<String> {
    loop {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).map_err(Error::internal)?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        if id[..12].bytes().any(|digit| digit.is_ascii_alphabetic()) {
            return Ok(id);
        }
    }
}

#[cfg(test)]
mod tests;
