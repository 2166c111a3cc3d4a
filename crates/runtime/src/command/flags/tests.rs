use super::*;

static FLAGS: [Flag; 3] = [
    Flag::value("bundle", "DIR", "").short('b'),
    Flag::switch("force", "").short('f'),
    Flag::value("cap", "NAME", "").short('c'),
];

fn verb(has_command: bool) -> Verb {
    Verb {
        name: "test",
        arguments: "<container-id>",
        about: "",
        flags: &FLAGS,
        count: Count::AtLeast(1),
        has_command,
        run: |_, _| Ok(ExitCode::SUCCESS),
    }
}

fn parse(has_command: bool, line: &str) -> Result<Parsed, String> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    verb(has_command)
        .parse(&words)
        .map_err(|error| error.to_string())
}

#[test]
fn flags_in_all_their_spellings() {
    for line in [
        "--bundle /b -f id",
        "--bundle=/b --force id",
        "-b /b -force=true id",
        "-bundle=/b id -f",
        "id -b=/b --force",
    ] {
        let parsed = parse(false, line).expect(line);
        assert_eq!(parsed.value("bundle"), Some("/b"), "{line}");
        assert!(parsed.has("force"), "{line}");
        assert_eq!(parsed.id(), "id");
    }
    assert!(
        !parse(false, "--force=false id")
            .expect("valid")
            .has("force")
    );
}

#[test]
fn a_flag_may_stand_several_times() {
    let parsed = parse(false, "-c A --cap B -b x -b y id").expect("valid");
    assert_eq!(parsed.values("cap").collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(parsed.value("bundle"), Some("y"));
}

#[test]
fn a_programs_own_flags_are_left_to_it() {
    for line in ["-f id ls -l --force", "-f id -- ls -l --force"] {
        let parsed = parse(true, line).expect(line);
        assert_eq!(parsed.arguments, ["id", "ls", "-l", "--force"]);
    }
    let parsed = parse(false, "id -- -f").expect("valid");
    assert_eq!(parsed.arguments, ["id", "-f"]);
}

#[test]
fn what_is_wrong_is_named() {
    for (line, expected) in [
        ("--moon id", "flag provided but not defined: -moon"),
        ("id --bundle", "flag needs an argument: -bundle"),
        ("-f=maybe id", "invalid boolean value \"maybe\" for -f"),
        (
            "-f",
            "tare-runtime: \"test\" requires a minimum of 1 argument(s)",
        ),
    ] {
        assert_eq!(parse(false, line).expect_err(line), expected);
    }
}
