//! Forgetting UDP flows that an old rule decided.
//!
//! The kernel looks the NAT rules up for a flow's first packet only. A client
//! that goes on sending from one port would keep meeting the host itself, or a
//! container that is gone, as long as it does not pause for 30 seconds. So such
//! flows are deleted when a UDP port is published and when it is withdrawn. TCP
//! needs none of it: its connections end by themselves.

use std::net::Ipv4Addr;

use crate::netlink::{Batch, Failure, Socket, find};

const GET: u16 = (1 << 8) | 1;
const DELETE: u16 = (1 << 8) | 2;
/// `struct nfgenmsg` for IPv4.
const HEADER: [u8; 4] = [2, 0, 0, 0];
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const IDENTIFIER: u16 = 12;
const NESTED: u16 = 0x8000;
const UDP: u8 = 17;
/// Flows deleted in one send.
const CHUNK: usize = 256;

/// A flow, as far as we look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flow {
    protocol: u8,
    /// Where the client sent to.
    destination: Ipv4Addr,
    port: u16,
    /// Who answers: the destination, or the container that it was redirected to.
    server: Ipv4Addr,
    /// The original tuple and the ID as the kernel wrote them.
    tuple: Vec<u8>,
    identifier: Option<Vec<u8>>,
}

fn parse(payload: &[u8]) -> Option<Flow> {
    let attributes = payload.get(4..)?;
    let tuple = find(attributes, ORIGINAL)?;
    let address = |tuple, kind| -> Option<Ipv4Addr> {
        let octets: [u8; 4] = find(find(tuple, 1)?, kind)?.try_into().ok()?;
        Some(octets.into())
    };
    let transport = find(tuple, 2)?;
    let port: [u8; 2] = find(transport, 3)?.try_into().ok()?;
    Some(Flow {
        protocol: *find(transport, 1)?.first()?,
        destination: address(tuple, 2)?,
        port: u16::from_be_bytes(port),
        server: address(find(attributes, REPLY)?, 1)?,
        tuple: tuple.to_vec(),
        identifier: find(attributes, IDENTIFIER).map(<[u8]>::to_vec),
    })
}

/// Which flows are out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stale {
    /// UDP ports have been published for a container; what went to the host
    /// itself or to another container has to find its way anew.
    Published {
        /// The host's ports.
        ports: Vec<u16>,
        /// The container that has them now.
        container: Ipv4Addr,
        /// The host's own addresses.
        local: Vec<Ipv4Addr>,
    },
    /// A container with published UDP ports is gone.
    Withdrawn {
        /// The container's address.
        container: Ipv4Addr,
    },
}

impl Stale {
    fn covers(&self, flow: &Flow) -> bool {
        flow.protocol == UDP
            && match self {
                Self::Published {
                    ports,
                    container,
                    local,
                } => {
                    ports.contains(&flow.port)
                        && flow.server != *container
                        && (local.contains(&flow.destination) || flow.destination.is_loopback())
                }
                Self::Withdrawn { container } => {
                    flow.server == *container && flow.destination != *container
                }
            }
    }
}

/// Deletes the flows that are out of date; returns how many were.
pub(crate) fn forget(socket: &mut Socket, stale: &[Stale]) -> Result<usize, Failure> {
    let replies = socket.dump(GET, "list tracked connections", &HEADER, |_| ())?;
    let flows = replies.iter().filter_map(|reply| parse(reply));
    let old: Vec<_> = flows
        .filter(|flow| stale.iter().any(|rule| rule.covers(flow)))
        .collect();
    for chunk in old.chunks(CHUNK) {
        let mut batch = Batch::default();
        for flow in chunk {
            batch.add(
                DELETE,
                0,
                "delete a tracked connection",
                &HEADER,
                |message| {
                    message.bytes(ORIGINAL | NESTED, &flow.tuple);
                    if let Some(identifier) = &flow.identifier {
                        message.bytes(IDENTIFIER, identifier);
                    }
                },
            );
        }
        match socket.execute(&mut batch) {
            // It ended by itself in between.
            Err(failure) if failure.errno != rustix::io::Errno::NOENT => return Err(failure),
            _ => {}
        }
    }
    Ok(old.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flows_of_the_port_and_the_host_are_stale() {
        let container = Ipv4Addr::new(172, 17, 0, 2);
        let host = Ipv4Addr::new(192, 0, 2, 2);
        let published = Stale::Published {
            ports: vec![53],
            container,
            local: vec![host],
        };
        let withdrawn = Stale::Withdrawn { container };
        let other = Ipv4Addr::new(172, 17, 0, 3);
        let resolver = Ipv4Addr::new(8, 8, 8, 8);
        // protocol, destination, port, server; stale after publishing, after withdrawing
        let cases = [
            (17, host, 53, host, true, false),
            (17, host, 53, other, true, false),
            (17, host, 53, container, false, true),
            (17, host, 54, host, false, false),
            (
                17,
                Ipv4Addr::LOCALHOST,
                53,
                Ipv4Addr::LOCALHOST,
                true,
                false,
            ),
            (17, resolver, 53, resolver, false, false),
            (17, container, 53, container, false, false),
            (6, host, 53, host, false, false),
        ];
        for (protocol, destination, port, server, after_publishing, after_withdrawing) in cases {
            let flow = Flow {
                protocol,
                destination,
                port,
                server,
                tuple: vec![],
                identifier: None,
            };
            assert_eq!(published.covers(&flow), after_publishing, "{flow:?}");
            assert_eq!(withdrawn.covers(&flow), after_withdrawing, "{flow:?}");
        }
    }

    #[test]
    fn cut_off_flows_are_skipped() {
        for payload in [
            &[][..],
            &[2, 0, 0, 0],
            &[2, 0, 0, 0, 8, 0, 1, 0x80, 4, 0, 1, 0x80],
        ] {
            assert_eq!(parse(payload), None);
        }
    }
}
