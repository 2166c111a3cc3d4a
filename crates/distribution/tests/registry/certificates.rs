//! Certificates made by the `openssl` command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::registry::Directory;

/// An authority with one certificate for 127.0.0.1 and one for a client.
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) server_key: PathBuf,
    pub(crate) client: PathBuf,
    pub(crate) client_key: PathBuf,
}

impl Certificates {
    /// Makes them in a sub-directory of `directory`.
    pub(crate) fn new(directory: &Directory, name: &str) -> Self {
        let place = directory.0.join(name);
        fs::create_dir_all(&place).expect("a directory");
        let certificates = Self {
            authority: place.join("authority.crt"),
            server: place.join("server.crt"),
            server_key: place.join("server.key"),
            client: place.join("client.cert"),
            client_key: place.join("client.key"),
        };
        let key = place.join("authority.key");
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            &format!("/CN={name} authority"),
            "-keyout",
            path(&key),
            "-out",
            path(&certificates.authority),
        ]);
        let leaf = |certificate: &PathBuf, leaf_key: &PathBuf, extension: &str| {
            openssl(&[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=test leaf",
                "-CA",
                path(&certificates.authority),
                "-CAkey",
                path(&key),
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-addext",
                extension,
                "-keyout",
                path(leaf_key),
                "-out",
                path(certificate),
            ]);
        };
        leaf(
            &certificates.server,
            &certificates.server_key,
            "subjectAltName=IP:127.0.0.1",
        );
        leaf(
            &certificates.client,
            &certificates.client_key,
            "extendedKeyUsage=clientAuth",
        );
        certificates
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of the test's own")
}

/// Runs `openssl`.
pub(crate) fn openssl(arguments: &[&str]) {
    let status = Command::new("openssl")
        .args(arguments)
        .stderr(Stdio::null())
        .status()
        .expect("the openssl command");
    assert!(status.success(), "openssl {arguments:?}");
}
