use super::json::{at, compact, indented};
use super::rows::{Layout, Row};
use super::table::aligned;
use super::template::{Template, from_json};
use super::units::{
    binary_size, duration, ellipsis, go_time, go_timestamp, quoted, short_id, size,
};

#[test]
fn sizes_have_docker_s_digits() {
    let cases = [
        (0, "0B", "0B"),
        (999, "999B", "999B"),
        (1000, "1kB", "1000B"),
        (12_345, "12.3kB", "12.06KiB"),
        (4_262_345, "4.26MB", "4.065MiB"),
        (123_456_789, "123MB", "117.7MiB"),
        (25_275_588_608, "25.3GB", "23.54GiB"),
    ];
    for (bytes, decimal, binary) in cases {
        assert_eq!(
            (size(bytes).as_str(), binary_size(bytes).as_str()),
            (decimal, binary),
            "{bytes}"
        );
    }
}

#[test]
fn ages_have_docker_s_words() {
    let (minute, hour, day) = (60, 3600, 86_400);
    let cases = [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (minute, "About a minute"),
        (2 * minute, "2 minutes"),
        (45 * minute, "45 minutes"),
        (hour, "About an hour"),
        (89 * minute, "About an hour"),
        (2 * hour, "2 hours"),
        (47 * hour, "47 hours"),
        (2 * day, "2 days"),
        (13 * day, "13 days"),
        (14 * day, "2 weeks"),
        (60 * day, "2 months"),
        (729 * day, "24 months"),
        (730 * day, "2 years"),
    ];
    for (seconds, wanted) in cases {
        assert_eq!(duration(seconds), wanted, "{seconds}");
    }
}

#[test]
fn texts_are_shortened_and_quoted_as_go_does() {
    assert_eq!(ellipsis("abcdef", 6), "abcdef");
    assert_eq!(ellipsis("abcdefg", 6), "abcde…");
    assert_eq!(ellipsis("äöüß", 3), "äö…");
    assert_eq!(quoted("a\"b\\c\n\u{1}é"), "\"a\\\"b\\\\c\\n\\x01é\"");
    assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
    assert_eq!(short_id("abc"), "abc");
    assert_eq!(go_time(1_700_000_000), "2023-11-14 22:13:20 +0000 UTC");
    assert_eq!(
        go_timestamp("2024-01-01T00:00:00.000000001Z"),
        "2024-01-01 00:00:00.000000001 +0000 UTC"
    );
}

#[test]
fn columns_are_as_wide_as_tabwriter_s() {
    let lines = ["A\tLONGER HEADING\tC", "1\t2\tthree", "äöü\t\t"].map(str::to_owned);
    assert_eq!(
        aligned(&lines),
        "A         LONGER HEADING   C\n1         2                three\näöü                        \n"
    );
    // A line with fewer cells ends the block of the column.
    let lines = ["x\t1", "alone", "a wider cell\t2"].map(str::to_owned);
    assert_eq!(aligned(&lines), "x         1\nalone\na wider cell   2\n");
}

