//! The runtime under those who drive `runc`: Debian's Docker and Debian's
//! Podman run containers with `tare-runtime` in its place.
//!
//! Each check is made of both, and where there is an outcome to compare, the
//! same command is given to `runc` too: that proves the check, and that nobody
//! can tell the two apart.

mod checks;
mod docker;
mod driver;
mod podman;
