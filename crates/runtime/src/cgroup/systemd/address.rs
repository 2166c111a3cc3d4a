//! Where systemd listens.

use std::path::PathBuf;

/// A socket to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A bus, by the socket's path.
    Bus(PathBuf),
    /// A bus, by the name of an abstract socket.
    AbstractBus(Vec<u8>),
    /// systemd itself.
    Direct(PathBuf),
}

impl Address {
    pub(super) fn describe(&self) -> String {
        match self {
            Address::Bus(path) | Address::Direct(path) => path.display().to_string(),
            Address::AbstractBus(name) => format!("@{}", String::from_utf8_lossy(name)),
        }
    }
}

/// The sockets to try, in order. What the environment says prevails.
pub(super) fn candidates(
    rootless: bool,
    variable: &dyn Fn(&str) -> Option<String>,
    user: u32,
) -> Vec<Address> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if rootless {
        if let Some(text) = set("DBUS_SESSION_BUS_ADDRESS") {
            return parse(&text);
        }
        let runtime = set("XDG_RUNTIME_DIR").unwrap_or_else(|| format!("/run/user/{user}"));
        let runtime = PathBuf::from(runtime);
        return vec![
            Address::Bus(runtime.join("bus")),
            Address::Direct(runtime.join("systemd/private")),
        ];
    }
    if let Some(text) = set("DBUS_SYSTEM_BUS_ADDRESS") {
        return parse(&text);
    }
    vec![
        Address::Direct(PathBuf::from("/run/systemd/private")),
        Address::Bus(PathBuf::from("/run/dbus/system_bus_socket")),
    ]
}

/// Reads a list of addresses (`unix:path=/a;unix:abstract=b,guid=...`). Those
/// of other transports are left out.
pub(super) fn parse(text: &str) -> Vec<Address> {
    text.split(';')
        .filter_map(|one| {
            let pairs = one.trim().strip_prefix("unix:")?;
            pairs.split(',').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                let value = unescape(value)?;
                match key {
                    "path" => {
                        use std::os::unix::ffi::OsStringExt;
                        let path = std::ffi::OsString::from_vec(value);
                        Some(Address::Bus(PathBuf::from(path)))
                    }
                    "abstract" => Some(Address::AbstractBus(value)),
                    _ => None,
                }
            })
        })
        .collect()
}

/// Resolves `%2f`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(others.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &others[2..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    Some(bytes)
}