#[test]
fn json_keeps_its_order_and_spelling() {
    let text = r#"{"z":[1.50,{},[],"a,{\"b\":1}"], "a" : {"k":null}}"#;
    assert_eq!(
        indented(text, ""),
        "{\n    \"z\": [\n        1.50,\n        {},\n        [],\n        \"a,{\\\"b\\\":1}\"\n    ],\n    \"a\": {\n        \"k\": null\n    }\n}"
    );
    assert_eq!(
        compact(text),
        r#"{"z":[1.50,{},[],"a,{\"b\":1}"],"a":{"k":null}}"#
    );
    assert_eq!(at(text, &["a"]), Some(r#"{"k":null}"#));
    assert_eq!(at(text, &["a", "k"]), Some("null"));
    assert_eq!(at(text, &["b"]), None);
}

fn run(template: &str, json: &str) -> Result<String, String> {
    let value = from_json(&serde_json::from_str(json).unwrap());
    Template::parse(template)
        .map_err(|error| error.to_string())?
        .execute(&value)
        .map_err(|error| error.to_string())
}

#[test]
fn templates_are_go_s() {
    let json = r#"{"Name":"/web","State":{"Running":true,"Pid":12},"Env":["A=1","B=2"],"Labels":{"b":"2","a":"1"},
                   "Size":18446744073709551615,"Null":null,"Text":"<&>"}"#;
    let cases = [
        ("{{.Name}}", "/web"),
        ("{{.State.Pid}} {{.State.Running}}", "12 true"),
        ("{{range .Env}}[{{.}}]{{end}}", "[A=1][B=2]"),
        (
            "{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}",
            "a=1;b=2;",
        ),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up"),
        ("{{with .State}}{{.Pid}}{{end}}", "12"),
        ("{{index .Env 1}} {{index .Labels \"a\"}}", "B=2 1"),
        ("{{len .Env}}", "2"),
        ("{{join .Env \",\"}}", "A=1,B=2"),
        (
            "{{upper .Name}} {{lower \"ABC\"}} {{title \"two words\"}}",
            "/WEB abc Two Words",
        ),
        ("{{json .Env}}", r#"["A=1","B=2"]"#),
        ("{{json .State}}", r#"{"Pid":12,"Running":true}"#),
        ("{{json .Text}}", r#""<&>""#),
        ("{{.Labels}}", "map[a:1 b:2]"),
        ("{{.Env}}", "[A=1 B=2]"),
        ("{{.Size}}", "18446744073709551615"),
        ("{{printf \"%s-%d\" .Name .State.Pid}}", "/web-12"),
        ("{{eq .Name \"/web\"}} {{and true false}}", "true false"),
        ("{{range (split .Name \"/\")}}({{.}}){{end}}", "()(web)"),
        ("{{slice .Name 1}}", "web"),
        ("{{truncate .Name 3}}|{{pad .Name 1 2}}|", "/we| /web  |"),
        ("{{println .Name}}", "/web\n"),
        ("a\\tb\\n", "a\tb\n"),
    ];
    for (template, wanted) in cases {
        assert_eq!(run(template, json).as_deref(), Ok(wanted), "{template}");
    }
    assert!(
        run("{{.Name", json)
            .unwrap_err()
            .starts_with("template parsing error:")
    );
    assert!(run("{{nothing .Name}}", json).is_err());
    assert!(run("{{.Nope.Deeper}}", json).is_err());
}

fn rows() -> Vec<Row> {
    ["one", "two"]
        .into_iter()
        .map(|name| {
            let mut row = Row {
                labels: [("tier".to_owned(), format!("{name}-tier"))].into(),
                ..Row::default()
            };
            row.set("ID", format!("id-{name}"));
            row.set("Names", name);
            row
        })
        .collect()
}

#[test]
fn lists_come_in_every_form() {
    let show = |format: Option<&str>, quiet: bool| {
        let layout = Layout {
            format,
            quiet: quiet.then_some("ID"),
            columns: &["ID", "Names"],
            headings: &[("ID", "CONTAINER ID"), ("Names", "NAMES")],
        };
        layout.show(&rows()).unwrap()
    };
    assert_eq!(
        show(None, false),
        "CONTAINER ID   NAMES\nid-one         one\nid-two         two\n"
    );
    assert_eq!(show(None, true), "id-one\nid-two\n");
    assert_eq!(show(Some("table"), true), "id-one\nid-two\n");
    assert_eq!(show(Some("{{.Names}}!"), false), "one!\ntwo!\n");
    assert_eq!(
        show(Some("json"), false),
        "{\"ID\":\"id-one\",\"Names\":\"one\"}\n{\"ID\":\"id-two\",\"Names\":\"two\"}\n"
    );
    assert_eq!(
        show(Some("{{json .}}"), false).lines().next(),
        Some("{\"ID\":\"id-one\",\"Names\":\"one\"}")
    );
    assert_eq!(
        show(Some("table {{.Names}}\\t{{.Label \"tier\"}}"), false),
        "NAMES     tier\none       one-tier\ntwo       two-tier\n"
    );
    assert_eq!(show(Some("{{.Label \"none\"}}-"), false), "-\n-\n");
}
