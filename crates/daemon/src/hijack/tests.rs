use tokio::net::UnixStream;
use tokio::time::timeout;

use tokio::io::AsyncReadExt;

use super::*;

/// A client and a process on either side of an exchange that is under way.
fn exchange_between(
    content: impl FnOnce(UnixStream) -> Content,
    early: &'static [u8],
) -> (
    UnixStream,
    UnixStream,
    tokio::task::JoinHandle<io::Result<()>>,
) {
    let (client, ours) = UnixStream::pair().expect("socket pair");
    let (stream, process) = UnixStream::pair().expect("socket pair");
    let takeover = Takeover {
        head: b"HEAD\r\n\r\n".to_vec(),
        content: content(stream),
    };
    let task = tokio::spawn(takeover.run(Stream::Unix(ours), Bytes::from_static(early)));
    (client, process, task)
}

fn plain(stream: UnixStream) -> Content {
    Content::Process {
        stream,
        input: true,
        detach_keys: None,
    }
}

async fn read_all(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("read");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn input_ends_while_output_goes_on() {
    let (mut client, mut process, task) = exchange_between(plain, b"early ");
    client.write_all(b"input").await.expect("write");
    client.shutdown().await.expect("half-close");
    assert_eq!(read_all(&mut process).await, "early input");
    process
        .write_all(b"output after the input's end")
        .await
        .expect("write");
    drop(process);
    assert_eq!(
        read_all(&mut client).await,
        "HEAD\r\n\r\noutput after the input's end"
    );
    drop(client);
    task.await.expect("task").expect("exchange");
}

#[tokio::test]
async fn the_end_of_output_reaches_a_client_that_goes_on_sending() {
    let (mut client, mut process, task) = exchange_between(plain, b"");
    process.write_all(b"last words").await.expect("write");
    drop(process);
    client.write_all(b"too late").await.expect("write");
    assert_eq!(read_all(&mut client).await, "HEAD\r\n\r\nlast words");
    // The client stays and says nothing: the connection ends all the same.
    timeout(LINGER * 3, task)
        .await
        .expect("in time")
        .expect("task")
        .expect("exchange");
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing() {
    for half_closed_first in [false, true] {
        let (mut client, mut process, task) = exchange_between(plain, b"");
        client.read_exact(&mut [0; 8]).await.expect("head");
        if half_closed_first {
            client.shutdown().await.expect("half-close");
            assert_eq!(read_all(&mut process).await, "");
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(!task.is_finished(), "a half-close is no departure");
        }
        drop(client);
        // The process is silent: nothing is ever written to the client.
        timeout(Duration::from_secs(5), task)
            .await
            .expect("in time")
            .expect("task")
            .expect("exchange");
        assert_eq!(read_all(&mut process).await, "");
    }
}

#[tokio::test]
async fn detach_keys_end_the_exchange_and_reach_no_process() {
    let keys = DetachKeys::parse("ctrl-p,ctrl-q").expect("keys");
    let (mut client, mut process, task) = exchange_between(
        |stream| Content::Process {
            stream,
            input: true,
            detach_keys: Some(keys),
        },
        b"a\x10",
    );
    client.write_all(b"b\x10").await.expect("write");
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.write_all(b"\x11rest").await.expect("write");
    timeout(Duration::from_secs(5), task)
        .await
        .expect("in time")
        .expect("task")
        .expect("exchange");
    assert_eq!(read_all(&mut process).await, "a\x10b");
}

#[test]
fn detach_keys_are_found_however_they_are_typed() {
    for (keys, pieces, passed, left) in [
        ("", &["abc"][..], "abc", false),
        ("", &["\x10\x11"], "", true),
        ("", &["a\x10", "\x11"], "a", true),
        ("", &["\x10a", "\x11"], "\x10a\x11", false),
        ("", &["\x10\x10\x11"], "\x10", true),
        ("ctrl-@,x", &["\0", "y\0x"], "\0y", true),
        ("q", &["aq"], "a", true),
    ] {
        let mut scanner = DetachKeys::parse(keys).expect("keys");
        let mut out = Vec::new();
        let mut detached = false;
        for piece in pieces {
            let mut bytes = piece.as_bytes().to_vec();
            detached = scanner.scan(&mut bytes);
            out.extend_from_slice(&bytes);
            if detached {
                break;
            }
        }
        assert_eq!(detached, left, "{keys:?} {pieces:?}");
        assert_eq!(out, passed.as_bytes(), "{keys:?} {pieces:?}");
    }
    for wrong in ["ctrl-", "ctrl-1", "ab", "a,", "shift-a"] {
        assert!(DetachKeys::parse(wrong).is_err(), "{wrong}");
    }
}
