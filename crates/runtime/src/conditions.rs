//! What holds for every program of a container because its process had it
//! before: execution domain and memory policy. Both are passed on from process
//! to process; one that enters the container later takes them on itself.

use serde::{Deserialize, Serialize};
use tare_oci::runtime::{
    Linux, MemoryPolicy, MemoryPolicyFlag, MemoryPolicyMode, Personality, PersonalityDomain,
};
use tare_sys::{memory, scheduling};

use crate::failure::{Failure, Step};
use crate::number_list::Numbers;

/// Execution domain and memory policy of a container's programs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conditions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    personality: Option<Personality>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory_policy: Option<MemoryPolicy>,
}

impl Conditions {
    /// Those that a configuration asks for.
    pub(crate) fn of(linux: &Linux) -> Conditions {
        Conditions {
            personality: linux.personality.clone(),
            memory_policy: linux.memory_policy.clone(),
        }
    }

    /// Takes them on. After the control groups have been entered: they say
    /// which memory nodes there are.
    pub(crate) fn take_on(&self) -> Result<(), Failure> {
        if let Some(personality) = &self.personality {
            let domain = match personality.domain {
                PersonalityDomain::Linux => 0,
                PersonalityDomain::Linux32 => 8,
            };
            scheduling::set_personality(domain).map_err(|error| {
                Failure::new(
                    Step::Scheduling,
                    "setting the execution domain (linux.personality)",
                    error,
                )
            })?;
        }
        if let Some(policy) = &self.memory_policy {
            set_memory_policy(policy)?;
        }
        Ok(())
    }
}

fn set_memory_policy(policy: &MemoryPolicy) -> Result<(), Failure> {
    let mode = match policy.mode {
        MemoryPolicyMode::MpolDefault => 0,
        MemoryPolicyMode::MpolPreferred => 1,
        MemoryPolicyMode::MpolBind => 2,
        MemoryPolicyMode::MpolInterleave => 3,
        MemoryPolicyMode::MpolLocal => 4,
        MemoryPolicyMode::MpolPreferredMany => 5,
        MemoryPolicyMode::MpolWeightedInterleave => 6,
    };
    let flags = policy.flags.iter().fold(0, |flags, flag| {
        flags
            | match flag {
                MemoryPolicyFlag::NumaBalancing => 1 << 13,
                MemoryPolicyFlag::RelativeNodes => 1 << 14,
                MemoryPolicyFlag::StaticNodes => 1 << 15,
            }
    });
    let nodes = if policy.nodes.is_empty() {
        Numbers::default()
    } else {
        Numbers::parse(&policy.nodes).map_err(|reason| {
            Failure::sentence(
                Step::Scheduling,
                format!("linux.memoryPolicy.nodes: {reason}"),
            )
        })?
    };
    memory::set_policy(mode | flags, nodes.words()).map_err(|error| {
        Failure::new(
            Step::Scheduling,
            "setting the memory policy (linux.memoryPolicy)",
            error,
        )
    })
}
