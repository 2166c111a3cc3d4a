use super::*;

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

/// What the client asks for, and what is run, of an image with `["entry"]` and `["command"]`.
#[test]
fn program_and_arguments_follow_dockers_rules() {
    for (entrypoint, cmd, expected) in [
        (None, None, vec!["entry", "command"]),
        (None, words(&["x", "y"]), vec!["entry", "x", "y"]),
        (words(&["own"]), None, vec!["own"]),
        (words(&["own"]), words(&["x"]), vec!["own", "x"]),
        (words(&[""]), words(&["x"]), vec!["x"]),
        (words(&[]), words(&["x"]), vec!["x"]),
    ] {
        let mut config = ContainerConfig {
            entrypoint,
            cmd,
            ..ContainerConfig::default()
        };
        let image = image::ContainerConfig {
            entrypoint: words(&["entry"]),
            cmd: words(&["command"]),
            ..image::ContainerConfig::default()
        };
        merge(&mut config, &image);
        let (program, arguments) = super::super::inspect::command(&config);
        let run: Vec<_> = std::iter::once(program).chain(arguments).collect();
        assert_eq!(run, expected);
    }
}

#[test]
fn the_clients_variables_win() {
    let mut config = ContainerConfig {
        env: words(&["A=client", "B"]),
        ..ContainerConfig::default()
    };
    let image = image::ContainerConfig {
        env: words(&["A=image", "B=image", "C=image"]),
        ..Default::default()
    };
    merge(&mut config, &image);
    assert_eq!(config.env, words(&["A=client", "B", "C=image"]));
}
