//! `WWW-Authenticate`: what a registry asks for (RFC 9110, section 11).

/// How a registry wants to be convinced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A user name and a password with every request.
    Basic,
    /// A token from a server that the registry trusts.
    Bearer(Bearer),
}

/// Parameters of a bearer challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bearer {
    /// URL of the token server.
    pub(crate) realm: String,
    /// The registry's name at the token server.
    pub(crate) service: Option<String>,
    /// What the refused request needed.
    pub(crate) scope: Option<String>,
    /// Why the token sent was refused (RFC 6750, section 3.1).
    pub(crate) error: Option<String>,
    /// The same in words.
    pub(crate) error_description: Option<String>,
}

/// Longest header looked at, in bytes; a real one has some hundred.
const HEADER_MAXIMUM: usize = 8 << 10;

/// The challenges of one header line. Unknown schemes and malformed rests are
/// left out: what remains may still be enough to go on.
pub(crate) fn parse(header: &str) -> Vec<Challenge> {
    if header.len() > HEADER_MAXIMUM {
        return Vec::new();
    }
    let mut challenges = Vec::new();
    let mut rest = header;
    while let Some((scheme, after)) = token(rest.trim_start_matches([' ', '\t', ','])) {
        let (parameters, after) = parameters(after);
        if scheme.eq_ignore_ascii_case("basic") {
            challenges.push(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let mut bearer = Bearer::default();
            for (name, value) in parameters {
                match name.to_ascii_lowercase().as_str() {
                    "realm" => bearer.realm = value,
                    "service" => bearer.service = Some(value),
                    "scope" => bearer.scope = Some(value),
                    "error" => bearer.error = Some(value),
                    "error_description" => bearer.error_description = Some(value),
                    _ => {}
                }
            }
            if !bearer.realm.is_empty() {
                challenges.push(Challenge::Bearer(bearer));
            }
        }
        if after.len() == rest.len() {
            break;
        }
        rest = after;
    }
    challenges
}

/// `name=value` pairs up to the next scheme, and the rest from there.
fn parameters(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut pairs = Vec::new();
    loop {
        let start = rest.trim_start_matches([' ', '\t', ',']);
        let Some((name, after)) = token(start) else {
            return (pairs, start);
        };
        let Some(after) = after.trim_start().strip_prefix('=') else {
            // A token without a value is the next challenge's scheme.
            return (pairs, start);
        };
        let Some((value, after)) = value(after.trim_start()) else {
            return (pairs, "");
        };
        pairs.push((name.to_owned(), value));
        rest = after;
    }
}

/// A token of RFC 9110, section 5.6.2, and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|character: char| {
            !(character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character))
        })
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A quoted string, or a bare value up to the next separator.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests;
