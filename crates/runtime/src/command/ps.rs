//! `ps`: the processes of a container.

use std::process::{Command, ExitCode, Stdio};

use super::flags::{Count, Flag, Parsed, Verb};
use super::{Error, Globals, print};

pub(super) const VERB: Verb = Verb {
    name: "ps",
    arguments: "<container-id> [flags of ps]",
    about: "list the processes of a container, in the columns of the host's ps",
    flags: &[Flag::value("format", "table|json", "how they are listed").short('f')],
    count: Count::AtLeast(1),
    has_command: true,
    run,
};

fn run(globals: &Globals, parsed: &Parsed) -> Result<ExitCode, Error> {
    let entry = globals.store.entry(parsed.id())?;
    let state = entry.read_state()?;
    let pids = state.saved.cgroup()?.pids()?;
    match parsed.value("format") {
        None | Some("table") => {}
        Some("json") => {
            print(&format!(
                "{}\n",
                serde_json::to_string(&pids).unwrap_or_default()
            ));
            return Ok(ExitCode::SUCCESS);
        }
        Some(_) => return Err(Error::Usage("invalid format option".to_owned())),
    }
    let arguments = match &parsed.arguments[1..] {
        [] => vec!["-ef".to_owned()],
        given => given.to_vec(),
    };
    let output = Command::new("ps")
        .args(&arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::io("executing", "ps", source))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Unavailable(format!(
            "ps: {}: {}",
            output.status,
            said.trim()
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    print(&select(&text, &pids)?);
    Ok(ExitCode::SUCCESS)
}

/// The heading, and the lines whose column PID holds one of the numbers.
fn select(text: &str, pids: &[i32]) -> Result<String, Error> {
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    let column = heading
        .split_whitespace()
        .position(|title| title == "PID")
        .ok_or_else(|| Error::Usage("couldn't find PID field in ps output".to_owned()))?;
    let selected = lines.filter(|line| {
        let number = line.split_whitespace().nth(column);
        number
            .and_then(|number| number.parse().ok())
            .is_some_and(|pid| pids.contains(&pid))
    });
    let mut shown = format!("{heading}\n");
    for line in selected {
        shown.push_str(line);
        shown.push('\n');
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_containers_lines_are_shown() {
        let text = "UID  PID  CMD\nroot 1 init\nroot 12 sh 1\nroot 2 x\n";
        let shown = select(text, &[12, 2]).expect("has the column");
        assert_eq!(shown, "UID  PID  CMD\nroot 12 sh 1\nroot 2 x\n");
        assert!(select("UID CMD\n", &[1]).is_err());
    }
}
