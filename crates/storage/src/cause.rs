//! The operating system's errors in the words people search for.

use std::io;

/// An error without Rust's decoration: "no space left on device" rather than
/// "No space left on device (os error 28)", as every C and Go program says it.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = match text.rfind(" (os error ") {
        Some(end) => &text[..end],
        None => &text,
    };
    let mut characters = text.chars();
    match characters.next() {
        // Not "I/O error" and other words that begin with an abbreviation.
        Some(first)
            if !characters
                .as_str()
                .starts_with(|next: char| !next.is_lowercase() && next != ' ') =>
        {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}
