//! Bridges, veth pairs and their state.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::INET6;
use crate::MacAddress;
use crate::netlink::{Batch, CREATE, EXCLUSIVE, Failure, Message, Socket, find};

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const GET_LINK: u16 = 18;

// Attributes: include/uapi/linux/if_link.h.
const ADDRESS: u16 = 1;
const NAME: u16 = 3;
const MTU: u16 = 4;
const MASTER: u16 = 10;
const OPERATIONAL_STATE: u16 = 16;
const OPERATIONAL_UP: u8 = 6;
const LINK_INFO: u16 = 18;
const ALIAS: u16 = 20;
const AF_SPEC: u16 = 26;
const GROUP: u16 = 27;
const NAMESPACE_FD: u16 = 28;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const INFO_SLAVE_KIND: u16 = 4;
const INFO_SLAVE_DATA: u16 = 5;
const VETH_PEER: u16 = 1;
const INET6_ADDRESS_MODE: u16 = 8;
const INET6_ADDRESS_MODE_NONE: u8 = 1;
const PORT_HAIRPIN: u16 = 4;

/// `IFF_UP`.
const UP: u32 = 1;

/// Together a fifth of a second: by then something else is wrong.
const SETTLE_ATTEMPTS: u32 = 1000;
const SETTLE_INTERVAL: std::time::Duration = std::time::Duration::from_micros(200);

/// `struct ifinfomsg`.
fn header(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&change.to_ne_bytes());
    header
}

/// An interface, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// `bridge`, `veth`, …; empty for hardware.
    pub(crate) kind: String,
    pub(crate) alias: String,
    /// Index of the bridge that it is a port of.
    pub(crate) master: Option<u32>,
    pub(crate) mtu: u32,
    /// Whether packets pass.
    pub(crate) operational: bool,
}

