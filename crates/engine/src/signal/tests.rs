use super::*;

#[test]
fn every_way_to_write_a_signal() {
    for (name, number) in [
        ("SIGTERM", 15),
        ("term", 15),
        ("15", 15),
        ("KILL", 9),
        ("sigusr1", 10),
        ("WINCH", 28),
        ("SYS", 31),
        ("RTMIN", 34),
        ("SIGRTMIN+3", 37),
        ("RTMAX-1", 63),
        ("64", 64),
    ] {
        assert_eq!(parse(name).unwrap(), number, "{name}");
    }
    for name in [
        "", "0", "-1", "65", "SIG", "FOO", "RTMIN+31", "RTMIN+-1", "9 ",
    ] {
        assert_eq!(
            parse(name).unwrap_err().to_string(),
            format!("invalid signal: {name}")
        );
    }
}
