//! The table's chains, maps and rules, as one list of requests.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::expression::{
    Conntrack, DESTINATION, DESTINATION_CHANGED, DESTINATION_PORT, ESTABLISHED_OR_RELATED,
    Expressions, Meta, REGISTER, SOURCE, Verdict,
};
use super::{FAMILY, PUBLISHED, PUBLISHED_ANY, Rules};
use crate::netlink::{APPEND, Batch, CREATE, EXCLUSIVE};

const SUBSYSTEM: u16 = 10 << 8;
const NEW_TABLE: u16 = SUBSYSTEM;
const DELETE_TABLE: u16 = SUBSYSTEM | 2;
const NEW_CHAIN: u16 = SUBSYSTEM | 3;
const NEW_RULE: u16 = SUBSYSTEM | 6;
const NEW_SET: u16 = SUBSYSTEM | 9;

/// `struct nfgenmsg`.
pub(super) const HEADER: [u8; 4] = [FAMILY, 0, 0, 0];

const LOOPBACK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);

/// Where a chain hangs in the packet's way.
#[derive(Debug, Clone, Copy)]
enum Hook {
    Prerouting = 0,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}

/// Priorities that nft calls raw, dstnat, filter and srcnat.
const RAW: i32 = -300;
const DESTINATION_NAT: i32 = -100;
const FILTER: i32 = 0;
const SOURCE_NAT: i32 = 100;

/// Creates the table; `exclusive` fails when it exists.
pub(super) fn new_table(batch: &mut Batch, table: &str, exclusive: bool) {
    let flags = CREATE | if exclusive { EXCLUSIVE } else { 0 };
    batch.add(
        NEW_TABLE,
        flags,
        format!("create table inet {table}"),
        &HEADER,
        |message| {
            message.text(1, table);
        },
    );
}

/// Deletes the table with all that is in it.
pub(super) fn delete_table(batch: &mut Batch, table: &str) {
    batch.add(
        DELETE_TABLE,
        0,
        format!("delete table inet {table}"),
        &HEADER,
        |message| {
            message.text(1, table);
        },
    );
}

/// Adds maps, chains and rules to the empty table.
pub(super) fn fill_table(batch: &mut Batch, rules: &Rules) {
    const PROTOCOL: u32 = 12;
    const PORT: u32 = 13;
    const ADDRESS: u32 = 7;
    let table = rules.table.as_str();
    let key = (((PROTOCOL << 6) | ADDRESS) << 6) | PORT;
    new_map(batch, table, PUBLISHED, (key, 12), 1);
    new_map(batch, table, PUBLISHED_ANY, ((PROTOCOL << 6) | PORT, 8), 2);

    let bridge = rules.bridge.as_str();
    let mut chain = Chain::new(batch, table, "raw", "filter", Hook::Prerouting, RAW);
    // Redirecting 127.0.0.1 needs route_localnet on the bridge, which would let
    // a container reach what listens on the host's loopback (CVE-2020-8558).
    // At this priority the addresses are still those on the wire.
    for field in [DESTINATION, SOURCE] {
        chain.rule(|rule| {
            rule.input_is(bridge)
                .ipv4()
                .within(field, LOOPBACK)
                .verdict(Verdict::Drop);
        });
    }

    let mut chain = Chain::new(
        batch,
        table,
        "prerouting",
        "nat",
        Hook::Prerouting,
        DESTINATION_NAT,
    );
    // The host's own programs are served in the output chain. From outside such
    // a packet is forged, and redirecting it would open what is published on
    // 127.0.0.1 to the neighbours.
    chain.rule(|rule| {
        rule.ipv4()
            .within(DESTINATION, LOOPBACK)
            .verdict(Verdict::Return);
    });
    redirect(&mut chain);
    let mut chain = Chain::new(batch, table, "output", "nat", Hook::Output, DESTINATION_NAT);
    redirect(&mut chain);

    let mut chain = Chain::new(
        batch,
        table,
        "postrouting",
        "nat",
        Hook::Postrouting,
        SOURCE_NAT,
    );
    chain.rule(|rule| {
        rule.ipv4()
            .within(SOURCE, rules.subnet)
            .output_is_not(bridge)
            .masquerade();
    });
    // A container that uses a published port of its own network by the host's
    // address: the answer would go straight to it and be unknown there.
    chain.rule(|rule| {
        rule.output_is(bridge).ipv4().within(SOURCE, rules.subnet);
        rule.conntrack_has(Conntrack::Status, DESTINATION_CHANGED)
            .masquerade();
    });
    chain.rule(|rule| {
        rule.output_is(bridge)
            .ipv4()
            .within(SOURCE, LOOPBACK)
            .masquerade();
    });

    let mut chain = Chain::new(batch, table, "forward", "filter", Hook::Forward, FILTER);
    chain.rule(|rule| {
        rule.output_is(bridge)
            .conntrack_has(Conntrack::State, ESTABLISHED_OR_RELATED);
        rule.verdict(Verdict::Accept);
    });
    chain.rule(|rule| {
        rule.output_is(bridge)
            .conntrack_has(Conntrack::Status, DESTINATION_CHANGED);
        rule.verdict(Verdict::Accept);
    });
    chain.rule(|rule| {
        rule.output_is(bridge)
            .input_is(bridge)
            .verdict(Verdict::Accept);
    });
    chain.rule(|rule| {
        rule.output_is(bridge).verdict(Verdict::Drop);
    });
}

