//! Transactions on the table, over a socket that stays open.

use ipnet::Ipv4Net;
use rustix::io::Errno;

use super::expression::{element, registers};
use super::ruleset::{HEADER, delete_table, fill_table, new_table};
use super::{PUBLISHED, PUBLISHED_ANY};
use crate::PortBinding;
use crate::netlink::{Batch, CREATE, Failure, Socket};
use std::net::Ipv4Addr;

const BEGIN: u16 = 16;
const END: u16 = 17;
/// `struct nfgenmsg` of a transaction's ends: the subsystem in the last two bytes.
const SUBSYSTEM_HEADER: [u8; 4] = [0, 0, 0, 10];
const NEW_ELEMENT: u16 = (10 << 8) | 12;
const DELETE_ELEMENT: u16 = (10 << 8) | 14;
/// Elements in one request: the list's length has 16 bits.
const ELEMENTS: usize = 500;
/// How often a transaction that the kernel interrupted is sent again.
const ATTEMPTS: usize = 8;

/// What the rules depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Name of the table.
    pub(crate) table: String,
    /// Name of the bridge.
    pub(crate) bridge: String,
    /// The containers' subnet.
    pub(crate) subnet: Ipv4Net,
}

/// A published port with the container's address behind it.
pub(crate) type Published<'a> = (Ipv4Addr, &'a PortBinding);

/// The engine's table.
#[derive(Debug)]
pub(crate) struct Firewall {
    socket: Socket,
    rules: Rules,
}

impl Firewall {
    /// A table that is not looked at yet.
    pub(crate) fn open(rules: Rules) -> Result<Self, Errno> {
        Ok(Self {
            socket: Socket::netfilter()?,
            rules,
        })
    }

    /// Makes the table with empty maps unless it is there: then containers may
    /// live that depend on it.
    pub(crate) fn ensure(&mut self) -> Result<(), Failure> {
        let result = self.commit(|batch, rules| {
            new_table(batch, &rules.table, true);
            fill_table(batch, rules);
        });
        match result {
            Err(Failure {
                errno: Errno::EXIST,
                ..
            }) => Ok(()),
            other => other,
        }
    }

    /// Puts a table with exactly these ports in the place of the one that is
    /// there, without a moment in between.
    pub(crate) fn replace(&mut self, ports: &[Published<'_>]) -> Result<(), Failure> {
        self.commit(|batch, rules| {
            new_table(batch, &rules.table, false);
            delete_table(batch, &rules.table);
            new_table(batch, &rules.table, false);
            fill_table(batch, rules);
            add_elements(batch, &rules.table, ports, true);
        })
    }

    /// Publishes ports.
    pub(crate) fn publish(&mut self, ports: &[Published<'_>]) -> Result<(), Failure> {
        self.commit(|batch, rules| add_elements(batch, &rules.table, ports, true))
    }

    /// Withdraws ports; those that are not published are skipped.
    pub(crate) fn withdraw(&mut self, ports: &[Published<'_>]) -> Result<(), Failure> {
        let result = self.commit(|batch, rules| add_elements(batch, &rules.table, ports, false));
        if !matches!(
            result,
            Err(Failure {
                errno: Errno::NOENT,
                ..
            })
        ) {
            return result;
        }
        // One of them (or the table) is gone, and the transaction with it.
        let mut first = Ok(());
        for port in ports {
            match self.commit(|batch, rules| add_elements(batch, &rules.table, &[*port], false)) {
                Ok(())
                | Err(Failure {
                    errno: Errno::NOENT,
                    ..
                }) => {}
                Err(failure) if first.is_ok() => first = Err(failure),
                Err(_) => {}
            }
        }
        first
    }

    /// Deletes the table; it may be gone.
    pub(crate) fn remove(&mut self) -> Result<(), Failure> {
        match self.commit(|batch, rules| delete_table(batch, &rules.table)) {
            Err(Failure {
                errno: Errno::NOENT,
                ..
            }) => Ok(()),
            other => other,
        }
    }

    /// Sends one transaction; again when the kernel was interrupted or lost its
    /// answer, which is harmless as every transaction here may be repeated.
    fn commit(&mut self, fill: impl Fn(&mut Batch, &Rules)) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            let mut batch = Batch::default();
            batch.add_boundary(BEGIN, "commit the nftables transaction", &SUBSYSTEM_HEADER);
            fill(&mut batch, &self.rules);
            batch.add_boundary(END, "end the nftables transaction", &SUBSYSTEM_HEADER);
            match self.socket.execute(&mut batch) {
                Err(failure)
                    if attempt < ATTEMPTS
                        && matches!(failure.errno, Errno::INTR | Errno::NOBUFS | Errno::AGAIN) =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }
}

/// Adds or deletes elements of both maps.
fn add_elements(batch: &mut Batch, table: &str, ports: &[Published<'_>], add: bool) {
    let (any, one): (Vec<_>, Vec<_>) = ports
        .iter()
        .partition(|(_, binding)| binding.host_ip.is_unspecified());
    for (map, ports) in [(PUBLISHED, one), (PUBLISHED_ANY, any)] {
        for chunk in ports.chunks(ELEMENTS) {
            let (kind, flags, verb) = if add {
                (NEW_ELEMENT, CREATE, "add to")
            } else {
                (DELETE_ELEMENT, 0, "delete from")
            };
            batch.add(
                kind,
                flags,
                format!("{verb} map {map}"),
                &HEADER,
                |message| {
                    message.text(1, table);
                    message.text(2, map);
                    message.nested(3, |list| {
                        for (address, binding) in chunk {
                            let host = Some(binding.host_ip).filter(|ip| !ip.is_unspecified());
                            let key = registers(binding.protocol.number(), host, binding.host_port);
                            let mut value = address.octets().to_vec();
                            value.extend(binding.container_port.to_be_bytes());
                            value.extend([0, 0]);
                            element(list, &key, add.then_some(value.as_slice()));
                        }
                    });
                },
            );
        }
    }
}
