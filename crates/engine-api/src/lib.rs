//! Types of Docker's Engine API and the framing of its streams.
//!
//! One module per noun of the API. Every type decodes leniently, as Go does
//! (`null` for anything, missing fields, unknown fields), and encodes exactly
//! what Docker's engine sends: which empty fields are `null`, `[]`, `{}` or
//! left out differs from field to field and is part of the contract.
//! The crate does no I/O and knows nothing of HTTP.

pub mod auth;
pub mod container;
pub mod filters;
pub mod image;
mod lenient;
mod message;
pub mod network;
pub mod stream;
pub mod system;
pub mod time;
mod value;
pub mod volume;

pub use auth::{AuthConfig, AuthResponse};
pub use container::*;
pub use filters::Filters;
pub use image::*;
pub use message::{ErrorDetail, ErrorResponse, JsonMessage, ProgressDetail};
pub use network::*;
pub use system::*;
pub use value::Empty;
pub use volume::*;

/// The newest version of the Engine API this crate speaks.
pub const API_VERSION: &str = "1.51";

/// The oldest version of the Engine API this crate speaks.
pub const MIN_API_VERSION: &str = "1.40";

#[cfg(test)]
mod tests;
