//! Paths with detours: Docker's engine sends the client to the path without.

use super::query::decode;

/// The path without empty, `.` and `..` segments, when `path` has any. Escaped
/// slashes count, so that `/containers/%2Fname/json`, from a name as lists show
/// it, leads to the container.
pub(crate) fn cleaned(path: &str) -> Option<String> {
    let decoded = decode(path, false);
    let mut kept = Vec::new();
    let segments = decoded.strip_prefix('/').unwrap_or(&decoded);
    let (inner, last) = segments.rsplit_once('/').unwrap_or(("", segments));
    let mut detours = segments.starts_with('/');
    for segment in inner.split('/').filter(|_| !inner.is_empty()).chain([last]) {
        match segment {
            "" => continue,
            "." => {}
            ".." => drop(kept.pop()),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        detours = true;
    }
    detours |= inner.split('/').any(str::is_empty) && !inner.is_empty();
    if !detours {
        return None;
    }
    let mut clean = String::new();
    for segment in &kept {
        clean.push('/');
        clean.push_str(&encode(segment));
    }
    if clean.is_empty() || last.is_empty() {
        clean.push('/');
    }
    Some(clean)
}

/// Escapes what may not stand in a path.
fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
