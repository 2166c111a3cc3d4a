//! The contents of a container's /etc/hosts, /etc/hostname and /etc/resolv.conf,
//! as Docker makes them. Pure: text in, text out.

mod hosts;
mod resolv_conf;

pub use hosts::{Hosts, hostname, hosts};
pub use resolv_conf::{
    HOST_RESOLV_CONF, Overrides, SYSTEMD_RESOLV_CONF, is_systemd_stub, resolv_conf,
};
