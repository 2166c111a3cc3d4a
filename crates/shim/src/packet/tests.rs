use super::*;

fn sockets() -> (PacketSocket, PacketSocket) {
    let (left, right) = pair().expect("socketpair");
    (PacketSocket::new(left), PacketSocket::new(right))
}

fn message<T: DeserializeOwned>(socket: &mut PacketSocket) -> (T, Vec<OwnedFd>) {
    match socket.receive().expect("receive") {
        Received::Message(message, descriptors) => (message, descriptors),
        Received::Nothing => panic!("nothing was there"),
        Received::Closed => panic!("the peer is gone"),
    }
}

#[test]
fn messages_of_any_length_arrive_whole() {
    let (left, mut right) = sockets();
    for length in [0, 1, INLINE - 3, INLINE, INLINE + 1, 3 * 1024 * 1024] {
        let sent = "x".repeat(length);
        left.send(&sent, &[], SendFlags::empty()).expect("send");
        let (received, descriptors) = message::<String>(&mut right);
        assert_eq!(received.len(), length);
        assert!(descriptors.is_empty());
    }
}

#[test]
fn descriptors_keep_their_order_and_message() {
    let (left, mut right) = sockets();
    for (count, length) in [
        (1, 1),
        (63, 10),
        (64, 10),
        (64, INLINE * 2),
        (200, INLINE * 2),
    ] {
        let files: Vec<OwnedFd> = (0..count)
            .map(|index| memory_file(format!("{index}").as_bytes()).expect("memory file"))
            .collect();
        let borrowed: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        let sent = "y".repeat(length);
        left.send(&sent, &borrowed, SendFlags::empty())
            .expect("send");
        let (received, descriptors) = message::<String>(&mut right);
        assert_eq!(received, sent);
        assert_eq!(descriptors.len(), count);
        for (index, descriptor) in descriptors.into_iter().enumerate() {
            let bytes = memory_file_bytes(descriptor).expect("read");
            assert_eq!(bytes, format!("{index}").as_bytes());
        }
    }
}

#[test]
fn silence_and_absence_differ() {
    let (left, mut right) = sockets();
    assert!(matches!(right.receive::<String>(), Ok(Received::Nothing)));
    left.send(&"last words", &[], SendFlags::empty())
        .expect("send");
    drop(left);
    assert_eq!(message::<String>(&mut right).0, "last words");
    assert!(matches!(right.receive::<String>(), Ok(Received::Closed)));
}

#[test]
fn malformed_packets_are_errors() {
    let table: [&[u8]; 4] = [b"\x00{", b"\x01", b"\x07{}", b"\x02{}"];
    for bytes in table {
        let (left, mut right) = sockets();
        rustix::net::send(&left, bytes, SendFlags::empty()).expect("send");
        assert!(right.receive::<String>().is_err(), "{bytes:?}");
    }
}
