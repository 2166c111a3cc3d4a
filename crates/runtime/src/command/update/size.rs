//! Sizes as `512m`, read as runc and Docker's programs read them: in powers
//! of 1024, with an optional `b` or `ib` after the letter.

/// The bytes of a size.
///
/// # Errors
/// In go-units' words.
pub(super) fn bytes(text: &str) -> Result<i64, String> {
    let invalid = || format!("invalid size: '{text}'");
    let suffix_error = |suffix: &str| format!("invalid suffix: '{suffix}'");
    let last = text
        .rfind(|character: char| character.is_ascii_digit() || matches!(character, '.' | ' '))
        .ok_or_else(invalid)?;
    let (number, suffix) = match text.as_bytes()[last] {
        b' ' => (&text[..last], &text[last + 1..]),
        _ => text.split_at(last + 1),
    };
    let number: f64 = number.parse().map_err(|_| invalid())?;
    if number < 0.0 || !number.is_finite() {
        return Err(invalid());
    }
    let lower = suffix.to_lowercase();
    let exponent = match (lower.chars().next(), lower.get(1..).unwrap_or_default()) {
        (None, _) | (Some('b'), "") => 0,
        (Some(unit), "" | "b" | "ib") => match "kmgtp".find(unit) {
            Some(index) => index + 1,
            None => return Err(suffix_error(suffix)),
        },
        _ => return Err(suffix_error(suffix)),
    };
    let size = number * 1024f64.powi(i32::try_from(exponent).unwrap_or(0));
    // As large a number as the kernel takes for none.
    if size >= 9.2e18 {
        return Err(invalid());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be in range; a fraction of a byte is left out"
    )]
    Ok(size as i64)
}
