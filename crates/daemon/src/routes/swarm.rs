//! Swarm mode, which this engine is never in: the answers of a Docker engine
//! that is not, either.

use tare_engine::{Error, Kind};

use crate::response::Outcome;

const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";

/// Everything below `/swarm`, `/nodes`, `/services`, `/tasks`, `/secrets` and
/// `/configs`.
pub(super) fn answer(method: &str, segments: &[&str]) -> Outcome {
    Err(match (method, segments) {
        ("POST", ["swarm", "init" | "join"]) => {
            Error::unsupported("swarm mode is not supported by this engine")
        }
        ("POST", ["swarm", "leave"]) => {
            Error::new(Kind::Unavailable, "This node is not part of a swarm")
        }
        _ => Error::new(Kind::Unavailable, NO_MANAGER),
    })
}
