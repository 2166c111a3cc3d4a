//! An engine with roots of its own, which can be ended as if it were killed.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tare_engine::containers::RemoveOptions;
use tare_engine::images::PullRequest;
use tare_engine::{Config, Engine};
use tare_engine_api::{ContainerConfig, ContainerCreateRequest, ContainerState, HostConfig};
use tare_shim::client;
use tokio::runtime::{Builder, Runtime};

/// Nothing here takes longer unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// As many as the daemon has.
pub(crate) const WORKERS: usize = 2;
const KILL: i32 = 9;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A place for an engine.
pub(crate) struct World {
    directory: PathBuf,
    running: Option<(Runtime, Engine)>,
}

impl World {
    /// With a running engine that has the image `hello`.
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tare-engine-test-{}-{number}", std::process::id());
        let mut world = Self {
            directory: std::env::temp_dir().join(name),
            running: None,
        };
        world.open();
        world.run(async |engine| {
            let request = PullRequest {
                image: "hello".to_owned(),
                ..PullRequest::default()
            };
            let mut messages = engine.image_pull(request).await.expect("the image");
            while messages.recv().await.is_some() {}
        });
        world
    }

    pub(crate) fn data_root(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(crate) fn shim_directory(&self, id: &str) -> PathBuf {
        self.directory.join("exec/shims").join(id)
    }

    /// Starts the engine.
    pub(crate) fn open(&mut self) {
        let config = Config {
            data_root: self.data_root(),
            exec_root: self.directory.join("exec"),
            bridge: "none".to_owned(),
            executable: shim_executable(),
            ..Config::default()
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .enable_all()
            .build()
            .expect("a runtime");
        let engine = runtime.block_on(Engine::open(config)).expect("an engine");
        self.running = Some((runtime, engine));
    }

    /// Ends the engine between two steps, whatever they were.
    pub(crate) fn kill(&mut self) {
        if let Some((runtime, engine)) = self.running.take() {
            drop(engine);
            drop(runtime);
        }
    }

    /// Does something with the engine.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(Engine) -> T) -> T {
        let (runtime, engine) = self.running.as_ref().expect("a running engine");
        runtime
            .block_on(async { tokio::time::timeout(2 * PATIENCE, work(engine.clone())).await })
            .expect("an end in time")
    }

    /// Creates a container that runs a shell script.
    pub(crate) fn create(&self, name: &str, script: &str) -> String {
        let request = ContainerCreateRequest {
            config: ContainerConfig {
                image: "hello".to_owned(),
                cmd: Some(
                    ["/bin/busybox", "sh", "-c", script]
                        .map(str::to_owned)
                        .to_vec(),
                ),
                ..ContainerConfig::default()
            },
            host_config: HostConfig {
                network_mode: "none".to_owned(),
                binds: Some(vec!["/bin/busybox:/bin/busybox:ro".to_owned()]),
                ..HostConfig::default()
            },
            ..ContainerCreateRequest::default()
        };
        let created = self.run(async |engine| {
            engine
                .container_create(Some(name.to_owned()), request, None)
                .await
        });
        created.expect("a container").id
    }

    /// Creates and starts one that runs until it is killed.
    pub(crate) fn sleeper(&self, name: &str) -> String {
        let id = self.create(name, "exec /bin/busybox sleep 1000");
        self.run(async |engine| engine.container_start(&id).await)
            .expect("a start");
        id
    }

    pub(crate) fn state(&self, id: &str) -> ContainerState {
        self.run(async |engine| engine.container_inspect(id, false).await)
            .expect("the container")
            .state
    }

    /// Waits until the container's status is `wanted`.
    pub(crate) fn await_status(&self, id: &str, wanted: &str) -> ContainerState {
        let since = Instant::now();
        loop {
            let state = self.state(id);
            if state.status == wanted {
                return state;
            }
            assert!(since.elapsed() < PATIENCE, "{state:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Removes a container and asserts that its shim is gone.
    pub(crate) fn remove(&self, id: &str) {
        let options = RemoveOptions {
            force: true,
            ..RemoveOptions::default()
        };
        self.run(async |engine| engine.container_remove(id, options).await)
            .expect("a removal");
        assert!(!self.shim_directory(id).exists());
    }
}

impl Drop for World {
    /// Leaves nothing, however the test has ended.
    fn drop(&mut self) {
        self.kill();
        let shims = fs::read_dir(self.directory.join("exec/shims"));
        for entry in shims.into_iter().flatten().flatten() {
            if let Ok(shim) = client::connect(&entry.path()) {
                let _ = shim.signal_all(KILL);
                let _ = shim.wait(Duration::from_secs(5));
                let _ = shim.release();
            }
        }
        let exec_root = self.directory.join("exec").display().to_string();
        let hash = tare_oci::Digest::sha256_of(exec_root.as_bytes());
        let parent = format!("tare-{}", &hash.hex()[..12]);
        for hierarchy in fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten()
        {
            let _ = fs::remove_dir(hierarchy.path().join(&parent));
        }
        let _ = fs::remove_dir("/sys/fs/cgroup/".to_owned() + &parent);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The example beside this test's program.
fn shim_executable() -> PathBuf {
    let test = std::env::current_exe().expect("our path");
    let target = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("a target directory");
    let shim = target.join("examples/shim");
    assert!(
        shim.exists(),
        "cargo build -p tare-engine --examples makes {}",
        shim.display()
    );
    shim
}
