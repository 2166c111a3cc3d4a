//! config-linux.md, "Personality".

use serde_json::json;

use crate::bundle::Bundle;

tests!(personality:
    a_domain_is_set,
    the_default_is_the_hosts,
    an_unknown_domain_is_an_error,
    flags_are_an_error,
);

/// Personality: `LINUX32` makes uname show a CPU of 32 bits.
fn a_domain_is_set() {
    let machine = |domain: &str| {
        let mut bundle = Bundle::new("uname -m");
        bundle.set("/linux/personality", json!({"domain": domain}));
        bundle.output()
    };
    assert_ne!(machine("LINUX32"), Bundle::new("uname -m").output());
    assert_eq!(machine("LINUX"), Bundle::new("uname -m").output());
}

/// Personality: it is optional.
fn the_default_is_the_hosts() {
    let own = std::fs::read_to_string("/proc/self/personality").expect("a number");
    let text = Bundle::new("cat /proc/self/personality").output();
    assert_eq!(text, own.trim_end());
}

/// Valid values: other domains MUST be an error.
fn an_unknown_domain_is_an_error() {
    for domain in ["BSD", "linux", ""] {
        let mut bundle = Bundle::sleeping();
        bundle.set("/linux/personality", json!({"domain": domain}));
        bundle.refused();
    }
}

/// Personality: no flag values are supported.
fn flags_are_an_error() {
    let mut bundle = Bundle::sleeping();
    bundle.set(
        "/linux/personality",
        json!({"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}),
    );
    bundle.refused();
}
