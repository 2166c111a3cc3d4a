//! The default subnet: the first of Docker's pools that meets nothing in use.

use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Docker's default address pools in its order: 172.17.0.0/16 to 172.31.0.0/16,
/// then 192.168.0.0/16 in pieces of /20.
fn candidates() -> impl Iterator<Item = Ipv4Net> {
    let large = (17..=31).map(|second| Ipv4Net::new_assert(Ipv4Addr::new(172, second, 0, 0), 16));
    let small = (0..=240u8)
        .step_by(16)
        .map(|third| Ipv4Net::new_assert(Ipv4Addr::new(192, 168, third, 0), 20));
    large.chain(small)
}

/// The first pool that overlaps none of the given subnets (the host's routes and
/// addresses); `None` when all do.
pub(crate) fn choose(in_use: &[Ipv4Net]) -> Option<Ipv4Net> {
    candidates().find(|candidate| !in_use.iter().any(|used| overlap(candidate, used)))
}

/// Whether two subnets have an address in common. A default route has with
/// everything, so callers leave it out.
pub(crate) fn overlap(one: &Ipv4Net, other: &Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

#[cfg(test)]
mod tests;
