//! Containers with the small init in front.

use tare_shim::protocol::Target;

use super::fixture::{Fixture, eventually, wait_for_exit};

fn fixture(script: &str) -> Fixture {
    let mut fixture = Fixture::new(script);
    fixture.request.init = true;
    fixture
}

#[test]
fn the_program_is_not_process_1_and_its_exit_code_counts() {
    let mut fixture = fixture("test $$ -gt 1 && echo not 1; exit 9");
    assert_eq!(fixture.run().code, 9);
    assert_eq!(fixture.log_lines(), ["not 1"]);
    assert!(!fixture.directory.join("upper/dev/tare-init").exists());
}

#[test]
fn signals_are_passed_on() {
    // Without a handler: what process 1 would not notice ends the program.
    let mut plain = fixture("echo up; sleep 1000");
    let connection = plain.start();
    eventually("the start", || !plain.log_lines().is_empty());
    connection.signal(Target::Init, 15).expect("signal");
    assert_eq!(wait_for_exit(&connection, &Target::Init).code, 128 + 15);
    plain.release(&connection);

    let mut trapping =
        fixture("trap 'echo caught; exit 3' USR1; echo up; while :; do sleep 0.01; done");
    let connection = trapping.start();
    eventually("the start", || !trapping.log_lines().is_empty());
    connection.signal(Target::Init, 10).expect("signal");
    assert_eq!(wait_for_exit(&connection, &Target::Init).code, 3);
    trapping.release(&connection);
    assert_eq!(trapping.log_lines(), ["up", "caught"]);
}

#[test]
fn orphans_are_reaped() {
    // The inner shells end before their children, which end as orphans.
    let mut fixture = fixture(
        "for i in 1 2 3; do sh -c 'sleep 0.1 & exit'; done; sleep 0.5; \
         cat /proc/[0-9]*/stat | while read -r pid name state rest; do echo $state; done",
    );
    fixture.run();
    let states = fixture.log_lines();
    assert!(states.len() >= 2, "{states:?}");
    assert!(!states.contains(&"Z".to_owned()), "{states:?}");
}

#[test]
fn a_program_that_is_missing_ends_it_as_dockers_init_does() {
    for (program, code) in [("/no/such/program", 127), ("/etc", 126)] {
        let mut fixture = Fixture::of(&[program]);
        fixture.request.init = true;
        assert_eq!(fixture.run().code, code);
        assert!(fixture.log_lines()[0].contains(program));
    }
}

#[test]
fn a_terminal_belongs_to_the_program() {
    let mut fixture =
        fixture("trap 'echo caught; exit 7' INT; echo set; while :; do sleep 0.01; done");
    fixture.request.terminal = true;
    fixture.request.open_stdin = true;
    let mut client = fixture.attach(true);
    let connection = fixture.start();
    client.raw_until("set");
    client.write(b"\x03");
    client.raw_until("caught");
    assert_eq!(wait_for_exit(&connection, &Target::Init).code, 7);
    fixture.release(&connection);
}
