//! The engine itself: version, information, usage, events.

mod event;
mod info;
mod parts;
mod usage;
mod version;

pub use event::{EventActor, EventMessage};
pub use info::SystemInfo;
pub use parts::{
    Commit, ContainerdInfo, ContainerdNamespaces, DiscreteGenericResource, FirewallInfo,
    GenericResource, IndexInfo, NamedGenericResource, NetworkAddressPool, PeerNode, PluginsInfo,
    RegistryServiceConfig, Runtime, SwarmInfo,
};
pub use usage::{BuildCache, BuildPruneReport, SystemDataUsage};
pub use version::{ComponentVersion, SystemVersion, VersionPlatform};
