//! Lists of CPUs and memory nodes (`0-3,7`), as cpuset(7) has them, with the
//! kernel's groups (`0-10:2/5`: of every five the first two).

/// More CPUs or nodes than any kernel is built for.
const MAXIMUM: u32 = 1 << 16;

/// A set of small numbers, as bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers(Vec<u64>);

impl Numbers {
    /// Reads a list. What is wrong with it is a sentence that lacks its subject.
    pub(crate) fn parse(list: &str) -> Result<Numbers, String> {
        let mut numbers = Numbers::default();
        for part in list.split(',') {
            let part = part.trim_matches([' ', '\n']);
            let (first, last, used, of) =
                range(part).ok_or_else(|| format!("{list:?} is no list of numbers as 0-3,7"))?;
            if first > last {
                return Err(format!("the range {part:?} ends before it begins"));
            }
            if used > of || of == 0 {
                return Err(format!("{part:?} takes {used} of every {of}"));
            }
            for number in first..=last {
                if (number - first) % of < used {
                    numbers.insert(number);
                }
            }
        }
        Ok(numbers)
    }

    fn insert(&mut self, number: u32) {
        let word = number as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// As bits, from the lowest number on.
    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }

    /// In ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            (0..64)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| index * 64 + bit)
        })
    }

    /// Whether all of these are among `others`.
    pub(crate) fn is_within(&self, others: &Numbers) -> bool {
        self.0
            .iter()
            .enumerate()
            .all(|(index, word)| word & !others.0.get(index).copied().unwrap_or(0) == 0)
    }
}

/// First, last, and how many of every how many.
fn range(part: &str) -> Option<(u32, u32, u32, u32)> {
    let (range, group) = match part.split_once(':') {
        Some((range, group)) => (range, Some(group.split_once('/')?)),
        None => (part, None),
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (used, of) = match group {
        Some((used, of)) => (number(used)?, number(of)?),
        None => (1, 1),
    };
    Some((number(first)?, number(last)?, used, of))
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim_matches(' ');
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number < MAXIMUM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_the_kernels() {
        let numbers = |list: &str| Numbers::parse(list).map(|set| set.iter().collect::<Vec<_>>());
        assert_eq!(numbers("0"), Ok(vec![0]));
        assert_eq!(numbers("7, 0-3,2-4"), Ok(vec![0, 1, 2, 3, 4, 7]));
        assert_eq!(numbers("0-10:2/5"), Ok(vec![0, 1, 5, 6, 10]));
        assert_eq!(numbers("63-65"), Ok(vec![63, 64, 65]));
        for wrong in [
            "", ",", "-1", "+1", "1-", "x", "1:2", "1:2/", "65536", "3-1", "0-9:3/2", "0-9:0/0",
        ] {
            assert!(numbers(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn sets_are_compared_by_what_is_in_them() {
        let numbers = |list: &str| Numbers::parse(list).expect("a list");
        assert!(numbers("1,65").is_within(&numbers("0-70")));
        assert!(numbers("1").is_within(&numbers("0-70")));
        assert!(!numbers("1,65").is_within(&numbers("1")));
    }
}