/// Redirects what is addressed to the host by the two maps, the more precise first.
fn redirect(chain: &mut Chain<'_>) {
    chain.rule(|rule| {
        rule.ipv4().destination_is_local();
        rule.meta(Meta::Protocol, REGISTER);
        rule.payload(DESTINATION, REGISTER + 1)
            .payload(DESTINATION_PORT, REGISTER + 2);
        rule.look_up(PUBLISHED).change_destination();
    });
    chain.rule(|rule| {
        rule.ipv4().destination_is_local();
        rule.meta(Meta::Protocol, REGISTER)
            .payload(DESTINATION_PORT, REGISTER + 1);
        rule.look_up(PUBLISHED_ANY).change_destination();
    });
}

/// Makes a map to address and port. The types matter to `nft list` only.
fn new_map(batch: &mut Batch, table: &str, name: &str, (key, length): (u32, u32), id: u32) {
    /// `NFT_SET_MAP`.
    const MAP: u32 = 0x8;
    /// IPv4 address and port.
    const VALUE: u32 = (7 << 6) | 13;
    batch.add(
        NEW_SET,
        CREATE,
        format!("create map {name}"),
        &HEADER,
        |message| {
            message.text(1, table);
            message.text(2, name);
            message.be32(3, MAP);
            message.be32(4, key);
            message.be32(5, length);
            message.be32(6, VALUE);
            message.be32(7, 8);
            message.be32(10, id);
        },
    );
}

/// A base chain to which rules are appended.
struct Chain<'a> {
    batch: &'a mut Batch,
    table: &'a str,
    name: &'static str,
}

impl<'a> Chain<'a> {
    fn new(
        batch: &'a mut Batch,
        table: &'a str,
        name: &'static str,
        kind: &str,
        hook: Hook,
        priority: i32,
    ) -> Self {
        batch.add(
            NEW_CHAIN,
            CREATE,
            format!("create chain {name}"),
            &HEADER,
            |message| {
                message.text(1, table);
                message.text(3, name);
                message.nested(4, |place| {
                    place.be32(1, hook as u32);
                    place.be32(2, priority.cast_unsigned());
                });
                message.text(7, kind);
            },
        );
        Self { batch, table, name }
    }

    fn rule(&mut self, fill: impl FnOnce(&mut Expressions<'_, '_>)) {
        let what = format!("add a rule to chain {}", self.name);
        self.batch
            .add(NEW_RULE, CREATE | APPEND, what, &HEADER, |message| {
                message.text(1, self.table);
                message.text(2, self.name);
                message.nested(4, |list| fill(&mut Expressions(list)));
            });
    }
}
