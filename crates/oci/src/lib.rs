//! The vocabulary of images and containers: references, digests, platforms,
//! media types, and the documents of the OCI image and runtime specifications.
//!
//! Everything here is a value: no files, no network, no state. Text and JSON
//! come from strangers, so parsing never panics and never guesses. Documents
//! whose digest matters (manifests, configurations) are never written back
//! from these types: the bytes as received are the truth, and these structs
//! are a reading of them.

pub mod digest;
pub mod image;
pub mod media_type;
pub mod platform;
pub mod reference;
pub mod runtime;
pub mod timestamp;

pub use digest::{Algorithm, Digest, Hasher};
pub use image::Descriptor;
pub use platform::Platform;
pub use reference::Reference;
