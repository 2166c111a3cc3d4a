//! Pull of the large image from a registry on loopback, each time onto a fresh
//! journaled file system: on a used one, or one without a journal, the times of
//! creating many files tell more about the file system than about the engine.

use super::Plan;
use super::engine::Engine;
use super::report::{Report, Target, Unit};
use crate::images;
use crate::process::{output, run as execute, step, succeeds};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ADDRESS: &str = "127.0.0.1:5000";

/// Pulls by each engine in turn, and `gzip -dc | tar x` of the same layers.
pub(super) fn measure(plan: &Plan, directory: &Path, report: &mut Report) -> Result<()> {
    step("pull");
    let image = images::ensure_named("large")?;
    let layout = image.join("oci");
    let registry = Registry::start(directory, &layout)?;
    let layers = layers(&layout)?;
    let item = report.item(
        "pull, 500 MB in 8 layers",
        Unit::Seconds,
        Target::TimesFaster(&[("docker", 2.0)]),
    );
    for round in 0..plan.rounds.min(5) {
        for &kind in &plan.kinds {
            let disk = Disk::make(directory, &format!("{}-pull-{round}", kind.name()))?;
            let engine = Engine::start(kind, &disk.mount)?;
            let took = engine.time(&["pull", "-q", &format!("{ADDRESS}/large")])?;
            item.add(kind.name(), took.as_secs_f64());
            engine.stop()?;
        }
        let disk = Disk::make(directory, &format!("floor-pull-{round}"))?;
        let started = Instant::now();
        for layer in &layers {
            execute(
                Command::new("sh")
                    .args(["-c", "gzip -dc \"$1\" | tar -x -C \"$2\"", "unpack"])
                    .arg(layer)
                    .arg(&disk.mount),
            )?;
        }
        item.add("floor", started.elapsed().as_secs_f64());
    }
    drop(registry);
    Ok(())
}

/// The layer blobs of a layout of one image, lowest first.
pub(super) fn layers(layout: &Path) -> Result<Vec<PathBuf>> {
    let blob = |digest: &serde_json::Value| -> Result<PathBuf> {
        let digest = digest.as_str().context("a digest")?;
        Ok(layout.join("blobs").join(digest.replace(':', "/")))
    };
    let read = |path: &Path| -> Result<serde_json::Value> {
        let text =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(serde_json::from_slice(&text)?)
    };
    let index = read(&layout.join("index.json"))?;
    let manifest = read(&blob(&index["manifests"][0]["digest"])?)?;
    let layers = manifest["layers"].as_array().context("layers")?;
    layers.iter().map(|layer| blob(&layer["digest"])).collect()
}

/// A fresh ext4 in a file, mounted; gone when dropped.
struct Disk {
    file: PathBuf,
    mount: PathBuf,
}

impl Disk {
    fn make(directory: &Path, name: &str) -> Result<Self> {
        let disk = Self {
            file: directory.join(format!("{name}.ext4")),
            mount: directory.join(name),
        };
        std::fs::create_dir_all(&disk.mount).context("cannot make a mount point")?;
        let file = std::fs::File::create(&disk.file).context("cannot make a file")?;
        file.set_len(4 << 30)?;
        execute(
            Command::new("mkfs.ext4")
                .args(["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
                .arg(&disk.file),
        )?;
        execute(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(&disk.file)
                .arg(&disk.mount),
        )?;
        // What was written before is not to be waited for during the pull.
        execute(&mut Command::new("sync"))?;
        Ok(disk)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A mount of an ended engine may take a moment to be let go.
        for _ in 0..100 {
            if succeeds(Command::new("umount").arg("--recursive").arg(&self.mount)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Debian's registry with the image in it.
struct Registry {
    process: Child,
}

impl Registry {
    fn start(directory: &Path, layout: &Path) -> Result<Self> {
        let data = directory.join("registry");
        let file = directory.join("registry.yml");
        std::fs::write(
            &file,
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{ADDRESS}\"}}\n",
                data.display()
            ),
        )
        .context("cannot write the registry's configuration")?;
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start docker-registry")?;
        let registry = Self { process };
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(ADDRESS).is_err() {
            if Instant::now() > deadline {
                bail!("docker-registry does not listen on {ADDRESS}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        output(
            Command::new("skopeo")
                .args(["copy", "--quiet", "--dest-tls-verify=false"])
                .arg(format!("oci:{}", layout.display()))
                .arg(format!("docker://{ADDRESS}/large:latest")),
        )?;
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
