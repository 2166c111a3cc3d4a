//! What a runtime tells of a container: to who asks, to its hooks, and to the
//! process that answers for its system calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::null;

/// A container's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Version of the specification that the state follows.
    #[serde(rename = "ociVersion")]
    pub version: String,
    /// The container's name, unique on this host.
    pub id: String,
    /// Where in its life it is.
    pub status: Status,
    /// Its first process, in the runtime's PID namespace; 0 when there is
    /// none, and not written then.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "is_zero"
    )]
    pub pid: i32,
    /// Its bundle's directory, absolute.
    pub bundle: String,
    /// Its configuration's annotations.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// Where in its life a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is being made.
    Creating,
    /// It is made, and its program has not been started.
    Created,
    /// Its program runs.
    Running,
    /// Its processes are stopped for a while. Not the specification's, which
    /// lets a runtime define further values, but runc's.
    Paused,
    /// Its program has ended.
    Stopped,
}

impl Status {
    /// The status in the specification's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Creating => "creating",
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
        }
    }
}

/// Name of the filter's descriptor among [`ContainerProcessState::fds`].
pub const SECCOMP_FD_NAME: &str = "seccompFd";

/// What goes to `linux.seccomp.listenerPath`, together with the descriptors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerProcessState {
    /// Version of the specification that the message follows.
    #[serde(rename = "ociVersion")]
    pub version: String,
    /// Names of the descriptors, in the order in which they are sent.
    #[serde(default, deserialize_with = "null::is_default")]
    pub fds: Vec<String>,
    /// The process, as the runtime sees it.
    pub pid: i32,
    /// `linux.seccomp.listenerMetadata`.
    #[serde(
        default,
        deserialize_with = "null::is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub metadata: String,
    /// The container's state.
    pub state: State,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero(value: &i32) -> bool {
    *value == 0
}
