//! Standard input: its end, its absence, and more of it than is taken.

use tare_shim::protocol::Target;

use super::fixture::{Client, Fixture, wait_for_exit};

#[test]
fn the_end_of_input_arrives_while_output_flows_on() {
    let mut fixture = Fixture::new("cat; echo after the end; sleep 0.1; echo later");
    fixture.request.open_stdin = true;
    fixture.request.stdin_once = true;
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    client.write(b"first\n");
    client.raw_until("first");
    client.write(b"second\n");
    client.end_input();
    let (out, _) = client.output();
    assert_eq!(out, "second\nafter the end\nlater\n");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

#[test]
fn a_client_that_is_gone_has_ended_the_input() {
    let mut fixture = Fixture::new("cat >/tmp/in; wc -c </tmp/in");
    fixture.request.open_stdin = true;
    fixture.request.stdin_once = true;
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    client.write(&[b'x'; 100_000]);
    drop(client);
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
    assert_eq!(fixture.log_lines(), ["100000"]);
}

#[test]
fn input_stays_open_for_the_next_client_unless_it_is_once() {
    let mut fixture = Fixture::new("read a; read b; echo $a $b");
    fixture.request.open_stdin = true;
    let mut first = fixture.attach(true);
    let connection = fixture.start();
    first.write(b"one\n");
    // As Docker: the end of its input ends the attachment, not the input.
    first.end_input();
    assert_eq!(first.raw(), b"");
    let (mut second, attachment) = Client::new(true);
    connection.attach(attachment).expect("attach");
    second.write(b"two\n");
    assert_eq!(second.output().0, "one two\n");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}

#[test]
fn more_input_than_is_taken_waits() {
    let mut fixture = Fixture::new("sleep 0.3; wc -c");
    fixture.request.open_stdin = true;
    fixture.request.stdin_once = true;
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    let writer = std::thread::spawn(move || {
        client.write(&vec![b'x'; 3_000_000]);
        client.end_input();
        client.output().0
    });
    wait_for_exit(&connection, &Target::Init);
    assert_eq!(writer.join().expect("writer"), "3000000\n");
    fixture.release(&connection);
}

#[test]
fn input_nobody_reads_stops_nobody() {
    let mut fixture = Fixture::new("exec <&-; sleep 0.2; echo end");
    fixture.request.open_stdin = true;
    fixture.request.stdin_once = true;
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    let mut writing = Client {
        stream: client.stream.try_clone().expect("clone"),
    };
    let writer = std::thread::spawn(move || {
        // More than any buffer; the container's end may cut it short.
        let _ = std::io::Write::write_all(&mut writing.stream, &vec![b'x'; 4_000_000]);
    });
    assert_eq!(client.output().0, "end\n");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
    drop(client);
    writer.join().expect("writer");
}

#[test]
fn without_open_input_there_is_none() {
    let mut fixture = Fixture::new("cat; echo end");
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    let _ = std::io::Write::write_all(&mut client.stream, b"discarded\n");
    assert_eq!(client.output().0, "end\n");
    wait_for_exit(&connection, &Target::Init);
    fixture.release(&connection);
}
