use super::*;

fn allocator(subnet: &str, gateway: &str) -> Allocator {
    Allocator::new("bridge", subnet.parse().unwrap(), gateway.parse().unwrap())
}

fn next(allocator: &mut Allocator) -> String {
    allocator
        .allocate(&"c".into(), None)
        .map_or_else(|error| error.to_string(), |found| found.to_string())
}

#[test]
fn released_addresses_come_last() {
    let mut addresses = allocator("10.0.0.0/29", "10.0.0.1");
    assert_eq!(next(&mut addresses), "10.0.0.2");
    assert_eq!(next(&mut addresses), "10.0.0.3");
    addresses.release(&"c".into(), Ipv4Addr::new(10, 0, 0, 2));
    for expected in ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"] {
        assert_eq!(next(&mut addresses), expected);
    }
    assert_eq!(
        next(&mut addresses),
        "no available IPv4 addresses on this network's address pools: bridge (10.0.0.0/29)"
    );
    addresses.release(&"c".into(), Ipv4Addr::new(10, 0, 0, 5));
    assert_eq!(next(&mut addresses), "10.0.0.5");
}

#[test]
fn the_gateway_is_skipped_wherever_it_lies() {
    for (gateway, expected) in [
        (
            "10.0.0.1",
            ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"],
        ),
        (
            "10.0.0.3",
            ["10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"],
        ),
        (
            "10.0.0.6",
            ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"],
        ),
    ] {
        let mut addresses = allocator("10.0.0.0/29", gateway);
        let found: Vec<_> = (0..5).map(|_| next(&mut addresses)).collect();
        assert_eq!(found, expected, "gateway {gateway}");
        assert!(
            addresses.allocate(&"c".into(), None).is_err(),
            "gateway {gateway}"
        );
    }
}

/// Compares with the plainest thing that is right, over random histories.
#[test]
fn random_histories_never_give_an_address_twice() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for prefix in [27, 28, 29, 30, 31] {
        let subnet: Ipv4Net = format!("192.168.7.0/{prefix}").parse().unwrap();
        let gateway = subnet.hosts().next().unwrap();
        let mut addresses = Allocator::new("n", subnet, gateway);
        let mut held: Vec<Ipv4Addr> = Vec::new();
        let room = subnet.hosts().count() - 1;
        for _ in 0..2000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random % 5 < 3 {
                match addresses.allocate(&"c".into(), None) {
                    Ok(address) => {
                        assert!(!held.contains(&address) && address != gateway);
                        assert!(subnet.hosts().any(|host| host == address), "{address}");
                        held.push(address);
                    }
                    Err(_) => assert_eq!(held.len(), room, "/{prefix}"),
                }
            } else if !held.is_empty() {
                let at = usize::try_from(random % held.len() as u64).unwrap();
                addresses.release(&"c".into(), held.swap_remove(at));
            }
            assert_eq!(addresses.taken(), held.len());
        }
    }
}

#[test]
fn a_fixed_address_is_given_once_and_only_inside_the_subnet() {
    let mut addresses = allocator("10.0.0.0/24", "10.0.0.1");
    let mut ask = |address: &str| {
        addresses
            .allocate(&"c".into(), Some(address.parse().unwrap()))
            .map_err(|error| error.to_string())
    };
    assert!(ask("10.0.0.9").is_ok());
    for (address, word) in [
        ("10.0.0.9", "already in use"),
        ("10.0.0.1", "the gateway"),
        ("10.0.0.0", "does not belong"),
        ("10.0.0.255", "does not belong"),
        ("10.0.1.9", "does not belong"),
    ] {
        let error = ask(address).unwrap_err();
        assert!(error.contains(word), "{address}: {error}");
    }
}

#[test]
fn only_the_owner_releases() {
    let mut addresses = allocator("10.0.0.0/24", "10.0.0.1");
    let address = addresses.allocate(&"first".into(), None).unwrap();
    addresses.release(&"second".into(), address);
    assert_eq!(addresses.taken(), 1);
    addresses.release(&"first".into(), address);
    addresses.release(&"first".into(), address);
    assert_eq!(addresses.taken(), 0);
}
