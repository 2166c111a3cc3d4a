//! rtnetlink messages about interfaces and their addresses, written and read
//! without trust in lengths.

use super::socket::Request;

/// `RTM_NEWLINK`.
const NEW_LINK: u16 = 16;
/// `RTM_GETLINK`.
const GET_LINK: u16 = 18;
/// `RTM_NEWADDR`.
const NEW_ADDRESS: u16 = 20;
/// `RTM_GETADDR`.
const GET_ADDRESS: u16 = 22;

/// `NLM_F_EXCL | NLM_F_CREATE`.
const CREATE: u16 = 0x600;

/// `IFF_UP`.
const UP: u32 = 1;

const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_NET_NS_FD: u16 = 28;

const IFA_LABEL: u16 = 3;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_TARGET_NETNSID: u16 = 10;

/// `IFA_F_PERMANENT`.
const PERMANENT: u32 = 0x80;
/// What an administrator can ask of an address: `IFA_F_NODAD`,
/// `IFA_F_HOMEADDRESS`, `IFA_F_MANAGETEMPADDR`, `IFA_F_NOPREFIXROUTE`,
/// `IFA_F_MCAUTOJOIN`. The rest is the kernel's.
const ASKED: u32 = 0x02 | 0x10 | 0x100 | 0x200 | 0x400;
/// `RT_SCOPE_UNIVERSE`.
const GLOBAL: u8 = 0;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) is_up: bool,
    /// The bridge or the like that it is a part of.
    pub(super) master: Option<u32>,
}

/// An address of an interface, as it can be given to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    family: u8,
    prefix: u8,
    flags: u32,
    /// Address, peer, broadcast, metric and the like.
    attributes: Vec<(u16, Vec<u8>)>,
}

/// Asks for one interface by name.
pub(super) fn get_link(name: &str) -> Request {
    Request::new(GET_LINK, 0, &link_header(0, 0, 0)).text(IFLA_IFNAME, name)
}

/// Asks for all interfaces.
pub(super) fn list_links() -> Request {
    Request::dump(GET_LINK, &link_header(0, 0, 0))
}

/// Asks for the addresses of all interfaces.
pub(super) fn list_addresses() -> Request {
    Request::dump(GET_ADDRESS, &[0; 8])
}

/// Moves an interface into a namespace, under a name there. Where the name is
/// taken the move may have happened nevertheless.
pub(super) fn move_link(index: u32, name: &str, namespace: i32) -> Request {
    Request::new(NEW_LINK, 0, &link_header(index, 0, 0))
        .text(IFLA_IFNAME, name)
        .bytes(IFLA_NET_NS_FD, &namespace.to_ne_bytes())
}

/// Makes an interface a part of another again.
pub(super) fn set_master(index: u32, master: u32) -> Request {
    Request::new(NEW_LINK, 0, &link_header(index, 0, 0)).bytes(IFLA_MASTER, &master.to_ne_bytes())
}

/// Takes an interface up.
pub(super) fn set_up(index: u32) -> Request {
    Request::new(NEW_LINK, 0, &link_header(index, UP, UP))
}

/// Gives an interface an address.
pub(super) fn add_address(index: u32, address: &Address) -> Request {
    let mut header = [address.family, address.prefix, 0, GLOBAL, 0, 0, 0, 0];
    header[4..].copy_from_slice(&index.to_ne_bytes());
    let mut request = Request::new(NEW_ADDRESS, CREATE, &header);
    for (kind, payload) in &address.attributes {
        request = request.bytes(*kind, payload);
    }
    if address.flags == 0 {
        return request;
    }
    request.bytes(IFA_FLAGS, &address.flags.to_ne_bytes())
}

/// `struct ifinfomsg`.
fn link_header(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&change.to_ne_bytes());
    header
}

/// Reads an interface.
pub(super) fn parse_link(payload: &[u8]) -> Option<Link> {
    let (header, attributes) = payload.split_first_chunk::<16>()?;
    Some(Link {
        index: word(&header[4..8])?,
        is_up: word(&header[8..12])? & UP != 0,
        master: Attributes(attributes)
            .find(|(kind, _)| *kind == IFLA_MASTER)
            .and_then(|(_, payload)| word(payload)),
    })
}

/// Reads an address of the interface; none when it is another's, or not to be
/// kept: what is not permanent is somebody's to renew, and what is not global
/// belongs to the link or the host.
pub(super) fn parse_address(payload: &[u8], index: u32) -> Option<Address> {
    let (header, attributes) = payload.split_first_chunk::<8>()?;
    let attributes = Attributes(attributes);
    let all = attributes
        .clone()
        .find(|(kind, _)| *kind == IFA_FLAGS)
        .and_then(|(_, payload)| word(payload))
        .unwrap_or_else(|| header[2].into());
    if word(&header[4..8])? != index || header[3] != GLOBAL || all & PERMANENT == 0 {
        return None;
    }
    Some(Address {
        family: header[0],
        prefix: header[1],
        flags: all & ASKED,
        attributes: attributes
            // The label has the interface's old name in it, and the times of a
            // permanent address are without end.
            .filter(|(kind, _)| {
                ![IFA_LABEL, IFA_CACHEINFO, IFA_FLAGS, IFA_TARGET_NETNSID].contains(kind)
            })
            .map(|(kind, payload)| (kind, payload.to_vec()))
            .collect(),
    })
}

fn word(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

/// Iterates over `(type, payload)`; ends at the first malformed attribute.
#[derive(Debug, Clone)]
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // Upper bits of the type are flags.
        const TYPE: u16 = 0x3fff;
        let (header, _) = self.0.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE;
        let payload = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address as the kernel lists it.
    fn listed(flags: u8, scope: u8, wide: Option<u32>) -> Vec<u8> {
        let mut payload = vec![2, 24, flags, scope, 7, 0, 0, 0];
        payload.extend([8, 0, 1, 0, 10, 0, 0, 1]);
        payload.extend([7, 0, 3, 0, b'e', b'0', 0, 0]);
        if let Some(wide) = wide {
            payload.extend([8, 0, 8, 0]);
            payload.extend(wide.to_ne_bytes());
        }
        payload
    }

    #[test]
    fn permanent_global_addresses_are_kept() {
        let kept = parse_address(&listed(0x80, 0, Some(0x280)), 7).expect("kept");
        assert_eq!(
            kept,
            Address {
                family: 2,
                prefix: 24,
                flags: 0x200,
                attributes: vec![(1, vec![10, 0, 0, 1])],
            }
        );
        assert!(parse_address(&listed(0x80, 0, None), 7).is_some());
        for (payload, index) in [
            (listed(0x80, 0, None), 8),
            (listed(0x80, 253, None), 7),
            (listed(0, 0, None), 7),
            (listed(0x80, 0, Some(0)), 7),
        ] {
            assert_eq!(parse_address(&payload, index), None);
        }
    }

    #[test]
    fn malformed_messages_are_no_more_than_what_is_there() {
        let whole = listed(0x80, 0, Some(0x80));
        for length in 0..whole.len() {
            let _ = parse_address(&whole[..length], 7);
            let _ = parse_link(&whole[..length]);
        }
        // An attribute that is longer than the message, and one of no length.
        assert_eq!(Attributes(&[9, 0, 1, 0, 5]).next(), None);
        assert_eq!(Attributes(&[0, 0, 1, 0]).next(), None);
    }
}
