//! The table: medians with the least and the most, ratios, and the targets.

#[cfg(test)]
mod tests;

use super::engine::Kind;
use crate::process::output;
use std::collections::BTreeMap;
use std::process::Command;

/// What is counted.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// 2^20 bytes.
    Megabytes,
}

/// What is aimed at.
pub(super) enum Target {
    /// Not more than this.
    AtMost(f64),
    /// At least so many times faster than each of these in the same run.
    TimesFaster(&'static [(&'static str, f64)]),
    /// Not more than so many times the median of another item in the same run,
    /// the floor taken off both where it was measured with both: what the
    /// kernel takes longer for is not ours.
    Flat {
        /// The item compared with.
        base: String,
        /// What is still called the same.
        times: f64,
    },
    /// Nothing: it is measured to see where the time goes.
    None,
}

impl Target {
    /// The same as another item, but for this factor.
    pub(super) fn flat(base: &str, times: f64) -> Self {
        Self::Flat {
            base: base.to_owned(),
            times,
        }
    }
}

/// One line of the table.
pub(super) struct Item {
    name: String,
    unit: Unit,
    target: Target,
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Item {
    /// Adds a measured value of an engine or of the floor.
    pub(super) fn add(&mut self, who: &'static str, value: f64) {
        self.values.entry(who).or_default().push(value);
    }

    fn median(&self, who: &str) -> Option<f64> {
        let mut values = self.values.get(who)?.clone();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len() % 2 == 1 {
            values.get(middle).copied()
        } else {
            Some(f64::midpoint(
                *values.get(middle.checked_sub(1)?)?,
                *values.get(middle)?,
            ))
        }
    }

    fn cell(&self, who: &str) -> String {
        let (Some(median), Some(values)) = (self.median(who), self.values.get(who)) else {
            return "-".to_owned();
        };
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        format!("{} ({}..{})", number(median), number(least), number(most))
    }

    /// How many times faster ours is than another one.
    fn ratio(&self, peer: &str) -> Option<f64> {
        Some(self.median(peer)? / self.median("tare")?)
    }
}

/// All lines, with whom they compare.
pub(super) struct Report {
    about: Vec<String>,
    columns: Vec<&'static str>,
    peers: Vec<&'static str>,
    items: Vec<Item>,
}

impl Report {
    /// An empty table: lines that say what is compared, whose values have a
    /// column, and with whom ours are compared.
    pub(super) fn new(
        about: Vec<String>,
        columns: Vec<&'static str>,
        peers: Vec<&'static str>,
    ) -> Self {
        Self {
            about,
            columns,
            peers,
            items: Vec::new(),
        }
    }

    /// An empty table of engines.
    pub(super) fn of_engines(kinds: &[Kind]) -> Self {
        let about = kinds
            .iter()
            .map(|kind| match kind.version() {
                Ok(version) => format!("{}: {version}", kind.name()),
                Err(error) => format!("{}: {error:#}", kind.name()),
            })
            .collect();
        let mut columns: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        columns.push("floor");
        Self::new(about, columns, vec!["docker"])
    }

    /// A new line.
    pub(super) fn item(&mut self, name: &str, unit: Unit, target: Target) -> &mut Item {
        self.items.push(Item {
            name: name.to_owned(),
            unit,
            target,
            values: BTreeMap::new(),
        });
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    /// Adds a value to a line that is there.
    pub(super) fn add(&mut self, name: &str, who: &'static str, value: f64) {
        let item = self.items.iter_mut().find(|item| item.name == name);
        item.expect("a line of the table").add(who, value);
    }

    /// Prints machine, versions and table.
    pub(super) fn print(&self, markdown: bool) {
        println!("{}", machine());
        for line in &self.about {
            println!("{line}");
        }
        println!("Median (least..most); rounds of all interleaved in one run.\n");
        println!("{}", table(&self.rows(), markdown));
    }

    fn verdict(&self, item: &Item) -> String {
        let ours = item.median("tare");
        let (text, met) = match &item.target {
            Target::None => return String::new(),
            Target::AtMost(limit) => (
                format!("≤ {}", number(*limit)),
                ours.map(|median| median <= *limit),
            ),
            Target::TimesFaster(peers) => {
                let text = peers
                    .iter()
                    .map(|(peer, times)| match peers.len() {
                        1 => format!("≥ {}×", number(*times)),
                        _ => format!("{peer} ≥ {}×", number(*times)),
                    })
                    .collect::<Vec<_>>()
                    .join(", ");
                let met = peers
                    .iter()
                    .map(|(peer, times)| Some(item.ratio(peer)? >= *times))
                    .try_fold(true, |all, met| Some(all & met?));
                (text, met)
            }
            Target::Flat { base, times } => {
                let base = self.items.iter().find(|item| item.name == *base);
                let ratio = base.and_then(|base| {
                    let (ours, others) = (ours?, base.median("tare")?);
                    Some(match (item.median("floor"), base.median("floor")) {
                        // On a busy machine even that can be the other way
                        // round; then it says nothing.
                        (Some(now), Some(then)) if others > then => (ours - now) / (others - then),
                        _ => ours / others,
                    })
                });
                let text = format!("flat: ≤ {}×", number(*times));
                match ratio {
                    Some(ratio) => (format!("{text}, {}×", number(ratio)), Some(ratio <= *times)),
                    None => (text, None),
                }
            }
        };
        match met {
            Some(true) => format!("{text} met"),
            Some(false) => format!("{text} MISSED"),
            None => text,
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut head = vec!["item".to_owned(), "unit".to_owned()];
        head.extend(self.columns.iter().map(|&name| name.to_owned()));
        head.extend(self.peers.iter().map(|peer| format!("{peer} / tare")));
        head.push("target".to_owned());
        let mut rows = vec![head];
        for item in &self.items {
            let unit = match item.unit {
                Unit::Milliseconds => "ms",
                Unit::Seconds => "s",
                Unit::Megabytes => "MB",
            };
            let mut row = vec![item.name.clone(), unit.to_owned()];
            row.extend(self.columns.iter().map(|who| item.cell(who)));
            row.extend(self.peers.iter().map(|peer| {
                item.ratio(peer)
                    .map_or("-".to_owned(), |ratio| format!("{}×", number(ratio)))
            }));
            row.push(self.verdict(item));
            rows.push(row);
        }
        rows
    }
}

/// Three significant digits are what the spread allows.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

fn table(rows: &[Vec<String>], markdown: bool) -> String {
    let mut text = String::new();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    for (index, row) in rows.iter().enumerate() {
        if markdown {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if index == 0 {
                text.push_str(&format!("|{}\n", "---|".repeat(row.len())));
            }
        } else {
            let cells: Vec<String> = row
                .iter()
                .enumerate()
                .map(|(column, cell)| format!("{cell:<width$}", width = width(column)))
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
    }
    text
}

/// The machine in a line.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let find = |text: &str, key: &str| -> String {
        text.lines()
            .find(|line| line.starts_with(key))
            .and_then(|line| line.split(':').nth(1))
            .unwrap_or("?")
            .trim()
            .to_owned()
    };
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let model = find(&read("/proc/cpuinfo"), "model name");
    let memory = find(&read("/proc/meminfo"), "MemTotal");
    let memory: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let kernel = output(Command::new("uname").arg("-r")).unwrap_or_default();
    format!(
        "{processors} processors ({model}), {:.0} GB, Linux {}, load {}",
        memory / 1024.0 / 1024.0,
        kernel.trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or("?")
    )
}
