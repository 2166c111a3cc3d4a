//! Compiled filters against the words of the specification, rule by rule, for
//! configurations made at random: the comparisons, their order, and jumps of
//! every length.

use super::*;
use SeccompOperator::{
    Equal, GreaterOrEqual, GreaterThan, LessOrEqual, LessThan, MaskedEqual, NotEqual,
};

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

const VALUES: [u64; 12] = [
    0,
    1,
    2,
    5,
    38,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x1_0000_0005,
    0x7e02_0000,
    u64::MAX - 1,
    u64::MAX,
];
const ACTIONS: [SeccompAction; 5] = [
    SeccompAction::Allow,
    SeccompAction::Errno,
    SeccompAction::Log,
    SeccompAction::Trap,
    SeccompAction::KillProcess,
];
/// Calls without peculiarities, all of x86_64, so that the newest is among
/// them.
const CALLS: [(&str, u32); 5] = [
    ("read", 0),
    ("mmap", 9),
    ("ioctl", 16),
    ("openat", 257),
    ("mseal", 462),
];

fn holds(argument: &SeccompArgument, arguments: [u64; 6]) -> bool {
    let found = arguments[argument.index as usize];
    let value = argument.value;
    match argument.op {
        Equal => found == value,
        NotEqual => found != value,
        LessThan => found < value,
        LessOrEqual => found <= value,
        GreaterThan => found > value,
        GreaterOrEqual => found >= value,
        MaskedEqual => found & value == argument.value_two & value,
    }
}

/// What the specification says, with this module's words on what it leaves
/// open.
fn expected(configuration: &Seccomp, name: &str, arguments: [u64; 6]) -> u32 {
    let rules = || {
        configuration.syscalls.iter().filter(|rule| {
            rule.action != configuration.default_action && rule.names.iter().any(|one| one == name)
        })
    };
    let applies = |rule: &&SeccompSyscall| {
        let args = &rule.args;
        let repeats = (1..args.len()).any(|position| {
            args[..position]
                .iter()
                .any(|other| other.index == args[position].index)
        });
        if repeats {
            args.iter().any(|one| holds(one, arguments))
        } else {
            args.iter().all(|one| holds(one, arguments))
        }
    };
    let action = rules()
        .find(|rule| rule.args.is_empty())
        .or_else(|| rules().find(applies))
        .map_or(configuration.default_action, |rule| rule.action);
    check::verdict(action, None)
}

fn random_configuration(random: &mut Random) -> Seccomp {
    let rules = (0..random.below(12))
        .map(|_| {
            let arguments = (0..random.of(&[0, 1, 1, 1, 2, 2, 3]))
                .map(|_| {
                    let op = random.of(&[
                        Equal,
                        NotEqual,
                        LessThan,
                        LessOrEqual,
                        GreaterThan,
                        GreaterOrEqual,
                        MaskedEqual,
                    ]);
                    let index = random.of(&[0, 1, 5]);
                    when(index, op, random.of(&VALUES), random.of(&VALUES))
                })
                .collect();
            let names: Vec<&str> = CALLS
                .iter()
                .map(|(name, _)| *name)
                .filter(|_| random.below(2) == 0)
                .collect();
            let names = if names.is_empty() {
                vec!["mseal"]
            } else {
                names
            };
            rule(&names, random.of(&ACTIONS), arguments)
        })
        .collect();
    filter(random.of(&ACTIONS), rules)
}

#[test]
fn a_filter_means_what_its_configuration_says() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..400 {
        let configuration = random_configuration(&mut random);
        let filter = compile(&configuration).expect("compiles");
        let named = |name: &str| {
            configuration
                .syscalls
                .iter()
                .any(|rule| rule.names.iter().any(|one| one == name))
        };
        for (name, number) in CALLS {
            // Others may be newer than the rules.
            if !named(name) {
                continue;
            }
            for _ in 0..60 {
                let arguments = std::array::from_fn(|_| random.of(&VALUES));
                let found = interpret::run(&filter.program, X86_64, number, arguments);
                assert_eq!(
                    found,
                    expected(&configuration, name, arguments),
                    "{name} {arguments:x?} {configuration:#?}"
                );
            }
        }
    }
}

#[test]
fn programs_grow_with_the_rules_and_not_faster() {
    let mut random = Random(7);
    let rules: Vec<_> = (0..64)
        .map(|_| {
            let arguments = [0, 1, 2]
                .map(|index| when(index, LessOrEqual, random.of(&VALUES), 0))
                .to_vec();
            rule(&["read"], SeccompAction::Log, arguments)
        })
        .collect();
    let many = filter(SeccompAction::Allow, rules);
    let length = compile(&many).expect("compiles").program.len();
    assert!(length < 64 * 3 * 6 + 20, "{length} instructions");
    for _ in 0..500 {
        let arguments = std::array::from_fn(|_| random.of(&VALUES));
        assert_eq!(
            verdict(&many, X86_64, 0, arguments),
            expected(&many, "read", arguments)
        );
    }
}
