//! From a position in a JSON text to the path of the property there. Used for
//! errors only: reading a document that is right costs nothing for it.

/// The longest path that is written out, in bytes.
const MAXIMUM_PATH: usize = 256;
/// The longest name in it.
const MAXIMUM_NAME: usize = 64;

/// A container of values that is open at a position.
enum Open<'a> {
    /// An object and the name whose value comes next or has come last.
    Object(Option<&'a [u8]>),
    /// A list and the index likewise.
    List(usize),
}

/// The path of the value that ends or begins at a position as serde_json
/// counts them (bytes, lines from 1), as `linux.mounts[3].options`. Empty for
/// the document itself, and as far as the text is JSON.
pub(super) fn path(text: &[u8], line: usize, column: usize) -> String {
    let end = offset(text, line, column).min(text.len());
    write(&follow(&text[..end]))
}

fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let begins = match line.checked_sub(2) {
        None => Some(0),
        Some(before) => text
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(before)
            .map(|(at, _)| at + 1),
    };
    begins.unwrap_or(text.len()).saturating_add(column)
}

/// The containers that are open at the end of a text that may stop anywhere.
fn follow(text: &[u8]) -> Vec<Open<'_>> {
    let mut open = Vec::new();
    let mut wants_name = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => {
                open.push(Open::Object(None));
                wants_name = true;
            }
            b'[' => open.push(Open::List(0)),
            b'}' | b']' => {
                open.pop();
                wants_name = false;
            }
            b',' => match open.last_mut() {
                Some(Open::List(index)) => *index += 1,
                Some(Open::Object(_)) => wants_name = true,
                None => {}
            },
            b'"' => {
                let begins = at;
                at = end_of_string(text, at);
                let ends = at.saturating_sub(1).max(begins);
                if wants_name && let Some(Open::Object(name)) = open.last_mut() {
                    *name = Some(&text[begins..ends.min(text.len())]);
                    wants_name = false;
                }
            }
            _ => {}
        }
    }
    open
}

/// Where the text after a string begins.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    text.len()
}

fn write(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for container in open {
        if path.len() > MAXIMUM_PATH {
            path.push_str("...");
            break;
        }
        match container {
            Open::List(index) => path.push_str(&format!("[{index}]")),
            Open::Object(None) => {}
            Open::Object(Some(name)) => {
                let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
                if name.iter().all(plain) && !name.is_empty() && name.len() <= MAXIMUM_NAME {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&String::from_utf8_lossy(name));
                } else {
                    // Names with dots in them are common: annotations, sysctls.
                    let text = String::from_utf8_lossy(name);
                    let short: String = text.chars().take(MAXIMUM_NAME).collect();
                    path.push_str(&format!("[{short:?}]"));
                }
            }
        }
    }
    path
}
