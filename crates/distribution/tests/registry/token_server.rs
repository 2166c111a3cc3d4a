//! A token server that does what Docker Hub's does: anyone may pull from `public/`,
//! `ann` from everywhere; whoever may not gets a token without access.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::json;

use crate::certificates::openssl;
use crate::proxy::{Fault, Proxy, Seen};
use crate::registry::Directory;

/// The refresh token that stands for `ann`.
pub(crate) const IDENTITY_TOKEN: &str = "ann's identity & more";

/// A token server that is running.
pub(crate) struct TokenServer {
    pub(crate) certificate: PathBuf,
    server: Proxy,
}

impl TokenServer {
    /// Starts it with a key of its own.
    pub(crate) async fn start(directory: &Directory) -> Self {
        let key = directory.0.join("token.key");
        let certificate = directory.0.join("token.crt");
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=tokens",
            "-keyout",
            key.to_str().expect("a path"),
            "-out",
            certificate.to_str().expect("a path"),
        ]);
        let der = pem_content(&certificate);
        let server = Proxy::start(None, move |seen| answer(seen, &key, &der)).await;
        Self {
            certificate,
            server,
        }
    }

    /// The realm of challenges.
    pub(crate) fn realm(&self) -> String {
        format!("http://{}/token", self.server.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

fn answer(seen: &Seen, key: &Path, certificate: &str) -> Fault {
    let query = if seen.method == "POST" {
        format!("http://x/?{}", seen.body)
    } else {
        format!("http://x{}", seen.path)
    };
    let query = Url::parse(&query).expect("a query");
    let value = |name: &str| {
        let mut found = query.query_pairs().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.into_owned())
    };
    let user = match (seen.header("authorization"), seen.method.as_str()) {
        // ann:secret
        (Some("Basic YW5uOnNlY3JldA=="), "GET") => Some("ann"),
        (Some(_), _) => {
            let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}"#;
            return Fault::answer(401, body);
        }
        (None, "POST") => {
            let proven = value("grant_type").as_deref() == Some("refresh_token")
                && value("refresh_token").as_deref() == Some(IDENTITY_TOKEN);
            if !proven {
                return Fault::answer(401, r#"{"error":"invalid_grant"}"#);
            }
            Some("ann")
        }
        (None, _) => None,
    };
    let scope = value("scope").unwrap_or_default();
    let repository = scope
        .strip_prefix("repository:")
        .and_then(|rest| rest.strip_suffix(":pull"));
    let access: Vec<_> = repository
        .filter(|repository| user.is_some() || repository.starts_with("public/"))
        .map(|repository| json!({"type": "repository", "name": repository, "actions": ["pull"]}))
        .into_iter()
        .collect();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [certificate]});
    let claims = json!({
        "iss": "test-issuer", "sub": user.unwrap_or(""), "aud": value("service"),
        "exp": now + 300, "nbf": now - 10, "iat": now, "jti": seen.nth.to_string(),
        "access": access,
    });
    let encode = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(key, signed.as_bytes()));
    let body = json!({"token": format!("{signed}.{signature}"), "expires_in": 300});
    Fault::answer(200, &body.to_string())
}

fn sign(key: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the openssl command");
    openssl
        .stdin
        .take()
        .expect("a pipe")
        .write_all(bytes)
        .expect("a reader");
    openssl.wait_with_output().expect("a signature").stdout
}

/// The base64 between the lines of a PEM file, on one line.
fn pem_content(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("a certificate");
    let content: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64_STANDARD.decode(&content).expect("base64");
    content
}
