//! Which program has a port: for the error message only.

use std::fs;

use crate::Protocol;

/// The program that has a local port, as `nginx, process 812`.
pub(super) fn holding(protocol: Protocol, port: u16) -> Option<String> {
    let tables: &[&str] = match protocol {
        Protocol::Tcp => &["tcp", "tcp6"],
        Protocol::Udp => &["udp", "udp6"],
        Protocol::Sctp => return None,
    };
    let inode = tables.iter().find_map(|table| {
        let text = fs::read_to_string(format!("/proc/thread-self/net/{table}")).ok()?;
        text.lines().skip(1).find_map(|line| inode_at(line, port))
    })?;
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let descriptors = fs::read_dir(entry.path().join("fd")).ok()?;
        descriptors
            .flatten()
            .find(|fd| fs::read_link(fd.path()).is_ok_and(|link| link.as_os_str() == &*wanted))?;
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        Some(format!("{}, process {pid}", name.trim_end()))
    })
}

/// The inode of a line of /proc/net/tcp or udp whose local port is `port`; 0 is
/// a connection in TIME_WAIT, which no process has.
fn inode_at(line: &str, port: u16) -> Option<u64> {
    let mut fields = line.split_whitespace();
    let local = fields.nth(1)?;
    let (_, found) = local.rsplit_once(':')?;
    if u16::from_str_radix(found, 16).ok()? != port {
        return None;
    }
    fields.nth(7)?.parse().ok().filter(|inode| *inode != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_s_tables() {
        let listening = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 34567 1 0000000000000000 100 0 0 10 0";
        let closed = "   1: 0100007F:1F90 0100007F:A000 06 00000000:00000000 03:00000F00 00000000     0        0 0 3 0000000000000000";
        let cases = [
            (listening, 8080, Some(34567)),
            (listening, 8081, None),
            (closed, 8080, None),
            ("", 8080, None),
            ("0: 1F90", 8080, None),
        ];
        for (line, port, expected) in cases {
            assert_eq!(inode_at(line, port), expected, "{line}");
        }
    }
}
