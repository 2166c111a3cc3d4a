use super::Answer;
use crate::challenge;

const REQUEST: (&str, &str) = ("Get", "https://r/v2/x/manifests/latest");

#[test]
fn bodies_become_dockers_lines() {
    let cases: &[(u16, &str, &str, &str)] = &[
        (
            404,
            "",
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"no"}}]}"#,
            "manifest unknown: manifest unknown",
        ),
        (
            401,
            "",
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
            "unauthorized: authentication required",
        ),
        // Docker Hub about a repository that does not exist.
        (
            401,
            r#"Bearer realm="https://a/t",service="s",error="insufficient_scope""#,
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
            "denied: requested access to the resource is denied",
        ),
        (
            429,
            "",
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#,
            "toomanyrequests: You have reached your pull rate limit.",
        ),
        (
            403,
            "",
            r#"{"errors":[{"code":"DENIED"}]}"#,
            "denied: denied",
        ),
        (401, "", "<html>", "unauthorized: authentication required"),
        (
            502,
            "",
            "<html>",
            "Get \"https://r/v2/x/manifests/latest\": unexpected status: 502 Bad Gateway",
        ),
        (
            599,
            "",
            r#"{"errors":[]}"#,
            "Get \"https://r/v2/x/manifests/latest\": unexpected status: 599",
        ),
        // Nothing of a registry's moves the cursor.
        (
            400,
            "",
            "{\"errors\":[{\"code\":\"X\",\"message\":\"a\\u001b[2Jb\\nc\"}]}",
            "x: a [2Jb c",
        ),
    ];
    for (status, header, body, expected) in cases {
        let answer = Answer::parse(*status, &challenge::parse(header), body.as_bytes(), REQUEST);
        assert_eq!(&answer.to_string(), expected, "{status} {body}");
    }
}

#[test]
fn what_is_worth_another_try() {
    for (status, temporary) in [
        (400, false),
        (401, false),
        (404, false),
        (408, true),
        (429, true),
        (500, true),
        (503, true),
    ] {
        let answer = Answer::parse(status, &[], b"", REQUEST);
        assert_eq!(answer.is_temporary(), temporary, "{status}");
    }
    let mut answer = Answer::parse(429, &[], b"", REQUEST);
    answer.exhausted = true;
    assert!(
        !answer.is_temporary(),
        "a used-up allowance does not come back in seconds"
    );
}
