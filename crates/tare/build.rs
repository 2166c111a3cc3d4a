//! Has the linker put the functions of `tare runtime` side by side: order.ld,
//! which `cargo xtask order` makes.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=order.ld");
    let variable = |name| env::var(name).unwrap_or_default();
    // Names of functions are not the same elsewhere, and those of a debug build
    // are in other sections.
    if variable("CARGO_CFG_TARGET_ARCH") == "x86_64" && variable("PROFILE") == "release" {
        let directory = variable("CARGO_MANIFEST_DIR");
        println!("cargo::rustc-link-arg-bins=-Wl,--script={directory}/order.ld");
    }
}
