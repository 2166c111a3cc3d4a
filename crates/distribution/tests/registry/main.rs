//! The registry client against Debian's `docker-registry`, started here on loopback
//! ports, a token server of our own, and a proxy that does what bad networks do.

mod authentication;
mod certificates;
mod faults;
mod image;
mod proxy;
mod pull;
mod refusals;
mod registry;
mod tls;
mod token_server;
