//! Interfaces, addresses and routes as messages of the kernel's route family.
//!
//! Nothing here decides: each function adds one request to a batch or reads one
//! answer.

mod address;
mod link;

pub(crate) use address::{
    add_address, add_default_route, delete_address, list_addresses, subnets_in_use,
};
pub(crate) use link::{
    Link, Veth, add_bridge, add_loopback_up, add_veth, delete_group, delete_link, find_link,
    has_ipv6, list_links, loopback_up, put_in_group, reflect_at_port, set_bridge_up,
    set_container_link_up, settle,
};

/// `AF_INET`.
const INET: u8 = 2;
/// `AF_INET6`.
const INET6: u16 = 10;
