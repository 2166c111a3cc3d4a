use super::*;

#[test]
fn what_is_printed_is_what_is_read() {
    for report in [
        Report::Booted,
        Report::Check {
            name: "limits".to_owned(),
            seconds: 1.25,
            failure: Some("two\nlines \"quoted\" tare-vm: ".to_owned()),
        },
        Report::Done { code: 127 },
    ] {
        let line = report.line();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert_eq!(Report::parse(&line), Some(("", report.clone())));
        let line = format!("$ {}", line.replace('\n', "\r\n"));
        assert_eq!(Report::parse(&line), Some(("$ ", report)));
    }
    for line in ["", "done", "tare-vm: hello", "tare-vm: {\"check\":1}"] {
        assert_eq!(Report::parse(line), None, "{line}");
    }
}
