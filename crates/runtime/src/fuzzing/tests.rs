//! The seeds of the fuzzers and a few thousand changes to them, the same ones
//! each time, through the same entry points: what a stable compiler can do.

use std::path::Path;

/// Pieces that a change may put in: what means something to one parser or
/// another.
const PIECES: [&[u8]; 40] = [
    b"\0",
    b"\n",
    b"\t",
    b",",
    b":",
    b"=",
    b"/",
    b"..",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e9",
    b"0.5",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551616",
    b"\\u0000",
    b"\xff",
    b"\xc3\xa9",
    b"[]",
    b"{}",
    b"\"\"",
    b"r",
    b"idmap",
    b"bind",
    b"gid=",
    b"SCMP_ACT_NOTIFY",
    b"SCMP_CMP_MASKED_EQ",
    b"+1",
    b"0-",
    b"root",
    b"\"size\":",
];

/// Numbers that look like chance (xorshift64*), the same ones each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or(0) % end.max(1)
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&directory)
        .expect("seeds")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(paths.len() > 2, "{target}: too few seeds");
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a seed"))
        .collect()
}

fn change(text: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(text.len() + 1);
    match chance.below(6) {
        0 => text.truncate(at),
        1 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        2 => {
            let piece = PIECES[chance.below(PIECES.len())];
            text.splice(at..at, piece.iter().copied());
        }
        3 => {
            let end = (at + chance.below(24)).min(text.len());
            let piece = PIECES[chance.below(PIECES.len())];
            text.splice(at..end, piece.iter().copied());
        }
        4 => {
            let end = (at + chance.below(64)).min(text.len());
            let again = text[at..end].to_vec();
            text.splice(at..at, again);
        }
        _ => {
            let other = &others[chance.below(others.len())];
            let begin = chance.below(other.len() + 1);
            let end = (begin + chance.below(64)).min(other.len());
            text.splice(at..at, other[begin..end].iter().copied());
        }
    }
}

fn run(target: &str, changes: usize, entry: fn(&[u8])) {
    let seeds = seeds(target);
    for seed in &seeds {
        entry(seed);
    }
    let mut chance = Chance(0x7461_7265);
    for number in 0..changes {
        let mut text = seeds[number % seeds.len()].clone();
        for _ in 0..=chance.below(4) {
            change(&mut text, &seeds, &mut chance);
        }
        let outcome = std::panic::catch_unwind(|| entry(&text));
        assert!(
            outcome.is_ok(),
            "{target}: change {number}: {:?}",
            String::from_utf8_lossy(&text)
        );
    }
}

#[test]
fn no_configuration_makes_the_reader_or_the_checks_panic() {
    run("config", 4000, super::config);
}

#[test]
fn no_mount_makes_the_planner_panic() {
    run("mounts", 8000, super::mounts);
}

#[test]
fn no_user_file_makes_the_lookup_panic_or_digits_a_name() {
    run("passwd", 8000, super::passwd);
}

#[test]
fn every_filter_compiles_within_bounds_or_not_at_all() {
    run("seccomp", 4000, super::seccomp);
}
