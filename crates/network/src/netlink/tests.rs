use rustix::io::Errno;

use super::attribute::Attributes;
use super::*;

/// `RTM_GETLINK`.
const GET_LINK: u16 = 18;
/// `RTM_DELLINK`.
const DELETE_LINK: u16 = 17;
/// `IFLA_IFNAME`.
const NAME: u16 = 3;

#[test]
fn attributes_end_at_the_first_malformed_one() {
    let good = [8, 0, 1, 0, 1, 2, 3, 4, 5, 0, 2, 0, 9, 0, 0, 0];
    let cases: [(&[u8], usize); 6] = [
        (&good, 2),
        (&good[..13], 2),
        (&good[..12], 1),
        (&[0, 0, 1, 0, 0, 0, 0, 0], 0),
        (&[3, 0, 1, 0], 0),
        (&[255, 255, 1, 0, 1], 0),
    ];
    for (bytes, expected) in cases {
        assert_eq!(Attributes(bytes).count(), expected, "{bytes:?}");
    }
    assert_eq!(find(&good, 2), Some(&[9][..]));
}

#[test]
fn a_dump_is_read_to_its_end() {
    let mut socket = Socket::route().unwrap();
    let links = socket
        .dump(GET_LINK, "list interfaces", &[0; 16], |_| ())
        .unwrap();
    let names: Vec<_> = links
        .iter()
        .filter_map(|link| find(&link[16..], NAME))
        .collect();
    assert!(names.contains(&&b"lo\0"[..]), "{names:?}");
}

#[test]
fn the_first_refusal_is_named_and_the_socket_stays_usable() {
    let mut socket = Socket::route().unwrap();
    for _ in 0..3 {
        let mut batch = Batch::default();
        for name in ["tv-missing-1", "tv-missing-2"] {
            batch.add(
                DELETE_LINK,
                0,
                format!("delete {name}"),
                &[0; 16],
                |message| {
                    message.text(NAME, name);
                },
            );
        }
        let failure = socket.execute(&mut batch).unwrap_err();
        assert_eq!(failure.errno, Errno::NODEV);
        assert_eq!(failure.description, "delete tv-missing-1");
    }
    let reply = socket
        .get(GET_LINK, "find lo", &[0; 16], |message| {
            message.text(NAME, "lo")
        })
        .unwrap();
    assert_eq!(find(&reply[16..], NAME), Some(&b"lo\0"[..]));
}
