//! Rules as the kernel's small register machine has them.
//!
//! Each function appends one expression. Numbers: include/uapi/linux/netfilter/
//! nf_tables.h.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::netlink::Message;

const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;

/// The first of the registers of four bytes; the others follow it.
pub(super) const REGISTER: u32 = 8;
const VERDICT_REGISTER: u32 = 0;

/// Key of a `meta` expression.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meta {
    InputName = 6,
    OutputName = 7,
    Family = 15,
    Protocol = 16,
}

/// Key of a `ct` expression.
#[derive(Debug, Clone, Copy)]
pub(super) enum Conntrack {
    State = 0,
    Status = 2,
}

/// `ct state established,related`.
pub(super) const ESTABLISHED_OR_RELATED: u32 = 0b110;
/// `ct status dnat`.
pub(super) const DESTINATION_CHANGED: u32 = 0x20;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Drop = 0,
    Accept = 1,
    Return = -5,
}

/// A field of the packet: where it begins, its offset and length in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field(u32, u32, u32);

/// Source address of IPv4.
pub(super) const SOURCE: Field = Field(1, 12, 4);
/// Destination address of IPv4.
pub(super) const DESTINATION: Field = Field(1, 16, 4);
/// Destination port of TCP, UDP and SCTP alike.
pub(super) const DESTINATION_PORT: Field = Field(2, 2, 2);

/// The expressions of a rule that is being written.
pub(super) struct Expressions<'a, 'b>(pub(super) &'a mut Message<'b>);

