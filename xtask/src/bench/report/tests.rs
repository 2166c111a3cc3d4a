use super::{Report, Target, Unit, number, table};
use crate::bench::engine::Kind;

#[test]
fn medians_ratios_and_verdicts() {
    let mut report = Report::new(vec![Kind::Tare, Kind::Docker]);
    let item = report.item("run", Unit::Milliseconds, Target::AtMost(12.0));
    for value in [9.0, 11.0, 10.0, 30.0] {
        item.add("tare", value);
    }
    for value in [100.0, 210.0, 300.0] {
        item.add("docker", value);
    }
    let item = report.item("pull", Unit::Seconds, Target::TimesFaster(2.0));
    item.add("tare", 4.0);
    item.add("docker", 6.0);
    report
        .item("idle", Unit::Megabytes, Target::AtMost(20.0))
        .add("floor", 1.0);
    let rows = report.rows();
    assert_eq!(
        rows[0],
        [
            "item",
            "unit",
            "tare",
            "docker",
            "floor",
            "docker / tare",
            "target"
        ]
    );
    assert_eq!(
        rows[1],
        [
            "run",
            "ms",
            "10.5 (9.00..30.0)",
            "210 (100..300)",
            "-",
            "20.0×",
            "≤ 12.0 met"
        ]
    );
    assert_eq!(rows[2][5..], ["1.50×", "≥ 2.00× MISSED"]);
    assert_eq!(rows[3][2..], ["-", "-", "1.00 (1.00..1.00)", "-", "≤ 20.0"]);
}

#[test]
fn both_forms_of_the_table() {
    let rows = vec![
        vec!["a".to_owned(), "long head".to_owned()],
        vec!["longer".to_owned(), "x".to_owned()],
    ];
    assert_eq!(
        table(&rows, true),
        "| a | long head |\n|---|---|\n| longer | x |\n"
    );
    assert_eq!(table(&rows, false), "a       long head\nlonger  x\n");
}

#[test]
fn three_digits() {
    for (value, text) in [
        (0.4512, "0.45"),
        (9.5, "9.50"),
        (12.34, "12.3"),
        (269.4, "269"),
    ] {
        assert_eq!(number(value), text);
    }
}
