//! Documents that are none, or of the wrong types.

use std::os::unix::fs::symlink;

use super::super::*;

fn refused(document: &str) -> String {
    let error = parse(document.as_bytes()).expect_err(document).to_string();
    assert!(!error.contains('\n'), "{error:?}");
    error
}

#[test]
fn a_value_of_the_wrong_type_is_named_by_its_path_and_place() {
    let document = "{\n  \"ociVersion\": \"1.3.0\",\n  \"linux\": {\n    \"resources\": {\n      \
                    \"memory\": {\"useHierarchy\": true,\n        \"limit\": \"x\"}}}}";
    assert_eq!(
        refused(document),
        "config.json: linux.resources.memory.limit: invalid type: string \"x\", expected i64 at \
         line 6 column 20"
    );
    for (properties, expected) in [
        (
            r#""process":{"cwd":"/","args":["a",["b"]]}"#,
            "process.args[1]: invalid type: sequence",
        ),
        (
            r#""process":{"cwd":"/","args":"a"}"#,
            "process.args: invalid type: string \"a\"",
        ),
        (
            r#""process":{"args":["a"]}"#,
            "process: missing field `cwd`",
        ),
        (r#""process":[]"#, "process: invalid"),
        (
            r#""root":{"path":"r","readonly":"yes"}"#,
            "root.readonly: invalid type: string",
        ),
        (
            r#""mounts":[{"destination":"/a"},{"source":"b"}]"#,
            "mounts[1]: missing field `destination`",
        ),
        (
            r#""mounts":[{"destination":"/a","options":[1]}]"#,
            "mounts[0].options[0]: invalid type: integer",
        ),
        (
            r#""linux":{"namespaces":[{"type":"pid"},{"type":"moon"}]}"#,
            "linux.namespaces[1].type: unknown variant `moon`",
        ),
        (
            r#""linux":{"sysctl":{"a.b":"1","net.ipv4.x":2}}"#,
            "linux.sysctl[\"net.ipv4.x\"]: invalid type: integer",
        ),
        (
            r#""linux":{"resources":{"blockIO":{"weight":70000}}}"#,
            "linux.resources.blockIO.weight: invalid value: integer `70000`",
        ),
        (
            r#""process":{"cwd":"/","cwd":"/"}"#,
            "process.cwd: duplicate field `cwd`",
        ),
        (
            r#""linux":{"rootfsPropagation":"up"}"#,
            "linux.rootfsPropagation: unknown variant `up`",
        ),
        (
            r#""hostname":null,"x":{"y":[1,{"z":nulx}]}"#,
            "x.y[1].z: expected ident",
        ),
        (
            r#""linux":{"personality":{"domain":"a\nb"}}"#,
            "linux.personality.domain: unknown variant `a\\nb`",
        ),
    ] {
        let error = refused(&format!(r#"{{"ociVersion":"1.3.0",{properties}}}"#));
        let error = error
            .strip_prefix("config.json: ")
            .expect("the file's name");
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_document_cut_off_anywhere_is_refused_in_one_line() {
    let document = include_str!("../../../../../fuzz/seeds/config/runc-spec.json");
    assert!(parse(document.as_bytes()).is_ok());
    for end in 0..document.trim_end().len() {
        if document.is_char_boundary(end) {
            refused(&document[..end]);
        }
    }
    assert_eq!(
        refused(""),
        "config.json: EOF while parsing a value at line 1 column 0"
    );
    assert_eq!(
        refused("{} {}"),
        "config.json: missing field `ociVersion` at line 1 column 2"
    );
    assert_eq!(
        refused(r#"{"ociVersion":"1.0.0"} x"#),
        "config.json: trailing characters at line 1 column 24"
    );
}

#[test]
fn size_and_nesting_are_bounded() {
    let deep = |depth: usize| format!(r#"{{"ociVersion":{}"#, "[".repeat(depth));
    refused(&deep(1_000_000));
    let unknown = format!(
        r#"{{"ociVersion":"1.0.0","x":{}1"#,
        r#"{"a":"#.repeat(1_000_000)
    );
    let error = refused(&unknown);
    assert!(error.len() < 1024, "{} bytes", error.len());
    let long = format!(
        r#"{{"ociVersion":"1.0.0","root":"{}"}}"#,
        "x".repeat(1 << 20)
    );
    let error = refused(&long);
    assert!(error.len() < 1024, "{} bytes", error.len());
    let huge = vec![b' '; MAXIMUM_SIZE + 1];
    assert!(matches!(parse(&huge), Err(Error::TooLarge(_))));
}

#[test]
fn unknown_properties_are_passed_over() {
    let spec = parse(br#"{"ociVersion":"1.0.0","x":{"y":[null]},"linux":{"z":1},"windows":{}}"#);
    assert_eq!(
        spec.expect("valid").linux,
        Some(tare_oci::runtime::Linux::default())
    );
}

#[test]
fn a_bundle_has_a_regular_file_of_that_name() {
    let directory = std::env::temp_dir().join(format!("tare-config-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("config.json");
    let text = || load(&directory).expect_err("refused").to_string();
    assert_eq!(text(), "JSON specification file config.json not found");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .expect("a FIFO");
    assert_eq!(text(), "config.json: is no regular file");
    std::fs::remove_file(&path).expect("removed");
    symlink(&path, &path).expect("a loop");
    assert!(
        text().starts_with("config.json: Too many levels"),
        "{}",
        text()
    );
    std::fs::remove_file(&path).expect("removed");
    let file = std::fs::File::create(&path).expect("a file");
    file.set_len(1 << 40).expect("a hole");
    assert_eq!(text(), "config.json: is larger than 16777216 bytes");
    std::fs::write(&path, r#"{"ociVersion":"1.1.0"}"#).expect("written");
    assert_eq!(load(&directory).expect("valid").version, "1.1.0");
    std::fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn parts_that_stand_alone_are_read_likewise() {
    let process =
        parse_process("p.json", br#"{"cwd":"/","args":["a"],"env":null}"#).expect("valid");
    assert_eq!(process.args, ["a"]);
    let error = parse_process("p.json", br#"{"cwd":1}"#)
        .expect_err("wrong")
        .to_string();
    assert!(error.contains("p.json: cwd: invalid type"), "{error}");
}
