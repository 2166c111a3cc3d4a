use super::arguments::{Socket, parse};
use super::caller::{Mapping, Status};

fn words(words: [u32; 3]) -> [u8; 12] {
    let mut bytes = [0; 12];
    for (place, word) in words.into_iter().enumerate() {
        bytes[place * 4..place * 4 + 4].copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[test]
fn families_beyond_the_container_are_refused_and_others_kept_as_they_are() {
    for family in [38, 40] {
        let error = parse(words([family, 5, 0])).expect_err("refused");
        assert_eq!(error.raw_os_error(), Some(1));
    }
    assert_eq!(
        parse(words([2, 0o2_004_001, 6])).expect("accepted"),
        Socket {
            domain: 2,
            kind: 0o2_004_001,
            protocol: 6,
            close_on_exec: true,
        }
    );
    for (family, domain) in [(1, 1), (37, 37), (39, 39), (41, 41), (u32::MAX, -1)] {
        let socket = parse(words([family, 2, 0])).expect("accepted");
        assert_eq!((socket.domain, socket.close_on_exec), (domain, false));
    }
}

#[test]
fn a_status_is_read_or_refused() {
    let text = "Name:\tUid:\nUid:\t0\t1\t2\t3\nGid:\t4\t5\t6\t7\nGroups:\t10 20 \n\
                CapEff:\t00000000a80425fb\n";
    assert_eq!(
        Status::parse(text).expect("complete"),
        Status {
            users: [0, 1, 2, 3],
            groups: [4, 5, 6, 7],
            supplementary: vec![10, 20],
            capabilities: 0xa804_25fb,
        }
    );
    let none = text.replace("10 20 ", " ");
    let none = Status::parse(&none).expect("none");
    assert!(none.supplementary.is_empty());
    for broken in [
        "",
        &text.replace("CapEff", "CapPrm"),
        &text.replace("\t3\n", "\n"),
        &text.replace("10 20", "10 -1"),
        &text.replace("a804", "g"),
    ] {
        assert!(Status::parse(broken).is_err(), "{broken}");
    }
}

#[test]
fn numbers_of_the_host_are_found_in_a_user_namespace() {
    let mapping = Mapping::parse("         0     100000      65536\n     70000          5 1\n");
    let mapping = mapping.expect("well-formed");
    for (outside, inside) in [
        (100_000, Some(0)),
        (101_000, Some(1000)),
        (165_535, Some(65_535)),
        (165_536, None),
        (99_999, None),
        (5, Some(70_000)),
        (0, None),
    ] {
        assert_eq!(mapping.inside(outside), inside, "{outside}");
    }
    let all = Mapping::parse("0 0 4294967295\n").expect("the host's");
    assert_eq!(all.inside(1000), Some(1000));
    assert!(Mapping::parse("0 0\n").is_err());
    assert!(Mapping::parse("0 0 x\n").is_err());
}
