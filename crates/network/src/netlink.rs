//! Netlink as bytes: requests put together, sent in one system call, answers read.
//!
//! Routes, nftables and conntrack share this module in place of a crate each:
//! the crates lack the NAT, conntrack and route-type expressions that published
//! ports are made of, and allocate for every attribute. The kernel treats a
//! request before `send` returns, so no answer is ever waited for.

mod attribute;
mod request;
mod socket;

pub(crate) use attribute::find;
pub(crate) use request::{Batch, Message};
pub(crate) use socket::{Failure, Socket};

/// The request is one (`NLM_F_REQUEST`).
const REQUEST: u16 = 0x1;
/// The kernel answers even when all went well (`NLM_F_ACK`).
const ACKNOWLEDGE: u16 = 0x4;
/// All objects are wanted (`NLM_F_ROOT | NLM_F_MATCH`).
const DUMP: u16 = 0x300;
/// The object must not exist yet (`NLM_F_EXCL`).
pub(crate) const EXCLUSIVE: u16 = 0x200;
/// The object is made when it does not exist (`NLM_F_CREATE`).
pub(crate) const CREATE: u16 = 0x400;
/// The object is put behind those that exist (`NLM_F_APPEND`).
pub(crate) const APPEND: u16 = 0x800;

/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;

/// Rounds up to netlink's alignment of four bytes.
const fn align(length: usize) -> usize {
    (length + 3) & !3
}

#[cfg(test)]
mod tests;
