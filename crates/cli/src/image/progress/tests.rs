use super::*;

fn display(terminal: Option<usize>) -> Display {
    Display {
        progress: Progress::Quiet,
        terminal,
        colour: false,
        lines: HashMap::new(),
    }
}

fn drawn(terminal: Option<usize>, messages: &[&str]) -> String {
    let mut display = display(terminal);
    let mut out = String::new();
    for message in messages {
        display.draw(&serde_json::from_str(message).unwrap(), &mut out);
    }
    out
}

const MESSAGES: &[&str] = &[
    r#"{"status":"Pulling from library/busybox","id":"latest"}"#,
    r#"{"status":"Pulling fs layer","progressDetail":{},"id":"aa"}"#,
    r#"{"status":"Pulling fs layer","progressDetail":{},"id":"bb"}"#,
    r#"{"status":"Downloading","progressDetail":{"current":1200000,"total":2400000},"id":"aa"}"#,
    r#"{"status":"Pull complete","progressDetail":{},"id":"aa"}"#,
    r#"{"status":"Digest: sha256:00"}"#,
];

#[test]
fn without_a_terminal_each_step_is_a_line() {
    assert_eq!(
        drawn(None, MESSAGES),
        "latest: Pulling from library/busybox\naa: Pulling fs layer\nbb: Pulling fs layer\naa: Pull complete\nDigest: sha256:00\n"
    );
}

#[test]
fn on_a_terminal_each_layer_has_a_line_of_its_own() {
    let text = drawn(Some(80), MESSAGES);
    // The second layer is one line up, the first two lines.
    assert!(
        text.contains("\n\x1b[1A\x1b[2K\raa: Pulling fs layer\r\x1b[1B\n\x1b[1A\x1b[2K\rbb:"),
        "{text:?}"
    );
    assert!(
        text.contains("\x1b[2A\x1b[2K\raa: Downloading    1.2MB/2.4MB\r\x1b[2B"),
        "{text:?}"
    );
    assert!(text.ends_with("Digest: sha256:00\n"));
    let wide = drawn(Some(120), &MESSAGES[3..4]);
    assert!(
        wide.contains(&format!(
            "[{}>{}]    1.2MB/2.4MB",
            "=".repeat(25),
            " ".repeat(25)
        )),
        "{wide:?}"
    );
}

#[test]
fn messages_may_arrive_in_any_pieces() {
    let text = MESSAGES.join("\r\n");
    let mut display = display(None);
    let mut waiting = Vec::new();
    for byte in text.bytes() {
        waiting.push(byte);
        display.draw_complete(&mut waiting).unwrap();
    }
    assert!(waiting.is_empty());
    waiting.extend(br#"{"errorDetail":{"message":"no space"},"error":"no space"}"#);
    let failure = display.draw_complete(&mut waiting).unwrap_err();
    assert_eq!(failure.message.as_deref(), Some("no space"));
}
