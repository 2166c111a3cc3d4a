//! IPv4 addresses and routes.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::INET;
use crate::netlink::{Batch, CREATE, EXCLUSIVE, Failure, Socket, find};

const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;

const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const BROADCAST: u16 = 4;
const DESTINATION: u16 = 1;
const OUTPUT: u16 = 4;
const GATEWAY: u16 = 5;

/// `RT_TABLE_MAIN`.
const MAIN: u8 = 254;
/// `RT_TABLE_LOCAL`: the host's own addresses, which are listed apart.
const LOCAL_TABLE: u8 = 255;
/// Routes to more than this are taken for a default route: a VPN's 0.0.0.0/1
/// and 128.0.0.0/1 would leave no subnet to choose.
const SHORTEST_PREFIX: u8 = 8;
/// `RTPROT_BOOT`: made by an administrator's program.
const BOOT: u8 = 3;
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;

/// `struct ifaddrmsg`.
fn header(prefix: u8, index: u32) -> [u8; 8] {
    let mut header = [INET, prefix, 0, 0, 0, 0, 0, 0];
    header[4..].copy_from_slice(&index.to_ne_bytes());
    header
}

/// Gives an interface an address; it may have it already.
pub(crate) fn add_address(batch: &mut Batch, index: u32, address: Ipv4Net) {
    let what = format!("add address {address}");
    batch.add(
        NEW_ADDRESS,
        CREATE,
        what,
        &header(address.prefix_len(), index),
        |message| {
            message.bytes(LOCAL, &address.addr().octets());
            message.bytes(ADDRESS, &address.addr().octets());
            message.bytes(BROADCAST, &address.broadcast().octets());
        },
    );
}

/// Takes an address from an interface.
pub(crate) fn delete_address(batch: &mut Batch, index: u32, address: Ipv4Net) {
    let what = format!("remove address {address}");
    batch.add(
        DELETE_ADDRESS,
        0,
        what,
        &header(address.prefix_len(), index),
        |message| {
            message.bytes(LOCAL, &address.addr().octets());
        },
    );
}

/// Adds the default route through a gateway.
pub(crate) fn add_default_route(batch: &mut Batch, index: u32, gateway: Ipv4Addr) {
    let header = [INET, 0, 0, 0, MAIN, BOOT, 0, UNICAST, 0, 0, 0, 0];
    let what = format!("add default route by {gateway}");
    batch.add(NEW_ROUTE, CREATE | EXCLUSIVE, what, &header, |message| {
        message.bytes(GATEWAY, &gateway.octets());
        message.u32(OUTPUT, index);
    });
}

/// An address of an interface, with the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InterfaceAddress {
    /// The interface's index.
    pub(crate) index: u32,
    /// The address and its prefix.
    pub(crate) address: Ipv4Net,
}

/// Lists the IPv4 addresses of all interfaces.
pub(crate) fn list_addresses(socket: &mut Socket) -> Result<Vec<InterfaceAddress>, Failure> {
    let replies = socket.dump(GET_ADDRESS, "list addresses", &header(0, 0), |_| ())?;
    Ok(replies
        .iter()
        .filter_map(|reply| parse_address(reply))
        .collect())
}

fn parse_address(payload: &[u8]) -> Option<InterfaceAddress> {
    let (header, attributes) = payload.split_first_chunk::<8>()?;
    if header[0] != INET {
        return None;
    }
    let octets: [u8; 4] = find(attributes, LOCAL)
        .or_else(|| find(attributes, ADDRESS))?
        .try_into()
        .ok()?;
    Some(InterfaceAddress {
        index: u32::from_ne_bytes([header[4], header[5], header[6], header[7]]),
        address: Ipv4Net::new(octets.into(), header[1]).ok()?,
    })
}

/// The subnets that the host routes to or has an address in, but for those of
/// one interface and the default route.
pub(crate) fn subnets_in_use(
    socket: &mut Socket,
    except: Option<u32>,
) -> Result<Vec<Ipv4Net>, Failure> {
    let addresses = list_addresses(socket)?;
    let kept = addresses
        .into_iter()
        .filter(|found| Some(found.index) != except);
    let mut subnets: Vec<_> = kept.map(|found| found.address.trunc()).collect();
    let mut header = [0; 12];
    header[0] = INET;
    let routes = socket.dump(GET_ROUTE, "list routes", &header, |_| ())?;
    let parsed = routes.iter().filter_map(|reply| parse_route(reply));
    subnets.extend(
        parsed
            .filter(|(_, index)| *index != except || except.is_none())
            .map(|(net, _)| net),
    );
    Ok(subnets)
}

/// Destination and interface of a unicast route of any table but the local one;
/// `None` for others and for default routes.
fn parse_route(payload: &[u8]) -> Option<(Ipv4Net, Option<u32>)> {
    let (header, attributes) = payload.split_first_chunk::<12>()?;
    if header[0] != INET || header[7] != UNICAST || header[4] == LOCAL_TABLE {
        return None;
    }
    if header[1] < SHORTEST_PREFIX {
        return None;
    }
    let octets: [u8; 4] = find(attributes, DESTINATION)?.try_into().ok()?;
    let index = find(attributes, OUTPUT).and_then(|bytes| bytes.try_into().ok());
    Some((
        Ipv4Net::new(octets.into(), header[1]).ok()?.trunc(),
        index.map(u32::from_ne_bytes),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_routes_are_read_or_skipped() {
        let mut address = header(24, 5).to_vec();
        address.extend_from_slice(&[8, 0, 2, 0, 10, 1, 2, 3]);
        let found = parse_address(&address).unwrap();
        assert_eq!(
            (found.index, found.address),
            (5, "10.1.2.3/24".parse().unwrap())
        );
        address[1] = 33;
        assert_eq!(parse_address(&address), None);

        let mut route = vec![INET, 16, 0, 0, MAIN, BOOT, 0, UNICAST, 0, 0, 0, 0];
        route.extend_from_slice(&[8, 0, 1, 0, 172, 17, 0, 0, 8, 0, 4, 0, 3, 0, 0, 0]);
        assert_eq!(
            parse_route(&route),
            Some(("172.17.0.0/16".parse().unwrap(), Some(3)))
        );
        for (at, value) in [(0, 10), (1, 0), (1, 1), (4, LOCAL_TABLE), (7, 2)] {
            let mut other = route.clone();
            other[at] = value;
            assert_eq!(parse_route(&other), None, "byte {at}");
        }
    }
}
