//! The nearest known word to one that is not known.

/// The candidate that differs least from `word`, if any is near enough to
/// be what was meant.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    candidates
        .map(|candidate| {
            let distance = if !word.is_empty() && candidate.starts_with(word) {
                1
            } else {
                distance(word, candidate)
            };
            (distance, candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.len())
        .map(|(_, candidate)| candidate)
}

/// Damerau-Levenshtein with adjacent swaps: `rnu` is one step from `run`.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let mut steps = (last[column] + usize::from(from != to))
                .min(last[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && *from == right[column - 1] && left[row - 1] == *to {
                steps = steps.min(before_last[column - 1] + 1);
            }
            current.push(steps);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}
