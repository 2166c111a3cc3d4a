//! Limits as properties of a unit (systemd.resource-control(5)).

use std::collections::BTreeMap;

use tare_oci::runtime::{Cpu, Memory, Resources};

use super::value::Value;
use crate::cgroup::devices::{Kind, Rule};
use crate::cgroup::resources::refused;
use crate::cgroup::{Error, sets, v2};

/// A property: its name and value.
pub(in crate::cgroup) type Property = (String, Value);

/// systemd's word for no limit.
const INFINITY: u64 = u64::MAX;

/// Properties as `a(sv)`.
pub(super) fn array(properties: Vec<Property>) -> Value {
    let items = properties
        .into_iter()
        .map(|(name, value)| {
            Value::Struct(vec![Value::string(name), Value::Variant(Box::new(value))])
        })
        .collect();
    Value::Array("(sv)".to_owned(), items)
}

/// A limit where -1 is none.
fn number(value: i64) -> Value {
    Value::Uint64(u64::try_from(value).unwrap_or(INFINITY))
}

/// What systemd knows of the limits; the rest is written to the group's files
/// directly.
pub(super) fn limits(resources: &Resources, unified: bool) -> Result<Vec<Property>, Error> {
    let mut found = Vec::new();
    if let Some(value) = &resources.memory {
        memory(value, unified, &mut found);
    }
    if let Some(value) = &resources.cpu {
        cpu(value, unified, &mut found)?;
    }
    let mut add = |name: &str, value: Value| found.push((name.to_owned(), value));
    if let Some(pids) = resources.pids.as_ref().filter(|pids| pids.limit != 0) {
        add("TasksMax", number(pids.limit));
    }
    let weight = resources.block_io.as_ref().and_then(|io| io.weight);
    if let Some(weight) = weight.filter(|weight| *weight != 0) {
        if unified {
            add("IOWeight", Value::Uint64(v2::io_weight(weight)));
        } else {
            add("BlockIOWeight", Value::Uint64(weight.into()));
        }
    }
    if unified {
        files(&resources.unified, &mut found)?;
    }
    Ok(found)
}

fn memory(memory: &Memory, unified: bool, found: &mut Vec<Property>) {
    let mut add = |name: &str, value: Value| found.push((name.to_owned(), value));
    if let Some(limit) = memory.limit.filter(|limit| *limit != 0) {
        let name = if unified { "MemoryMax" } else { "MemoryLimit" };
        add(name, number(limit));
    }
    if !unified {
        return;
    }
    if let Some(reservation) = memory.reservation.filter(|value| *value != 0) {
        add("MemoryLow", number(reservation));
    }
    if let Some(swap) = v2::swap(memory) {
        add("MemorySwapMax", number(swap));
    }
}

fn cpu(cpu: &Cpu, unified: bool, found: &mut Vec<Property>) -> Result<(), Error> {
    let mut add = |name: &str, value: Value| found.push((name.to_owned(), value));
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
        if unified {
            add("CPUWeight", Value::Uint64(v2::weight(shares)));
        } else {
            add("CPUShares", Value::Uint64(shares));
        }
    }
    let quota = cpu.quota.unwrap_or(0);
    let period = cpu.period.unwrap_or(0);
    for (name, value) in bandwidth(quota, period) {
        add(name, Value::Uint64(value));
    }
    for (name, field, list) in [
        ("AllowedCPUs", "cpu.cpus", &cpu.cpus),
        ("AllowedMemoryNodes", "cpu.mems", &cpu.mems),
    ] {
        if let Some(list) = list.as_deref().filter(|list| !list.is_empty()) {
            let bits = sets::bits(list).map_err(|reason| refused(field, reason))?;
            add(name, Value::bytes(&bits));
        }
    }
    Ok(())
}

