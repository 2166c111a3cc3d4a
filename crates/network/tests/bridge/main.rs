//! The bridge network against the real kernel, each test on a "host" of its own:
//! a network namespace with an uplink to another one that plays the outside.
//!
//! Nothing outside these namespaces is touched. `ip` and `nft` set the scene
//! and look from outside; the network itself executes nothing.

mod bad_input;
mod concurrency;
mod lifecycle;
mod traffic;
mod world;
