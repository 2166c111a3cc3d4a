//! The engine's nftables table: what is in it, written in transactions.
//!
//! One table of family `inet` per bridge, `tare-<bridge>` by default, and nothing
//! outside it is read or changed. Published ports are elements of two maps, so
//! the number of rules never grows:
//!
//! ```text
//! table inet tare-tare0 {
//!   map published      { protocol . host address . host port : address . port }
//!   map published-any  { protocol . host port : address . port }   (0.0.0.0)
//!   chain raw          prerouting, priority raw       127.0.0.0/8 on the bridge: drop
//!   chain prerouting   prerouting, priority dstnat    to a local address: dnat by the maps
//!   chain output       output, priority dstnat        the same for the host's own programs
//!   chain postrouting  postrouting, priority srcnat   masquerade what leaves the bridge, and
//!                                                     what would not come back otherwise
//!   chain forward      forward, priority filter       into the bridge: replies, published
//!                                                     ports and the bridge's own; else drop
//! }
//! ```
//!
//! A transaction is applied as a whole or not at all. The rules are made from
//! the engine's records and never read back to decide. When the engine is
//! killed the table stays and goes on serving the containers that live on.

mod expression;
mod ruleset;
mod transaction;

pub(crate) use transaction::{Firewall, Rules};

/// `NFPROTO_INET`.
const FAMILY: u8 = 1;
/// The map of ports published on one address of the host.
const PUBLISHED: &str = "published";
/// The map of ports published on all addresses of the host.
const PUBLISHED_ANY: &str = "published-any";
