//! Names of units, addresses, and the conversation before the first message.

use std::path::PathBuf;

use super::super::address::{Address, candidates, parse};
use super::super::{authentication, name};

#[test]
fn a_path_names_a_slice_and_a_unit() {
    for (path, rootless, slice, unit) in [
        ("", false, "system.slice", "tare-id.scope"),
        ("::", true, "user.slice", "tare-id.scope"),
        ("a-b.slice:docker:x", false, "a-b.slice", "docker-x.scope"),
        (":docker:x", false, "system.slice", "docker-x.scope"),
        ("a.slice::pod.slice", false, "a.slice", "pod.slice"),
        ("-.slice:p:x", false, "-.slice", "p-x.scope"),
    ] {
        let names = name::parse(path, "id", rootless).expect("valid");
        assert_eq!(
            (names.slice.as_str(), names.unit.as_str()),
            (slice, unit),
            "{path}"
        );
    }
    for path in [
        "/a/b",
        "a:b",
        "a:b:c:d",
        "a:b:c",
        "a/b.slice:p:x",
        "-a.slice:p:x",
        "a--b.slice:p:x",
        ".slice:p:x",
        "a.slice:p:../x",
        "a.slice:p:x y",
        "a.slice:p:a--b.slice",
    ] {
        assert!(name::parse(path, "id", false).is_err(), "{path}");
    }
}

#[test]
fn dashes_in_a_slices_name_are_levels() {
    for (slice, path) in [
        ("-.slice", Some("")),
        ("a.slice", Some("/a.slice")),
        ("a-b-c.slice", Some("/a.slice/a-b.slice/a-b-c.slice")),
        ("a", None),
        (".slice", None),
        ("a-.slice", None),
        ("../a.slice", None),
    ] {
        assert_eq!(name::expand(slice).as_deref(), path, "{slice}");
    }
}

#[test]
fn addresses_are_read_from_their_lists() {
    let bus = |path: &str| Address::Bus(PathBuf::from(path));
    assert_eq!(
        parse("tcp:host=x;unix:path=/a%20b,guid=1;unix:abstract=c"),
        [bus("/a b"), Address::AbstractBus(b"c".to_vec())]
    );
    assert_eq!(parse("unix:path=/a%zz;unix:;nonsense;"), []);
}

#[test]
fn the_environment_says_where_systemd_listens() {
    let no = |_: &str| None;
    let find = |rootless| candidates(rootless, &no, 1000);
    assert_eq!(find(false)[0].describe(), "/run/systemd/private");
    assert_eq!(find(false)[1].describe(), "/run/dbus/system_bus_socket");
    assert_eq!(find(true)[0].describe(), "/run/user/1000/bus");
    let set = |wanted: &'static str, value: &'static str| {
        move |name: &str| (name == wanted).then(|| value.to_owned())
    };
    let runtime = candidates(true, &set("XDG_RUNTIME_DIR", "/r"), 1000);
    assert_eq!(runtime[0].describe(), "/r/bus");
    let session = set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/s");
    assert_eq!(candidates(true, &session, 1000)[0].describe(), "/s");
    let system = set("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/y");
    assert_eq!(candidates(false, &system, 0)[0].describe(), "/y");
}

#[test]
fn only_an_ok_opens_the_connection() {
    assert!(!authentication::is_done("DATA").expect("a word"));
    assert!(authentication::is_done("OK 1234").expect("a word"));
    assert!(authentication::is_done("REJECTED EXTERNAL").is_err());
    assert!(authentication::is_done("OKAY").is_err());
}
