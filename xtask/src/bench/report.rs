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
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Not more than this.
    AtMost(f64),
    /// At least so many times faster than Docker in the same run.
    TimesFaster(f64),
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

    fn ratio(&self) -> Option<f64> {
        Some(self.median("docker")? / self.median("tare")?)
    }

    fn verdict(&self) -> String {
        let (text, met) = match self.target {
            Target::AtMost(limit) => (
                format!("≤ {}", number(limit)),
                self.median("tare").map(|median| median <= limit),
            ),
            Target::TimesFaster(times) => (
                format!("≥ {}×", number(times)),
                self.ratio().map(|ratio| ratio >= times),
            ),
        };
        match met {
            Some(true) => format!("{text} met"),
            Some(false) => format!("{text} MISSED"),
            None => text,
        }
    }
}

/// All lines, with whom they compare.
pub(super) struct Report {
    kinds: Vec<Kind>,
    items: Vec<Item>,
}

impl Report {
    /// An empty table of these engines.
    pub(super) fn new(kinds: Vec<Kind>) -> Self {
        Self {
            kinds,
            items: Vec::new(),
        }
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

    /// Prints machine, versions and table.
    pub(super) fn print(&self, markdown: bool) {
        println!("{}", machine());
        for kind in &self.kinds {
            match kind.version() {
                Ok(version) => println!("{}: {version}", kind.name()),
                Err(error) => println!("{}: {error:#}", kind.name()),
            }
        }
        println!("Median (least..most); rounds of all engines interleaved in one run.\n");
        print!("{}", table(&self.rows(), markdown));
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut columns: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        columns.push("floor");
        let mut head = vec!["item".to_owned(), "unit".to_owned()];
        head.extend(columns.iter().map(|&name| name.to_owned()));
        head.extend(["docker / tare".to_owned(), "target".to_owned()]);
        let mut rows = vec![head];
        for item in &self.items {
            let unit = match item.unit {
                Unit::Milliseconds => "ms",
                Unit::Seconds => "s",
                Unit::Megabytes => "MB",
            };
            let mut row = vec![item.name.clone(), unit.to_owned()];
            row.extend(columns.iter().map(|who| item.cell(who)));
            row.push(
                item.ratio()
                    .map_or("-".to_owned(), |ratio| format!("{}×", number(ratio))),
            );
            row.push(item.verdict());
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
