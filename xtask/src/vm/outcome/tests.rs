use super::*;

fn outcome(command: &[&str], checks: &[bool], done: Option<i32>) -> (String, i32) {
    let mut outcome = Outcome::new(&Order {
        command: command.iter().map(|&word| word.to_owned()).collect(),
        ..Order::default()
    });
    for passed in checks {
        outcome.note(Report::Check {
            name: "name".to_owned(),
            seconds: 0.0,
            failure: (!passed).then(|| "reason".to_owned()),
        });
    }
    if let Some(code) = done {
        outcome.note(Report::Done { code });
    }
    (outcome.summary(), outcome.code())
}

#[test]
fn exit_code_is_success_only_when_all_passed() {
    type Row = (
        &'static [&'static str],
        &'static [bool],
        Option<i32>,
        &'static str,
        i32,
    );
    let table: &[Row] = &[
        (&[], &[true, true], Some(0), "2 passed, 0 failed", 0),
        (&[], &[true, false], Some(0), "1 passed, 1 failed", 1),
        (&[], &[], Some(0), "0 passed, 0 failed", 1),
        (&[], &[true], None, "1 passed, 0 failed", 1),
        (&["true"], &[], Some(0), "0 passed, 0 failed", 0),
        (&["false"], &[], Some(127), "0 passed, 0 failed", 127),
        (&["hang"], &[], None, "0 passed, 0 failed", 1),
    ];
    for (command, checks, done, summary, code) in table {
        let expected = ((*summary).to_owned(), *code);
        assert_eq!(outcome(command, checks, *done), expected);
    }
}