impl Expressions<'_, '_> {
    fn add(&mut self, name: &str, fill: impl FnOnce(&mut Message<'_>)) -> &mut Self {
        self.0.nested(LIST_ELEMENT, |element| {
            element.text(EXPRESSION_NAME, name);
            element.nested(EXPRESSION_DATA, fill);
        });
        self
    }

    /// Loads a property of the packet.
    pub(super) fn meta(&mut self, key: Meta, register: u32) -> &mut Self {
        self.add("meta", |data| {
            data.be32(1, register);
            data.be32(2, key as u32);
        })
    }

    /// Loads a field of the packet.
    pub(super) fn payload(
        &mut self,
        Field(base, offset, length): Field,
        register: u32,
    ) -> &mut Self {
        self.add("payload", |data| {
            data.be32(1, register);
            data.be32(2, base);
            data.be32(3, offset);
            data.be32(4, length);
        })
    }

    /// Goes on when the register holds exactly these bytes.
    pub(super) fn equals(&mut self, value: &[u8]) -> &mut Self {
        self.compare(0, value)
    }

    /// Goes on when the register holds other bytes.
    pub(super) fn differs(&mut self, value: &[u8]) -> &mut Self {
        self.compare(1, value)
    }

    fn compare(&mut self, operation: u32, value: &[u8]) -> &mut Self {
        self.add("cmp", |data| {
            data.be32(1, REGISTER);
            data.be32(2, operation);
            data.nested(3, |payload| payload.bytes(DATA_VALUE, value));
        })
    }

    /// Masks the register.
    fn and(&mut self, mask: &[u8]) -> &mut Self {
        let length = u32::try_from(mask.len()).unwrap_or(0);
        self.add("bitwise", |data| {
            data.be32(1, REGISTER);
            data.be32(2, REGISTER);
            data.be32(3, length);
            data.nested(4, |payload| payload.bytes(DATA_VALUE, mask));
            data.nested(5, |payload| payload.bytes(DATA_VALUE, &vec![0; mask.len()]));
        })
    }

    /// Goes on with packets that came in by this interface.
    pub(super) fn input_is(&mut self, interface: &str) -> &mut Self {
        self.meta(Meta::InputName, REGISTER)
            .equals(&interface_name(interface))
    }

    /// Goes on with packets that go out by this interface.
    pub(super) fn output_is(&mut self, interface: &str) -> &mut Self {
        self.meta(Meta::OutputName, REGISTER)
            .equals(&interface_name(interface))
    }

    /// Goes on with packets that go out by another interface.
    pub(super) fn output_is_not(&mut self, interface: &str) -> &mut Self {
        self.meta(Meta::OutputName, REGISTER)
            .differs(&interface_name(interface))
    }

    /// Goes on with IPv4.
    pub(super) fn ipv4(&mut self) -> &mut Self {
        self.meta(Meta::Family, REGISTER).equals(&[2])
    }

    /// Goes on when the address in the field lies in the subnet.
    pub(super) fn within(&mut self, field: Field, subnet: Ipv4Net) -> &mut Self {
        self.payload(field, REGISTER);
        if subnet.prefix_len() < 32 {
            self.and(&subnet.netmask().octets());
        }
        self.equals(&subnet.network().octets())
    }

    /// Goes on when one of the bits is set.
    pub(super) fn conntrack_has(&mut self, key: Conntrack, bits: u32) -> &mut Self {
        self.add("ct", |data| {
            data.be32(1, REGISTER);
            data.be32(2, key as u32);
        });
        self.and(&bits.to_ne_bytes()).differs(&[0; 4])
    }

    /// Goes on when the destination is an address of the host.
    pub(super) fn destination_is_local(&mut self) -> &mut Self {
        /// `NFT_FIB_RESULT_ADDRTYPE`.
        const ADDRESS_TYPE: u32 = 3;
        /// `NFTA_FIB_F_DADDR`.
        const OF_DESTINATION: u32 = 2;
        /// `RTN_LOCAL`.
        const LOCAL: u32 = 2;
        self.add("fib", |data| {
            data.be32(1, REGISTER);
            data.be32(2, ADDRESS_TYPE);
            data.be32(3, OF_DESTINATION);
        })
        .equals(&LOCAL.to_ne_bytes())
    }

    /// Looks the registers up in a map and goes on with its value in their place.
    pub(super) fn look_up(&mut self, map: &str) -> &mut Self {
        self.add("lookup", |data| {
            data.text(1, map);
            data.be32(2, REGISTER);
            data.be32(3, REGISTER);
        })
    }

    /// Redirects to the IPv4 address and the port in the first two registers.
    pub(super) fn change_destination(&mut self) -> &mut Self {
        self.add("nat", |data| {
            data.be32(1, 1);
            data.be32(2, 2);
            data.be32(3, REGISTER);
            data.be32(5, REGISTER + 1);
        })
    }

    /// Replaces the source by the address of the interface that it leaves by.
    pub(super) fn masquerade(&mut self) -> &mut Self {
        self.add("masq", |_| ())
    }

    /// Ends with a verdict.
    pub(super) fn verdict(&mut self, verdict: Verdict) -> &mut Self {
        self.add("immediate", |data| {
            data.be32(1, VERDICT_REGISTER);
            data.nested(2, |payload| {
                payload.nested(DATA_VERDICT, |fields| {
                    fields.be32(VERDICT_CODE, (verdict as i32).cast_unsigned());
                });
            });
        })
    }
}

/// An interface's name as the kernel compares it: 16 bytes with zeros behind.
fn interface_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    bytes
}

/// An element of the list of a map's elements.
pub(super) fn element(list: &mut Message<'_>, key: &[u8], value: Option<&[u8]>) {
    list.nested(LIST_ELEMENT, |element| {
        element.nested(1, |payload| payload.bytes(DATA_VALUE, key));
        if let Some(value) = value {
            element.nested(2, |payload| payload.bytes(DATA_VALUE, value));
        }
    });
}

/// Fields of a concatenated key, each padded to a register of four bytes.
pub(super) fn registers(protocol: u8, address: Option<Ipv4Addr>, port: u16) -> Vec<u8> {
    let mut bytes = vec![protocol, 0, 0, 0];
    bytes.extend(address.into_iter().flat_map(|address| address.octets()));
    bytes.extend(port.to_be_bytes());
    bytes.extend([0, 0]);
    bytes
}
