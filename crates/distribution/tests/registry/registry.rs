//! Debian's `docker-registry`, one process per test, its files in a directory of
//! its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use tare_distribution::{Client, Config, Patience};
use tare_oci::Digest;

use crate::image::Image;

/// User `ann` with the password `secret`.
const HTPASSWD: &str = "ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

/// A directory that goes with its owner.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tare-distribution-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A test that fails leaves what it can for a look at it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the registry protects itself.
pub(crate) enum Protection<'a> {
    None,
    /// A user name and a password.
    Password,
    /// A token server at this URL, whose certificate is in this file.
    Token {
        realm: &'a str,
        certificate: &'a Path,
    },
    /// TLS with this certificate and key, and clients of this authority only.
    Tls {
        certificate: &'a Path,
        key: &'a Path,
        clients: Option<&'a Path>,
    },
}

/// A registry that is running.
pub(crate) struct Registry {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Registry {
    /// Starts a registry over `directory` and waits until it listens.
    pub(crate) fn start(directory: &Directory, protection: Protection<'_>) -> Self {
        let mut configuration = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n",
            directory.0.join("registry").display(),
        );
        let tls = match protection {
            Protection::None => String::new(),
            Protection::Password => {
                let file = directory.0.join("htpasswd");
                fs::write(&file, HTPASSWD).expect("a password file");
                let file = file.display();
                writeln!(
                    configuration,
                    "auth: {{htpasswd: {{realm: test, path: {file}}}}}"
                )
                .expect("a string grows");
                String::new()
            }
            Protection::Token { realm, certificate } => {
                let certificate = certificate.display();
                writeln!(
                    configuration,
                    "auth: {{token: {{realm: \"{realm}\", service: test-registry, \
                     issuer: test-issuer, rootcertbundle: {certificate}}}}}"
                )
                .expect("a string grows");
                String::new()
            }
            Protection::Tls {
                certificate,
                key,
                clients,
            } => {
                let clients = clients.map_or(String::new(), |file| {
                    format!(", clientcas: [{}]", file.display())
                });
                let (certificate, key) = (certificate.display(), key.display());
                format!(", tls: {{certificate: {certificate}, key: {key}{clients}}}")
            }
        };
        writeln!(configuration, "http: {{addr: \"127.0.0.1:0\"{tls}}}").expect("a string grows");
        let file = directory.0.join("registry.yml");
        fs::write(&file, configuration).expect("a configuration");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry, of the Debian package of that name");
        let stderr = process.stderr.take().expect("a pipe");
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let address = loop {
            let Some(line) = lines.next() else {
                let _ = process.wait();
                panic!("docker-registry did not start: {said:#?}");
            };
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find(['"', ',', ' ']).unwrap_or(rest.len());
                break rest[..end].parse().expect("an address");
            }
            said.push(line);
        };
        // A full pipe would stop the registry.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// Its name in a reference.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// Pushes everything of an image but a tag.
    pub(crate) async fn push(&self, repository: &str, image: &Image) {
        for layer in &image.layers {
            self.push_blob(repository, layer).await;
        }
        self.push_blob(repository, &image.config).await;
        let digest = image.digest().to_string();
        self.put_manifest(
            repository,
            &digest,
            tare_oci::media_type::OCI_MANIFEST,
            &image.manifest,
        )
        .await;
    }

    /// Pushes an image under a tag.
    pub(crate) async fn push_tagged(&self, repository: &str, tag: &str, image: &Image) {
        self.push(repository, image).await;
        self.put_manifest(
            repository,
            tag,
            tare_oci::media_type::OCI_MANIFEST,
            &image.manifest,
        )
        .await;
    }

    async fn push_blob(&self, repository: &str, bytes: &[u8]) {
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let url = format!("http://{}/v2/{repository}/blobs/uploads/", self.address);
        let begun = client.post(url).send().await.expect("an upload session");
        assert_eq!(begun.status(), StatusCode::ACCEPTED);
        let location = begun.headers()["location"].to_str().expect("a URL");
        let mut upload = reqwest::Url::parse(location).expect("a URL");
        upload
            .query_pairs_mut()
            .append_pair("digest", Digest::sha256_of(bytes).as_str());
        let done = client
            .put(upload)
            .body(bytes.to_vec())
            .send()
            .await
            .expect("an upload");
        assert_eq!(done.status(), StatusCode::CREATED);
    }

    /// Puts a manifest or index up.
    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) {
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let url = format!(
            "http://{}/v2/{repository}/manifests/{reference}",
            self.address
        );
        let request = client
            .put(url)
            .header("content-type", media_type)
            .body(bytes.to_vec());
        let done = request.send().await.expect("an answer");
        let status = done.status();
        let text = done.text().await.unwrap_or_default();
        assert_eq!(status, StatusCode::CREATED, "{text}");
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that does not wait long.
pub(crate) fn client(change: impl FnOnce(&mut Config)) -> Client {
    let mut config = Config {
        certificate_directories: Vec::new(),
        patience: Patience {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(5),
            stall: Duration::from_millis(400),
            tries: 4,
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_secs(2),
        },
        ..Config::default()
    };
    change(&mut config);
    Client::new(config).expect("a client")
}
