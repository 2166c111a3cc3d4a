//! `linux.memoryPolicy` (set_mempolicy(2)).

use tare_oci::runtime::{Linux, MemoryPolicy, MemoryPolicyFlag, MemoryPolicyMode};

use super::{Error, list};
use crate::number_list::Numbers;

pub(super) fn check(linux: &Linux) -> Result<(), Error> {
    let Some(policy) = &linux.memory_policy else {
        return Ok(());
    };
    check_policy(policy)?;
    let cpu = linux.resources.as_ref().and_then(|all| all.cpu.as_ref());
    let allowed = cpu.and_then(|cpu| cpu.mems.as_deref()).unwrap_or_default();
    let is_relative = policy.flags.contains(&MemoryPolicyFlag::RelativeNodes);
    if allowed.is_empty() || policy.nodes.is_empty() || is_relative {
        return Ok(());
    }
    let numbers = |field: &str, list: &str| {
        Numbers::parse(list).map_err(|reason| Error::invalid(field, reason))
    };
    let wanted = numbers("linux.memoryPolicy.nodes", &policy.nodes)?;
    // What the kernel makes of it depends on which of both comes first.
    if !wanted.is_within(&numbers("linux.resources.cpu.mems", allowed)?) {
        return Err(Error::invalid(
            "linux.memoryPolicy.nodes",
            format!(
                "{:?} is not within linux.resources.cpu.mems, {allowed:?}",
                policy.nodes
            ),
        ));
    }
    Ok(())
}

fn check_policy(policy: &MemoryPolicy) -> Result<(), Error> {
    let refuse = |field: &str, reason: &str| {
        Err(Error::invalid(
            format!("linux.memoryPolicy.{field}"),
            reason,
        ))
    };
    if !policy.nodes.is_empty() {
        list("linux.memoryPolicy.nodes", &policy.nodes)?;
    }
    match policy.mode {
        MemoryPolicyMode::MpolDefault | MemoryPolicyMode::MpolLocal => {
            if !policy.nodes.is_empty() {
                return refuse("nodes", "is not for this mode");
            }
        }
        // Without nodes the memory comes from where the process runs.
        MemoryPolicyMode::MpolPreferred => {}
        MemoryPolicyMode::MpolBind
        | MemoryPolicyMode::MpolInterleave
        | MemoryPolicyMode::MpolWeightedInterleave
        | MemoryPolicyMode::MpolPreferredMany => {
            if policy.nodes.is_empty() {
                return refuse("nodes", "is needed for this mode");
            }
        }
    }
    let has = |flag| policy.flags.contains(&flag);
    if has(MemoryPolicyFlag::RelativeNodes) && has(MemoryPolicyFlag::StaticNodes) {
        return refuse(
            "flags",
            "MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other",
        );
    }
    let about_nodes = has(MemoryPolicyFlag::RelativeNodes) || has(MemoryPolicyFlag::StaticNodes);
    if about_nodes && policy.nodes.is_empty() {
        return refuse("flags", "says something of nodes where there are none");
    }
    if has(MemoryPolicyFlag::NumaBalancing)
        && !matches!(
            policy.mode,
            MemoryPolicyMode::MpolBind | MemoryPolicyMode::MpolPreferredMany
        )
    {
        return refuse(
            "flags",
            "MPOL_F_NUMA_BALANCING needs MPOL_BIND or MPOL_PREFERRED_MANY",
        );
    }
    Ok(())
}
