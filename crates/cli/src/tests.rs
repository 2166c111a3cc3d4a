use super::*;

fn failure(line: &[&str]) -> (String, u8) {
    let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
    let failure = dispatch(&words).unwrap_err();
    (failure.message.unwrap_or_default(), failure.code)
}

const NOWHERE: &str = "unix:///no/such/engine.sock";

#[test]
fn lines_that_make_no_sense_end_with_docker_s_exit_codes() {
    let cases: &[(&[&str], &str, u8)] = &[
        (
            &["rnu"],
            "tare: 'rnu' is not a tare command.\n\nDid you mean this?\n  tare run",
            1,
        ),
        (
            &["frobnicate"],
            "tare: 'frobnicate' is not a tare command.\n\nRun 'tare --help'",
            1,
        ),
        (
            &["container", "lss"],
            "tare: 'container lss' is not a tare command.\n\nDid you mean this?\n  tare container ls",
            1,
        ),
        (&["help", "rnu"], "tare: 'rnu' is not", 1),
        (&["--nothing", "ps"], "tare: unknown flag: --nothing", 125),
        (
            &["ps", "--nothing"],
            "tare: unknown flag: --nothing\n\nUsage:  tare ps [OPTIONS]",
            125,
        ),
        (
            &["run", "--nmae", "x", "y"],
            "tare: unknown flag: --nmae (did you mean --name?)",
            125,
        ),
        (&["ps", "x"], "tare: 'tare ps' accepts no arguments", 1),
        (&["run"], "tare: 'tare run' requires at least 1 argument", 1),
        (
            &["container", "logs"],
            "tare: 'tare container logs' requires 1 argument",
            1,
        ),
        (
            &["-H", NOWHERE, "run", "Foo"],
            "tare: invalid reference format: repository name (Foo) must be lowercase",
            125,
        ),
        (
            &["-H", NOWHERE, "run", "--pull=x", "foo"],
            "tare: invalid pull option: 'x'",
            125,
        ),
        (
            &["-H", NOWHERE, "run", "--gpus=all", "foo"],
            "tare: \"--gpus\" is not supported yet",
            125,
        ),
        (
            &["-H", NOWHERE, "run", "-d", "-a", "stdin", "foo"],
            "tare: conflicting options: cannot specify both --attach and --detach",
            125,
        ),
        (
            &["-H", NOWHERE, "run", "foo"],
            "tare: Cannot connect to the Tare engine at unix:///no/such/engine.sock. Is the engine running?",
            125,
        ),
        (
            &["-H", NOWHERE, "ps"],
            "Cannot connect to the Tare engine at unix:///no/such/engine.sock. Is the engine running?",
            1,
        ),
        (
            &["-H", "ssh://box", "ps"],
            "tare: host \"ssh://box\": ssh:// is not supported yet",
            1,
        ),
        (
            &["-H", "ssh://box", "run", "x"],
            "tare: host \"ssh://box\": ssh:// is not supported yet",
            125,
        ),
        (
            &["-H", "a", "-H", "b", "ps"],
            "tare: specify only one -H",
            1,
        ),
        (
            &["-c", "far", "ps"],
            "tare: context \"far\": contexts are not supported yet",
            1,
        ),
        (
            &["--tlsverify", "ps"],
            "tare: --tlsverify: TLS is not supported yet",
            1,
        ),
        (
            &["-H", NOWHERE, "inspect", "--type", "volume", "x"],
            "inspecting a volume is not supported yet",
            1,
        ),
        (
            &["-H", NOWHERE, "ps", "--format", "{{.Names"],
            "Cannot connect",
            1,
        ),
        (
            &["-H", NOWHERE, "start", "-a", "x", "y"],
            "you cannot start and attach multiple containers at once",
            1,
        ),
        (
            &["-H", NOWHERE, "pull", "-a", "x:y"],
            "tag can't be used with --all-tags/-a",
            1,
        ),
    ];
    for (line, wanted, code) in cases {
        let (message, got) = failure(line);
        assert!(message.starts_with(wanted), "{line:?}: {message}");
        assert_eq!(got, *code, "{line:?}");
    }
}

#[test]
fn arguments_that_are_not_text_are_refused() {
    use std::os::unix::ffi::OsStringExt;
    let error = words(vec![
        "tare".into(),
        "ps".into(),
        OsString::from_vec(vec![0xff]),
    ])
    .unwrap_err();
    assert_eq!(error.code, ENGINE);
    assert!(
        error
            .message
            .unwrap()
            .contains("argument 2 is not valid UTF-8")
    );
}

#[test]
fn every_flag_of_every_command_is_named_once() {
    let commands = commands::COMMON.iter().chain(commands::OTHER);
    for (name, command) in commands.chain(commands::NOUNS.iter().flat_map(|noun| noun.verbs)) {
        let mut longs: Vec<&str> = command.flags().map(|flag| flag.long).collect();
        let mut letters: Vec<char> = command.flags().filter_map(|flag| flag.short).collect();
        let before = (longs.len(), letters.len());
        longs.sort_unstable();
        longs.dedup();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(
            (longs.len(), letters.len()),
            before,
            "{name}: {longs:?} {letters:?}"
        );
        for flag in command.flags() {
            if let grammar::Kind::Alias(of) = flag.kind {
                assert!(
                    longs.contains(&of),
                    "{name}: --{} stands for --{of}",
                    flag.long
                );
            }
        }
        assert!(
            !command_page(command, name, 80)
                .lines()
                .any(|line| line.chars().count() > 80),
            "{name}"
        );
    }
}