/// Reads an answer to `RTM_GETLINK`.
fn parse_link(payload: &[u8]) -> Option<Link> {
    let (header, attributes) = payload.split_first_chunk::<16>()?;
    let number = |kind| {
        let bytes: [u8; 4] = find(attributes, kind)?.try_into().ok()?;
        Some(u32::from_ne_bytes(bytes))
    };
    let text = |bytes: &[u8]| {
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let kind = find(attributes, LINK_INFO).and_then(|info| find(info, INFO_KIND));
    Some(Link {
        index: u32::from_ne_bytes([header[4], header[5], header[6], header[7]]),
        name: text(find(attributes, NAME)?),
        kind: kind.map(text).unwrap_or_default(),
        alias: find(attributes, ALIAS).map(text).unwrap_or_default(),
        master: number(MASTER),
        mtu: number(MTU).unwrap_or_default(),
        operational: find(attributes, OPERATIONAL_STATE) == Some(&[OPERATIONAL_UP]),
    })
}

/// Finds an interface by name.
pub(crate) fn find_link(socket: &mut Socket, name: &str) -> Result<Option<Link>, Failure> {
    let found = socket.get(
        GET_LINK,
        format!("find interface {name}"),
        &header(0, 0, 0),
        |message| {
            message.text(NAME, name);
        },
    );
    match found {
        Ok(reply) => Ok(parse_link(&reply)),
        Err(Failure {
            errno: Errno::NODEV,
            ..
        }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Waits until packets pass an interface that has just got a carrier; `false`
/// when it does not come about.
///
/// The kernel activates it in the background. A packet that is sent before is
/// lost, and when it was an ARP request the container's first connection takes a
/// second. Since Linux 6.8 the question itself makes the kernel do it at once.
pub(crate) fn settle(socket: &mut Socket, name: &str) -> Result<bool, Failure> {
    for attempt in 0..SETTLE_ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(SETTLE_INTERVAL);
        }
        match find_link(socket, name)? {
            Some(link) if link.operational => return Ok(true),
            Some(_) => {}
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// Lists all interfaces.
pub(crate) fn list_links(socket: &mut Socket) -> Result<Vec<Link>, Failure> {
    let replies = socket.dump(GET_LINK, "list interfaces", &header(0, 0, 0), |_| ())?;
    Ok(replies
        .iter()
        .filter_map(|reply| parse_link(reply))
        .collect())
}

/// Makes a bridge; it must not exist. Its hardware address is fixed, because the
/// kernel would otherwise change it with every port that comes and goes.
pub(crate) fn add_bridge(batch: &mut Batch, name: &str, mac: MacAddress) {
    let what = format!("create bridge {name}");
    batch.add(
        NEW_LINK,
        CREATE | EXCLUSIVE,
        what,
        &header(0, 0, 0),
        |message| {
            message.text(NAME, name);
            message.bytes(ADDRESS, &mac.octets());
            message.nested(LINK_INFO, |info| info.text(INFO_KIND, "bridge"));
        },
    );
}

/// Whether interfaces of this MTU get IPv6 addresses by themselves. Where they
/// do not, the kernel refuses to be told not to.
pub(crate) fn has_ipv6(mtu: u32) -> bool {
    const SMALLEST_MTU: u32 = 1280;
    mtu >= SMALLEST_MTU && std::path::Path::new("/proc/sys/net/ipv6").exists()
}

/// Sets a bridge's alias and MTU and brings it up, without an IPv6 address.
pub(crate) fn set_bridge_up(batch: &mut Batch, name: &str, alias: &str, mtu: u32) {
    let what = format!("configure bridge {name}");
    batch.add(NEW_LINK, 0, what, &header(0, 0, 0), |message| {
        message.text(NAME, name);
        message.bytes(ALIAS, alias.as_bytes());
        message.u32(MTU, mtu);
        if has_ipv6(mtu) {
            without_ipv6_address(message);
        }
    });
    let what = format!("bring up bridge {name}");
    batch.add(NEW_LINK, 0, what, &header(0, UP, UP), |message| {
        message.text(NAME, name);
    });
}

/// Both ends of a veth pair.
pub(crate) struct Veth<'a> {
    /// Name on the host.
    pub(crate) host: &'a str,
    /// The bridge's index.
    pub(crate) bridge: u32,
    /// The container's namespace.
    pub(crate) namespace: BorrowedFd<'a>,
    /// Name in the container.
    pub(crate) container: &'a str,
    /// Hardware address in the container.
    pub(crate) mac: MacAddress,
    /// Largest packet, at both ends.
    pub(crate) mtu: u32,
}

/// Makes a veth pair whose host end is a port of the bridge and up, and whose
/// other end is born in the container's namespace: moving it there later would
/// cost 20 ms.
pub(crate) fn add_veth(batch: &mut Batch, veth: &Veth<'_>) {
    let what = format!("create veth {} with its peer in the container", veth.host);
    batch.add(
        NEW_LINK,
        CREATE | EXCLUSIVE,
        what,
        &header(0, UP, UP),
        |message| {
            message.text(NAME, veth.host);
            message.u32(MTU, veth.mtu);
            message.u32(MASTER, veth.bridge);
            message.nested(LINK_INFO, |info| {
                info.text(INFO_KIND, "veth");
                info.nested(INFO_DATA, |data| {
                    data.nested_with(VETH_PEER, &header(0, 0, 0), |peer| {
                        peer.text(NAME, veth.container);
                        peer.u32(NAMESPACE_FD, veth.namespace.as_raw_fd().cast_unsigned());
                        peer.bytes(ADDRESS, &veth.mac.octets());
                        peer.u32(MTU, veth.mtu);
                    });
                });
            });
        },
    );
}

/// Lets a bridge's port send packets back where they came from, for a container
/// that uses its own published port while bridged packets pass the firewall
/// (`bridge-nf-call-iptables`).
pub(crate) fn reflect_at_port(batch: &mut Batch, name: &str) {
    batch.add(
        NEW_LINK,
        0,
        format!("set hairpin mode of {name}"),
        &header(0, 0, 0),
        |message| {
            message.text(NAME, name);
            message.nested(LINK_INFO, |info| {
                info.text(INFO_SLAVE_KIND, "bridge");
                info.nested(INFO_SLAVE_DATA, |data| data.u8(PORT_HAIRPIN, 1));
            });
        },
    );
}

/// Brings up the container's end, without an IPv6 link-local address: Docker's
/// bridge has no IPv6 unless it is asked for.
pub(crate) fn set_container_link_up(batch: &mut Batch, index: u32, ipv6: bool) {
    if ipv6 {
        let what = "keep IPv6 addresses from the container's interface";
        batch.add(
            NEW_LINK,
            0,
            what,
            &header(index, 0, 0),
            without_ipv6_address,
        );
    }
    let what = "bring up the container's interface";
    batch.add(NEW_LINK, 0, what, &header(index, UP, UP), |_| {});
}

/// Goes into a request before the one that brings the interface up: of one that
/// does both, older kernels (6.1 among them) do this last, when the address is
/// there.
fn without_ipv6_address(message: &mut Message<'_>) {
    message.nested(AF_SPEC, |families| {
        families.nested(INET6, |family| {
            family.u8(INET6_ADDRESS_MODE, INET6_ADDRESS_MODE_NONE)
        });
    });
}

/// Adds the request that brings up loopback.
pub(crate) fn add_loopback_up(batch: &mut Batch) {
    batch.add(NEW_LINK, 0, "bring up lo", &header(0, UP, UP), |message| {
        message.text(NAME, "lo")
    });
}

/// Brings up loopback in the socket's namespace.
pub(crate) fn loopback_up(socket: &mut Socket) -> Result<(), Failure> {
    let mut batch = Batch::default();
    add_loopback_up(&mut batch);
    socket.execute(&mut batch)
}

/// Marks an interface as a member of a group.
pub(crate) fn put_in_group(batch: &mut Batch, name: &str, group: u32) {
    batch.add(
        NEW_LINK,
        0,
        format!("mark {name} for removal"),
        &header(0, 0, 0),
        |message| {
            message.text(NAME, name);
            message.u32(GROUP, group);
        },
    );
}

/// Deletes all interfaces of a group. A deletion waits for grace periods (10 to
/// 50 ms), and those of a group wait for them together.
pub(crate) fn delete_group(batch: &mut Batch, group: u32) {
    batch.add(
        DELETE_LINK,
        0,
        "delete interfaces",
        &header(0, 0, 0),
        |message| {
            message.u32(GROUP, group);
        },
    );
}

/// Deletes one interface.
pub(crate) fn delete_link(batch: &mut Batch, name: &str) {
    batch.add(
        DELETE_LINK,
        0,
        format!("delete {name}"),
        &header(0, 0, 0),
        |message| {
            message.text(NAME, name);
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_read_or_skipped() {
        let mut full = header(7, 0, 0).to_vec();
        full.extend_from_slice(&[8, 0, 3, 0, b't', b'v', b'1', 0]);
        full.extend_from_slice(&[8, 0, 10, 0, 3, 0, 0, 0]);
        full.extend_from_slice(&[12, 0, 18, 0x80, 8, 0, 1, 0, b'v', b'e', b't', b'h']);
        let link = parse_link(&full).unwrap();
        assert_eq!(
            (link.index, link.name.as_str(), link.master),
            (7, "tv1", Some(3))
        );
        assert_eq!(link.kind, "veth");
        for cut in [0, 15, 16, 20] {
            assert_eq!(parse_link(&full[..cut]), None, "{cut} bytes");
        }
    }
}
