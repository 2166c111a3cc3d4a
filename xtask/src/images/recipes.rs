//! The images, one recipe per file.

mod busybox;
mod debian;
mod hello;
mod large;
mod layers;
mod users;

use super::image::Image;
use anyhow::Result;

/// How an image is made.
pub(crate) struct Recipe {
    /// The directory it is written to.
    pub(crate) name: &'static str,
    /// The name its archive is loaded under.
    pub(crate) reference: &'static str,
    /// Its code, which is part of the key.
    pub(crate) source: &'static str,
    /// Whether `cargo xtask test` makes it, or only who asks for it.
    pub(crate) for_tests: bool,
    /// Makes it: one image, or one per platform.
    pub(crate) make: fn() -> Result<Vec<Image>>,
}

impl Recipe {
    /// The tag of its reference.
    pub(crate) fn tag(&self) -> &'static str {
        self.reference.split(':').nth(1).unwrap_or("latest")
    }
}

/// This file, as part of every image's key.
pub(crate) const SOURCE: &str = concat!(
    include_str!("recipes.rs"),
    include_str!("recipes/busybox.rs")
);

/// Every image.
pub(crate) const ALL: &[Recipe] = &[
    Recipe {
        name: "busybox",
        reference: "busybox:latest",
        source: "",
        for_tests: true,
        make: busybox::make,
    },
    Recipe {
        name: "hello",
        reference: "hello:latest",
        source: include_str!("recipes/hello.rs"),
        for_tests: true,
        make: hello::amd64,
    },
    Recipe {
        name: "platforms",
        reference: "platforms:latest",
        source: include_str!("recipes/hello.rs"),
        for_tests: true,
        make: hello::both,
    },
    Recipe {
        name: "foreign",
        reference: "foreign:latest",
        source: include_str!("recipes/hello.rs"),
        for_tests: true,
        make: hello::arm64,
    },
    Recipe {
        name: "user-by-name",
        reference: "user-by-name:latest",
        source: include_str!("recipes/users.rs"),
        for_tests: true,
        make: users::by_name,
    },
    Recipe {
        name: "user-by-number",
        reference: "user-by-number:latest",
        source: include_str!("recipes/users.rs"),
        for_tests: true,
        make: users::by_number,
    },
    Recipe {
        name: "layers",
        reference: "layers:latest",
        source: include_str!("recipes/layers.rs"),
        for_tests: true,
        make: layers::make,
    },
    Recipe {
        name: "debian",
        reference: "debian:bookworm-slim",
        source: include_str!("recipes/debian.rs"),
        for_tests: true,
        make: debian::make,
    },
    Recipe {
        name: "large",
        reference: "large:latest",
        source: include_str!("recipes/large.rs"),
        for_tests: false,
        make: large::make,
    },
];
