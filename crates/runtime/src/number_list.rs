//! Sets of CPUs and memory nodes, from lists as `0-3,7`.

use crate::cgroup::parse_list;

/// A set of small numbers, as bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers(Vec<u64>);

impl Numbers {
    /// Reads a list. What is wrong with it is a sentence.
    pub(crate) fn parse(list: &str) -> Result<Numbers, String> {
        let mut numbers = Numbers::default();
        for number in parse_list(list)?
            .into_iter()
            .flat_map(|(first, last)| first..=last)
        {
            numbers.insert(number);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(list: &str) -> Numbers {
        Numbers::parse(list).expect("a list")
    }

    #[test]
    fn numbers_are_listed_once_and_in_order() {
        let listed = |list: &str| numbers(list).iter().collect::<Vec<_>>();
        assert_eq!(listed("7, 0-3,2-4"), [0, 1, 2, 3, 4, 7]);
        assert_eq!(listed("63-65"), [63, 64, 65]);
        assert_eq!(numbers("64").words(), [0, 1]);
    }

    #[test]
    fn sets_are_compared_by_what_is_in_them() {
        assert!(numbers("1,65").is_within(&numbers("0-70")));
        assert!(numbers("1").is_within(&numbers("0-70")));
        assert!(!numbers("1,65").is_within(&numbers("1")));
    }
}
