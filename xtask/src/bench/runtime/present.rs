//! Containers that are there while others are measured.

use super::bundle::Bundle;
use super::runtimes::Runtime;
use super::sequence::Sequence;
use anyhow::Result;
use std::collections::BTreeMap;

/// How many are made or removed by one sequence.
const AT_ONCE: usize = 50;

/// Running containers, the same number of every runtime.
pub(super) struct Present<'a> {
    bundle: &'a Bundle,
    prefix: &'static str,
    counts: BTreeMap<&'static str, usize>,
}

impl<'a> Present<'a> {
    /// None yet; their names will be the prefix and a number from 0.
    pub(super) fn new(bundle: &'a Bundle, prefix: &'static str) -> Self {
        Self {
            bundle,
            prefix,
            counts: BTreeMap::new(),
        }
    }

    /// Runs more until there are so many of this runtime.
    pub(super) fn grow(
        &mut self,
        sequence: &Sequence,
        runtime: &Runtime,
        count: usize,
    ) -> Result<()> {
        let present = self.counts.entry(runtime.name).or_default();
        while *present < count {
            let end = count.min(*present + AT_ONCE);
            let mut steps = Vec::new();
            for number in *present..end {
                let id = format!("{}-{number}", self.prefix);
                let group = format!("{}-{id}", runtime.name);
                let bundle = self.bundle.staying(&group)?;
                let pid_file = pid_file(runtime, &id);
                steps.push(runtime.create(&bundle, &id, &pid_file));
                steps.push(runtime.line(&["start", &id]));
            }
            sequence.run(&steps)?;
            *present = end;
        }
        Ok(())
    }

    /// Ends and deletes those of this runtime.
    pub(super) fn remove(&mut self, sequence: &Sequence, runtime: &Runtime) -> Result<()> {
        let count = self.counts.remove(runtime.name).unwrap_or_default();
        let numbers: Vec<usize> = (0..count).collect();
        for numbers in numbers.chunks(AT_ONCE) {
            let mut steps = Vec::new();
            for number in numbers {
                let id = format!("{}-{number}", self.prefix);
                // Not by the runtime: some of them sleep before they look
                // whether the process has ended.
                steps.push(vec!["@kill".to_owned(), pid_file(runtime, &id)]);
                steps.push(runtime.line(&["delete", &id]));
            }
            sequence.run(&steps)?;
        }
        Ok(())
    }
}

fn pid_file(runtime: &Runtime, id: &str) -> String {
    format!("/run/{}-{id}.pid", runtime.name)
}