/// systemd counts in microseconds of CPU for each second, and rounds to whole
/// percents: down, which would be less than was asked for.
fn bandwidth(quota: i64, period: u64) -> Vec<(&'static str, u64)> {
    let mut found = Vec::new();
    if period != 0 {
        found.push(("CPUQuotaPeriodUSec", period));
    }
    if quota != 0 || period != 0 {
        let period = if period == 0 {
            v2::DEFAULT_PERIOD
        } else {
            period
        };
        let value = match u64::try_from(quota) {
            Ok(quota @ 1..) => (quota.saturating_mul(1_000_000) / period).next_multiple_of(10_000),
            _ => INFINITY,
        };
        found.push(("CPUQuotaPerSecUSec", value));
    }
    found
}

/// Files of the v2 hierarchy that have a property; others are written
/// directly.
fn files(unified: &BTreeMap<String, String>, found: &mut Vec<Property>) -> Result<(), Error> {
    for (file, value) in unified {
        let text = value.trim();
        let bad = || {
            refused(
                format!("unified[{file:?}]"),
                format!("{text:?} is no value"),
            )
        };
        let limit = || match text {
            "max" => Ok(INFINITY),
            digits => digits.parse().map_err(|_| bad()),
        };
        let name = match file.as_str() {
            "cpu.max" => {
                let mut words = text.split_whitespace();
                let quota = match words.next() {
                    Some("max") => 0,
                    Some(word) => word.parse().map_err(|_| bad())?,
                    None => return Err(bad()),
                };
                let period = match words.next() {
                    Some(word) => word.parse().map_err(|_| bad())?,
                    None => v2::DEFAULT_PERIOD,
                };
                for (name, value) in bandwidth(quota, period) {
                    found.push((name.to_owned(), Value::Uint64(value)));
                }
                continue;
            }
            "cpuset.cpus" | "cpuset.mems" => {
                let name = match file.as_str() {
                    "cpuset.cpus" => "AllowedCPUs",
                    _ => "AllowedMemoryNodes",
                };
                let bits = sets::bits(text).map_err(|_| bad())?;
                found.push((name.to_owned(), Value::bytes(&bits)));
                continue;
            }
            "cpu.weight" => "CPUWeight",
            "memory.high" => "MemoryHigh",
            "memory.low" => "MemoryLow",
            "memory.min" => "MemoryMin",
            "memory.max" => "MemoryMax",
            "memory.swap.max" => "MemorySwapMax",
            "pids.max" => "TasksMax",
            _ => continue,
        };
        found.push((name.to_owned(), Value::Uint64(limit()?)));
    }
    Ok(())
}

/// Rules for devices. systemd knows lists of what is allowed only, and no
/// minor number for every major one; rules beyond that it is told to leave to
/// the list or program that is put in force beside its own.
pub(super) fn devices(rules: &[Rule]) -> Vec<Property> {
    let policy = |policy: &str, allowed: Vec<Value>| {
        // The empty list first takes back what was allowed before.
        let list = |items| {
            (
                "DeviceAllow".to_owned(),
                Value::Array("(ss)".to_owned(), items),
            )
        };
        let mut properties = vec![
            ("DevicePolicy".to_owned(), Value::string(policy)),
            list(Vec::new()),
        ];
        if !allowed.is_empty() {
            properties.push(list(allowed));
        }
        properties
    };
    let Some((first, rest)) = rules.split_first() else {
        return policy("auto", Vec::new());
    };
    let is_list = first.is_everything()
        && !first.allow
        && rest.iter().all(|rule| rule.allow && !rule.is_everything());
    let mut allowed = Vec::new();
    for rule in rest {
        let kind = match rule.kind {
            Kind::Block => "block",
            _ => "char",
        };
        let node = match (rule.major, rule.minor) {
            (Some(major), Some(minor)) => format!("/dev/{kind}/{major}:{minor}"),
            (Some(major), None) => format!("{kind}-{major}"),
            (None, None) => format!("{kind}-*"),
            (None, Some(_)) => return policy("auto", Vec::new()),
        };
        allowed.push(Value::Struct(vec![
            Value::string(node),
            Value::string(rule.letters()),
        ]));
    }
    if is_list {
        policy("strict", allowed)
    } else {
        policy("auto", Vec::new())
    }
}
