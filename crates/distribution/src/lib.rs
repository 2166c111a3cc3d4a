//! Registry client: finds an image in a registry and brings its content over a
//! bad network.
//!
//! # What it owns
//!
//! Nothing on disk and nothing in the kernel but connections. In memory it keeps,
//! per registry, how to speak to it (scheme and challenge, a few minutes) and its
//! bearer tokens (until they expire).
//!
//! # The way of a pull
//!
//! [`Client::resolve`] goes through the endpoints of a registry, mirrors first:
//! contact ([`contact`]), authorisation ([`challenge`], [`token`]), manifest
//! ([`manifest`]), choice of platform, configuration. [`Client::blob`] streams a
//! layer and goes on by `Range` where a connection broke ([`blob`]).
//!
//! # What is trusted
//!
//! Nothing a registry says. Every body has a bound, every manifest and every
//! configuration is checked against its digest, a layer never yields more bytes
//! than its descriptor says (its digest is the storing side's to check, which
//! reads the bytes anyway), and credentials go to the origin they were given for
//! and to the token server it names, never along a redirect.

mod answer;
mod backoff;
mod blob;
mod challenge;
mod client;
mod config;
mod contact;
mod credentials;
mod endpoint;
mod error;
mod exchange;
mod manifest;
mod resolve;
mod token;
mod transport;

pub use answer::Answer;
pub use blob::{Blob, Event};
pub use client::Client;
pub use config::{Config, Patience};
pub use credentials::Credentials;
pub use error::{Error, Kind};
pub use resolve::{Resolved, Source};
