//! Licences, banned crates and sources, as deny.toml states them.
//!
//! `cargo deny check` reads the same file and checks more (advisories,
//! duplicates); compiling it takes longer than all the tests, so this check,
//! which needs nothing but `cargo metadata`, is the one that always runs.

#[cfg(test)]
mod tests;

use crate::metadata::Metadata;
use anyhow::{Result, bail};

/// The lists of deny.toml that are enforced here.
#[derive(Debug)]
pub(crate) struct Policy {
    licences: Vec<String>,
    banned: Vec<String>,
    registries: Vec<String>,
}

impl Policy {
    /// Reads the lists `licenses.allow`, `bans.deny` and
    /// `sources.allow-registry` out of deny.toml.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let policy = Self {
            licences: list(text, "licenses", "allow"),
            banned: list(text, "bans", "deny"),
            registries: list(text, "sources", "allow-registry"),
        };
        if policy.licences.is_empty() || policy.banned.is_empty() || policy.registries.is_empty() {
            bail!("deny.toml lacks one of licenses.allow, bans.deny, sources.allow-registry");
        }
        Ok(policy)
    }

    /// One line for every package that the policy refuses.
    pub(crate) fn findings(&self, metadata: &Metadata) -> Vec<String> {
        let mut findings = Vec::new();
        for package in &metadata.packages {
            let name = format!("{} {}", package.name, package.version);
            match &package.license {
                None => findings.push(format!("licences: {name} states no licence")),
                Some(expression) if !self.allows(expression) => {
                    findings.push(format!("licences: {name} is under {expression}"));
                }
                Some(_) => {}
            }
            if self.banned.contains(&package.name) {
                findings.push(format!("bans: {name} is banned in deny.toml"));
            }
            if let Some(source) = &package.source
                && !self
                    .registries
                    .iter()
                    .any(|registry| source.ends_with(registry))
            {
                findings.push(format!("sources: {name} comes from {source}"));
            }
        }
        findings
    }

    /// Whether an SPDX expression can be satisfied with allowed licences:
    /// every term of a conjunction, one of a disjunction.
    fn allows(&self, expression: &str) -> bool {
        // Older manifests write a slash for OR; brackets become words.
        let spaced = expression
            .replace('/', " OR ")
            .replace('(', " ( ")
            .replace(')', " ) ");
        let mut words = spaced.split_whitespace().peekable();
        self.disjunction(&mut words)
    }

    fn disjunction<'a>(&self, words: &mut Words<impl Iterator<Item = &'a str>>) -> bool {
        let mut allowed = self.conjunction(words);
        while words.next_if_eq(&"OR").is_some() {
            allowed |= self.conjunction(words);
        }
        allowed
    }

    fn conjunction<'a>(&self, words: &mut Words<impl Iterator<Item = &'a str>>) -> bool {
        let mut allowed = self.term(words);
        while words.next_if_eq(&"AND").is_some() {
            allowed &= self.term(words);
        }
        allowed
    }

    fn term<'a>(&self, words: &mut Words<impl Iterator<Item = &'a str>>) -> bool {
        if words.next_if_eq(&"(").is_some() {
            let allowed = self.disjunction(words);
            return words.next() == Some(")") && allowed;
        }
        let Some(licence) = words.next() else {
            return false;
        };
        let mut name = licence.to_owned();
        if words.next_if_eq(&"WITH").is_some() {
            name = format!("{name} WITH {}", words.next().unwrap_or_default());
        }
        self.licences.contains(&name)
    }
}

type Words<I> = std::iter::Peekable<I>;

/// The quoted strings of `key = [ … ]` in `[table]`. For the inline tables of
/// `bans.deny` (`{ crate = "ring", reason = "…" }`) that is the crate's name.
fn list(text: &str, table: &str, key: &str) -> Vec<String> {
    let mut current = "";
    let mut inside = false;
    let mut values = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('#') {
            continue;
        }
        if !inside {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                current = name;
            }
            inside = current == table
                && line
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start().starts_with('='));
            if !inside {
                continue;
            }
        }
        let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        if line.contains('{') {
            values.extend(quoted.first().map(|name| (*name).to_owned()));
        } else {
            values.extend(quoted.into_iter().map(str::to_owned));
        }
        inside = !line.ends_with(']');
    }
    values
}
