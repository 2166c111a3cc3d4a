use super::values::{duration, integer, processors, size, size_or_unlimited};
use super::*;

const COMMAND: Command = Command {
    aliases: &["tare thing do", "tare do"],
    usage: "[OPTIONS] NAME [NAME...]",
    summary: "Does things",
    flags: &[
        &[
            Flag::switch("all", "Everything").short('a'),
            Flag::single("name", "name", "Calls it so").short('n'),
            Flag::list("env", "name=value", "Sets a variable").short('e'),
        ],
        &[
            Flag::alias("label", "env"),
            Flag::single("count", "number", "")
                .short('c')
                .checked(integer),
        ],
    ],
    arity: Arity::AtLeast(1),
    interspersed: false,
    run: |_, _| Ok(0),
};

const INTERSPERSED: Command = Command {
    interspersed: true,
    ..COMMAND
};

fn words(line: &str) -> Vec<String> {
    line.split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn show(command: &Command, line: &str) -> Result<String, String> {
    match parse(command, "tare do", &words(line)) {
        Ok(Parsed::Help) => Ok("help".to_owned()),
        Ok(Parsed::Run(matches)) => Ok(format!(
            "a={} n={:?} e={:?} c={:?} {:?}",
            matches.switch("all"),
            matches.text("name"),
            matches.list("env"),
            matches.number("count"),
            matches.arguments
        )),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn lines_are_read_as_pflag_reads_them() {
    let cases = [
        ("x", r#"a=false n=None e=[] c=None ["x"]"#),
        ("-a -n one x", r#"a=true n=Some("one") e=[] c=None ["x"]"#),
        ("-an one x", r#"a=true n=Some("one") e=[] c=None ["x"]"#),
        ("-anone x", r#"a=true n=Some("one") e=[] c=None ["x"]"#),
        ("-n=one x", r#"a=false n=Some("one") e=[] c=None ["x"]"#),
        (
            "--name one --name=two x",
            r#"a=false n=Some("two") e=[] c=None ["x"]"#,
        ),
        ("--name= x", r#"a=false n=Some("") e=[] c=None ["x"]"#),
        ("--name -a x", r#"a=false n=Some("-a") e=[] c=None ["x"]"#),
        ("-a --all=false x", r#"a=false n=None e=[] c=None ["x"]"#),
        ("-a=0 x", r#"a=false n=None e=[] c=None ["x"]"#),
        (
            "-e A=B --label C=D -eE x",
            r#"a=false n=None e=["A=B", "C=D", "E"] c=None ["x"]"#,
        ),
        ("-c -0x10 x", r#"a=false n=None e=[] c=Some(-16) ["x"]"#),
        (
            "x -a --help -- y",
            r#"a=false n=None e=[] c=None ["x", "-a", "--help", "--", "y"]"#,
        ),
        ("-- -a x", r#"a=false n=None e=[] c=None ["-a", "x"]"#),
        ("- x", r#"a=false n=None e=[] c=None ["-", "x"]"#),
        ("-a --help", "help"),
        ("-h", "help"),
    ];
    for (line, wanted) in cases {
        assert_eq!(show(&COMMAND, line).as_deref(), Ok(wanted), "{line}");
    }
    assert_eq!(
        show(&INTERSPERSED, "x -a y -- -a").as_deref(),
        Ok(r#"a=true n=None e=[] c=None ["x", "y", "-a"]"#)
    );
}

#[test]
fn lines_that_do_not_fit_are_refused_in_pflag_s_words() {
    let cases = [
        ("", "'tare do' requires at least 1 argument"),
        ("--nothing x", "unknown flag: --nothing"),
        ("-az x", "unknown shorthand flag: 'z' in -z"),
        ("--name", "flag needs an argument: --name"),
        ("-an", "flag needs an argument: 'n' in -n"),
        ("--=x", "bad flag syntax: --=x"),
        ("---x", "bad flag syntax: ---x"),
        (
            "--all=maybe",
            r#"invalid argument "maybe" for "-a, --all" flag: strconv.ParseBool: parsing "maybe": invalid syntax"#,
        ),
    ];
    for (line, wanted) in cases {
        assert_eq!(show(&COMMAND, line).unwrap_err(), wanted, "{line}");
    }
}

#[test]
fn values_are_checked_and_normalised() {
    type Case<'c> = (
        fn(&str) -> Result<String, String>,
        &'c [(&'c str, Option<&'c str>)],
    );
    let cases: &[Case<'_>] = &[
        (
            integer,
            &[
                ("5", Some("5")),
                ("-5", Some("-5")),
                ("+5", Some("5")),
                ("0x10", Some("16")),
                ("010", Some("8")),
                ("0b11", Some("3")),
                ("", None),
                ("5.0", None),
                ("9223372036854775807", Some("9223372036854775807")),
                ("9223372036854775808", None),
                ("--5", None),
                ("08", None),
            ],
        ),
        (
            size,
            &[
                ("0", Some("0")),
                ("20m", Some("20971520")),
                ("1.5G", Some("1610612736")),
                ("64 KiB", Some("65536")),
                ("1kb", Some("1024")),
                ("5b", Some("5")),
                ("-1", None),
                ("m", None),
                ("1e3", Some("1000")),
                ("1mm", None),
                ("", None),
            ],
        ),
        (size_or_unlimited, &[("-1", Some("-1")), ("-2", None)]),
        (
            processors,
            &[
                ("1.5", Some("1500000000")),
                (".25", Some("250000000")),
                ("2", Some("2000000000")),
                ("-1", Some("-1000000000")),
                ("0.123456789", Some("123456789")),
                ("0.1234567891", None),
                ("1.", Some("1000000000")),
                (".", None),
                ("1/2x", None),
            ],
        ),
        (
            duration,
            &[
                ("0", Some("0")),
                ("1s", Some("1000000000")),
                ("1m30s", Some("90000000000")),
                ("1.5h", Some("5400000000000")),
                ("100ms", Some("100000000")),
                ("-3ns", Some("-3")),
                ("3", None),
                ("s", None),
                ("", None),
                ("1y", None),
                ("1.2.3s", None),
            ],
        ),
    ];
    for (check, values) in cases {
        for (value, wanted) in *values {
            assert_eq!(check(value).ok().as_deref(), *wanted, "{value:?}");
        }
    }
}

#[test]
fn suggestions_are_near_or_none() {
    let known = ["run", "rm", "rmi", "ps", "images", "inspect", "logs"];
    let cases = [
        ("rnu", Some("run")),
        ("image", Some("images")),
        ("log", Some("logs")),
        ("insepct", Some("inspect")),
        ("frobnicate", None),
        ("x", None),
        ("", None),
        ("ins", Some("inspect")),
    ];
    for (word, wanted) in cases {
        assert_eq!(nearest(word, known.into_iter()), wanted, "{word}");
    }
}

#[test]
fn a_page_shows_flags_in_two_columns_by_name() {
    let page = command_page(&COMMAND, "tare do", 60);
    assert_eq!(
        page,
        "Usage:  tare do [OPTIONS] NAME [NAME...]\n\nDoes things\n\nAliases:\n  tare thing do, tare do\n\nOptions:\n  \
         -a, --all              Everything\n  -e, --env name=value   Sets a variable\n  -n, --name name        Calls it so\n"
    );
}

#[test]
fn long_help_is_wrapped_under_its_column() {
    let flags = [Flag::single(
        "x",
        "y",
        "one two three four five six seven eight nine ten",
    )];
    let text = flag_lines(&flags.iter().collect::<Vec<_>>(), 40);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines.len() > 1 && lines.iter().all(|line| line.len() <= 40),
        "{text}"
    );
    assert!(
        lines[1].starts_with(&" ".repeat(lines[0].find("one").unwrap())),
        "{text}"
    );
}
