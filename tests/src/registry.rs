//! Debian's docker-registry, started in a sandbox and filled by skopeo.

use crate::{Sandbox, eventually, image_layout};
use std::fs;
use std::process::{Child, Command, Stdio};

/// A running registry on the sandbox's loopback; dies with the sandbox.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    credentials: Option<(String, String)>,
    process: Child,
}

impl Registry {
    /// Starts one that lets everybody in.
    pub fn start(sandbox: &Sandbox) -> Self {
        Self::start_with(sandbox, 5000, None)
    }

    /// Starts one that asks for a user and a password.
    pub fn start_with_password(sandbox: &Sandbox, user: &str, password: &str) -> Self {
        Self::start_with(sandbox, 5001, Some((user, password)))
    }

    fn start_with(sandbox: &Sandbox, port: u16, credentials: Option<(&str, &str)>) -> Self {
        let directory = sandbox.directory().join(format!("registry-{port}"));
        fs::create_dir_all(&directory).expect("the registry's directory");
        let mut configuration = format!(
            "version: 0.1\n\
             log: {{level: warn, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}/data}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"}}\n",
            directory.display()
        );
        if let Some((user, password)) = credentials {
            let output = Command::new("htpasswd")
                .args(["-Bbn", user, password])
                .output()
                .expect("htpasswd (package apache2-utils)");
            fs::write(directory.join("htpasswd"), output.stdout).expect("the password file");
            configuration.push_str(&format!(
                "auth: {{htpasswd: {{realm: tests, path: {}/htpasswd}}}}\n",
                directory.display()
            ));
        }
        let file = directory.join("config.yml");
        fs::write(&file, configuration).expect("the registry's configuration");
        let log = fs::File::create(directory.join("log")).expect("the registry's log");
        let process = sandbox
            .command("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .expect("docker-registry");
        let address = ([127, 0, 0, 1], port).into();
        eventually("docker-registry listens", || sandbox.connect(address).ok());
        Self {
            port,
            credentials: credentials.map(|(user, password)| (user.to_owned(), password.to_owned())),
            process,
        }
    }

    /// Puts a test image into the registry and returns the name to pull. An
    /// index goes with all its platforms.
    #[track_caller]
    pub fn fill(&self, sandbox: &Sandbox, image: &str, name: &str) -> String {
        let reference = format!("{}/{name}", self.host());
        let mut command = sandbox.command("skopeo");
        command
            .args(["copy", "--quiet", "--all", "--dest-tls-verify=false"])
            .arg(format!("oci:{}", image_layout(image).display()))
            .arg(format!("docker://{reference}"));
        if let Some((user, password)) = &self.credentials {
            command.arg(format!("--dest-creds={user}:{password}"));
        }
        let output = command.output().expect("skopeo");
        assert!(
            output.status.success(),
            "skopeo: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        reference
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // What runs is the child of the program that entered the sandbox.
        for pid in crate::sandbox::children(self.process.id()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid.cast_signed()) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.process.wait();
    }
}
