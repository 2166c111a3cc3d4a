//! From the linker's map and executed addresses to names of input sections.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

/// A piece of code from one input file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    address: u64,
    size: u64,
    file: String,
    name: String,
}

/// The code sections of a map as lld prints it: lines of address, load address,
/// size, alignment, and `file:(section)` for an input section.
pub(super) fn parse(map: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = map.lines().filter_map(section).collect();
    sections.sort_by_key(|section| section.address);
    sections
}

fn section(line: &str) -> Option<Section> {
    let mut words = line.split_ascii_whitespace();
    let number = |word: Option<&str>| u64::from_str_radix(word?, 16).ok();
    let address = number(words.next())?;
    let size = number(words.nth(1))?;
    let input = words.nth(1)?;
    let (file, name) = input.strip_suffix(')')?.rsplit_once(":(")?;
    name.starts_with(".text").then(|| Section {
        address,
        size,
        file: file.to_owned(),
        name: name.to_owned(),
    })
}

/// Patterns of a linker script for the sections that were executed, in the
/// order of their addresses: that keeps neighbours together and changes little
/// from one time to the next.
pub(super) fn patterns(sections: &[Section], executed: &str) -> Vec<String> {
    let mut indices = BTreeSet::new();
    for start in executed
        .lines()
        .filter_map(|line| u64::from_str_radix(line, 16).ok())
    {
        // An address stands for sixteen bytes, in which two sections may meet.
        for address in [start, start + 15] {
            let next = sections.partition_point(|section| section.address <= address);
            let Some(index) = next.checked_sub(1) else {
                continue;
            };
            if address < sections[index].address + sections[index].size {
                indices.insert(index);
            }
        }
    }
    let mut seen = BTreeSet::new();
    indices
        .into_iter()
        .map(|index| pattern(&sections[index]))
        .filter(|pattern| seen.insert(pattern.clone()))
        .collect()
}

/// Without what changes from one build to the next: directories, hashes.
fn pattern(section: &Section) -> String {
    let file = section.file.rsplit('/').next().unwrap_or_default();
    if let Some((archive, member)) = file.strip_suffix(')').and_then(|file| file.split_once('(')) {
        let archive = archive.trim_end_matches(".rlib").trim_end_matches(".a");
        // A library of ours has a hash after its name, the mathematics library
        // the version of the C library.
        let archive = archive.split('-').next().unwrap_or(archive);
        return if section.file.contains(".rlib(") {
            format!("*{archive}-*:*({})", stable(&section.name))
        } else {
            format!("*{archive}*.a:{member}(.text .text.*)")
        };
    }
    // `tare-<hash>.<crate>.<hash>-cgu.0.rcgu.o`
    let krate = file
        .strip_prefix("tare-")
        .and_then(|rest| rest.split('.').nth(1))
        .filter(|_| file.contains("-cgu."));
    match krate {
        Some(krate) => format!("*.{krate}.*.rcgu.o({})", stable(&section.name)),
        None if section.name == ".text" => format!("*{file}(.text)"),
        None => format!("*({})", stable(&section.name)),
    }
}

/// A section's name without the hash of its function, and of its copy.
fn stable(name: &str) -> String {
    let name = match name.rfind("17h") {
        Some(at)
            if name[at + 3..]
                .bytes()
                .take(16)
                .all(|digit| digit.is_ascii_hexdigit()) =>
        {
            format!("{}17h*", &name[..at])
        }
        _ => match name.find(".llvm.") {
            Some(at) => format!("{}*", &name[..at]),
            None => name.to_owned(),
        },
    };
    // It has a meaning in a script.
    name.replace('$', "?")
}
