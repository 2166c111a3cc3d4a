//! /etc/hosts and /etc/hostname.

use std::fmt::Write;
use std::net::IpAddr;

/// What goes into /etc/hosts.
#[derive(Debug, Clone, Default)]
pub struct Hosts<'a> {
    /// The container's addresses; none without a network.
    pub addresses: &'a [IpAddr],
    /// The container's host name.
    pub hostname: &'a str,
    /// Its domain, or nothing.
    pub domainname: &'a str,
    /// `--add-host`, with `host-gateway` already replaced by an address.
    pub extra: &'a [(String, IpAddr)],
}

/// The contents of /etc/hosts: loopback, IPv6's names, `--add-host` and the
/// container itself, in Docker's order.
pub fn hosts(hosts: &Hosts<'_>) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\n\
         ff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n",
    );
    // Writing to a String cannot fail.
    for (name, address) in hosts.extra {
        let _ = writeln!(text, "{address}\t{name}");
    }
    for address in hosts.addresses {
        let _ = if hosts.domainname.is_empty() {
            writeln!(text, "{address}\t{}", hosts.hostname)
        } else {
            writeln!(
                text,
                "{address}\t{0}.{1} {0}",
                hosts.hostname, hosts.domainname
            )
        };
    }
    text
}

/// The contents of /etc/hostname.
pub fn hostname(name: &str) -> String {
    format!("{name}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_comes_last() {
        let extra = [("db".to_owned(), "10.0.0.7".parse().unwrap())];
        let addresses = ["172.17.0.2".parse().unwrap()];
        let tail = |domainname, addresses: &[IpAddr]| {
            let text = hosts(&Hosts {
                addresses,
                hostname: "web",
                domainname,
                extra: &extra,
            });
            let (head, tail) = text.split_once("ip6-allrouters\n").unwrap();
            assert!(
                head.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost "),
                "{head}"
            );
            tail.to_owned()
        };
        assert_eq!(tail("", &addresses), "10.0.0.7\tdb\n172.17.0.2\tweb\n");
        assert_eq!(
            tail("example.org", &addresses),
            "10.0.0.7\tdb\n172.17.0.2\tweb.example.org web\n"
        );
        assert_eq!(tail("", &[]), "10.0.0.7\tdb\n");
    }
}
