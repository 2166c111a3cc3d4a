//! What happens to one call, by all rules that name it.
//!
//! A rule without conditions beats those with, and else the first rule whose
//! conditions hold counts. (libseccomp orders overlapping rules with different
//! actions by an order of its own, and refuses two actions for the very same
//! conditions; the specification says nothing.)

use std::borrow::Cow;

use tare_oci::runtime::{SeccompArgument, SeccompOperator};

use super::argument::{self, Width};
use super::emit::{self, Program};

/// The rules for one call, each with its conditions and its verdict.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// Of the first rule without conditions, if any.
    always: Option<u32>,
    /// Of the others, in order; a rule's conditions must all hold.
    when: Vec<(Conditions<'a>, u32)>,
    /// How much of an argument the kernel looks at.
    width: Width,
}

type Conditions<'a> = Cow<'a, [SeccompArgument]>;

/// What happens in the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdicts<'a> {
    One(u32),
    Several {
        when: Vec<(Conditions<'a>, u32)>,
        width: Width,
        otherwise: u32,
    },
}

impl<'a> Answer<'a> {
    pub(super) fn new(width: Width) -> Answer<'a> {
        Answer {
            always: None,
            when: Vec::new(),
            width,
        }
    }

    /// Adds a rule. With `detour` it is one for a call behind this one, whose
    /// first argument is then that number.
    pub(super) fn add(
        &mut self,
        arguments: &'a [SeccompArgument],
        detour: Option<u64>,
        verdict: u32,
    ) {
        if self.always.is_some() {
            return;
        }
        if arguments.is_empty() && detour.is_none() {
            self.always = Some(verdict);
            return;
        }
        // Two conditions on the same argument are alternatives.
        let repeats = arguments.iter().enumerate().any(|(position, argument)| {
            arguments[..position]
                .iter()
                .any(|earlier| earlier.index == argument.index)
        });
        let step = if repeats { 1 } else { arguments.len().max(1) };
        let Some(number) = detour else {
            let alternatives = arguments.chunks(step);
            self.when
                .extend(alternatives.map(|all| (Cow::Borrowed(all), verdict)));
            return;
        };
        let count = arguments.len().div_ceil(step).max(1);
        for alternative in 0..count {
            let rest = arguments.chunks(step).nth(alternative).unwrap_or_default();
            let mut conditions = vec![SeccompArgument {
                index: 0,
                value: number,
                value_two: 0,
                op: SeccompOperator::Equal,
            }];
            conditions.extend(rest.iter().filter(|one| one.index != 0).cloned());
            self.when.push((Cow::Owned(conditions), verdict));
        }
    }

    /// What it comes to when no rule applies otherwise.
    pub(super) fn verdicts(mut self, default: u32) -> Verdicts<'a> {
        if let Some(always) = self.always {
            return Verdicts::One(always);
        }
        self.when.truncate(reachable(&self.when));
        if self.when.is_empty() {
            return Verdicts::One(default);
        }
        Verdicts::Several {
            when: self.when,
            width: self.width,
            otherwise: default,
        }
    }
}

/// How many rules leave something to the next: none that comes after both a
/// comparison and its opposite is ever asked.
fn reachable(when: &[(Conditions<'_>, u32)]) -> usize {
    let single = |position: usize| match when[position].0.as_ref() {
        [one] => Some(one),
        _ => None,
    };
    let is_opposite = |one: &SeccompArgument, other: &SeccompArgument| {
        use SeccompOperator::{Equal, NotEqual};
        one.index == other.index
            && one.value == other.value
            && matches!((one.op, other.op), (Equal, NotEqual) | (NotEqual, Equal))
    };
    let ends = (0..when.len()).find(|&position| {
        single(position).is_some_and(|one| {
            (0..position)
                .filter_map(single)
                .any(|other| is_opposite(one, other))
        })
    });
    ends.map_or(when.len(), |position| position + 1)
}

impl Verdicts<'_> {
    /// Writes the program, from its end to its beginning.
    pub(super) fn emit(&self, program: &mut Program) {
        match self {
            Verdicts::One(verdict) => program.push(emit::ret(*verdict)),
            Verdicts::Several {
                when,
                width,
                otherwise,
            } => {
                program.push(emit::ret(*otherwise));
                for (arguments, verdict) in when.iter().rev() {
                    let no = program.here();
                    program.push(emit::ret(*verdict));
                    for argument in arguments.iter().rev() {
                        let yes = program.here();
                        argument::test(argument, *width, program, yes, no);
                    }
                }
            }
        }
    }
}
