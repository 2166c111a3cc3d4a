use super::{Report, Target, Unit, number, table};

#[test]
fn medians_ratios_and_verdicts() {
    let mut report = Report::new(Vec::new(), vec!["tare", "docker", "floor"], vec!["docker"]);
    let item = report.item("run", Unit::Milliseconds, Target::AtMost(12.0));
    for value in [9.0, 11.0, 10.0, 30.0] {
        item.add("tare", value);
    }
    for value in [100.0, 210.0, 300.0] {
        item.add("docker", value);
    }
    let item = report.item(
        "pull",
        Unit::Seconds,
        Target::TimesFaster(&[("docker", 2.0)]),
    );
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
fn targets_of_several_peers_and_of_another_item() {
    let mut report = Report::new(
        Vec::new(),
        vec!["tare", "runc", "crun"],
        vec!["runc", "crun"],
    );
    let faster = || Target::TimesFaster(&[("runc", 4.0), ("crun", 1.0)]);
    report.item("life", Unit::Milliseconds, faster());
    report.item("absent", Unit::Milliseconds, faster());
    report.item("many", Unit::Milliseconds, Target::flat("life", 1.25));
    report.item("most", Unit::Milliseconds, Target::flat("life", 1.25));
    report.item(
        "slow kernel",
        Unit::Milliseconds,
        Target::flat("life", 1.25),
    );
    for (name, who, value) in [
        ("life", "tare", 10.0),
        ("life", "runc", 40.0),
        ("life", "crun", 9.0),
        ("absent", "tare", 10.0),
        ("absent", "runc", 40.0),
        ("many", "tare", 12.0),
        ("most", "tare", 13.0),
        ("life", "floor", 2.0),
        ("slow kernel", "tare", 15.0),
        ("slow kernel", "floor", 6.0),
    ] {
        report.add(name, who, value);
    }
    let rows = report.rows();
    assert_eq!(
        rows[1][5..],
        ["4.00×", "0.90×", "runc ≥ 4.00×, crun ≥ 1.00× MISSED"]
    );
    assert_eq!(rows[2][5..], ["4.00×", "-", "runc ≥ 4.00×, crun ≥ 1.00×"]);
    assert_eq!(rows[3][7], "flat: ≤ 1.25×, 1.20× met");
    assert_eq!(rows[4][7], "flat: ≤ 1.25×, 1.30× MISSED");
    // (15 - 6) / (10 - 2)
    assert_eq!(rows[5][7], "flat: ≤ 1.25×, 1.12× met");
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
