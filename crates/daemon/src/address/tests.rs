use super::*;

#[test]
fn addresses_are_read_as_dockerd_reads_them() {
    for (text, address) in [
        (
            "unix:///run/x.sock",
            Ok(Address::Unix("/run/x.sock".into())),
        ),
        ("/run/x.sock", Ok(Address::Unix("/run/x.sock".into()))),
        ("fd://", Ok(Address::Inherited(String::new()))),
        ("fd://*", Ok(Address::Inherited(String::new()))),
        (
            "fd://api.socket",
            Ok(Address::Inherited("api.socket".into())),
        ),
        ("tcp://:2375", Ok(Address::Tcp("127.0.0.1:2375".into()))),
        ("tcp://[::1]:2375/", Ok(Address::Tcp("[::1]:2375".into()))),
        ("tcp://host", Err(AddressError::Port("tcp://host".into()))),
        ("unix://", Err(AddressError::Path("unix://".into()))),
        (
            "unix://relative",
            Err(AddressError::Path("unix://relative".into())),
        ),
        (
            "npipe:////./pipe",
            Err(AddressError::Scheme("npipe:////./pipe".into())),
        ),
        ("", Err(AddressError::Scheme(String::new()))),
    ] {
        assert_eq!(Address::parse(text), address, "{text}");
    }
}
