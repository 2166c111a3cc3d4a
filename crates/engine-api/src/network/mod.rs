//! Networks and endpoints.

mod inspect;
mod requests;
mod settings;

pub use inspect::{ConfigReference, EndpointResource, Ipam, IpamConfig, Network};
pub use requests::{
    NetworkConnectRequest, NetworkCreateRequest, NetworkCreateResponse, NetworkDisconnectRequest,
    NetworksPruneReport,
};
pub use settings::{
    Address, EndpointIpamConfig, EndpointSettings, NetworkSettings, NetworkingConfig,
};
