//! A Temporal server of a test: the vendor's development server, its store in a temporary folder,
//! stopped when it is dropped.

#![expect(clippy::unwrap_used, reason = "a test that cannot run says so by panicking")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::in_background;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server, and the folder of its store.
#[derive(Debug)]
pub struct Temporal {
    program: PathBuf,
    bridge: PathBuf,
    ports: [u16; 2],
    folder: tempfile::TempDir,
    server: Option<Child>,
}

/// A port that nobody listens on. The server cannot tell which one it got, so none is left to the
/// kernel; this one is below those that the kernel gives to whoever asks for any.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id() * 32 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(20_000 + next % 10_000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

impl Temporal {
    /// One that is not started yet. `None` if it is not installed, or the bridge not built.
    ///
    /// # Panics
    /// When no folder can be made.
    #[must_use]
    pub fn away() -> Option<Self> {
        let running = std::env::current_exe().unwrap();
        let server = |folder: &Path| folder.join("tools/temporal/bin/temporal");
        let target = running.ancestors().find(|folder| server(folder).exists())?;
        let bridge = target.join("temporal/release/smp-temporal");
        if !bridge.exists() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let program = server(target);
        Some(Self { program, bridge, ports: [free_port(), free_port()], folder, server: None })
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(&mut self) {
        let [port, metrics] = self.ports.map(|port| port.to_string());
        let mut server = Command::new(&self.program);
        server
            .args(["server", "start-dev", "--ip", "127.0.0.1", "--headless", "--port", &port])
            .args(["--metrics-port", &metrics, "--log-level", "error", "--db-filename"])
            .arg(self.folder.path().join("temporal.db"))
            .args(["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"])
            .args(["--dynamic-config-value", "matching.enableFairness=true"])
            // The order holds within a partition.
            .args(["--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"])
            .args(["--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"])
            .env("HOME", self.folder.path());
        self.server = Some(in_background(&mut server, &self.folder.path().join("temporal.log")));
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports[0])).is_err() {
            let has_ended = self.server.as_mut().is_some_and(|it| it.try_wait().unwrap().is_some());
            assert!(!has_ended && began.elapsed() < PATIENCE, "Temporal does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a crash does.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Its process, if it runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// The port at which it answers.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The options of a process of the platform that uses it at this port.
    #[must_use]
    pub fn options(&self, port: u16) -> [String; 4] {
        let bridge = self.bridge.display().to_string();
        let url = format!("http://127.0.0.1:{port}");
        ["--temporal".into(), url, "--temporal-bridge".into(), bridge]
    }

    /// What its command prints.
    fn asked(&self, arguments: &[&str]) -> String {
        let done = Command::new(&self.program)
            .args(arguments)
            .args(["--address", &format!("127.0.0.1:{}", self.ports[0])])
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Its workflows that answer this query, one a line: id, state.
    fn workflows(&self, query: &str) -> String {
        let limit = ["--limit", "1000", "--output", "jsonl"];
        self.asked(&[&["workflow", "list", "--query", query][..], &limit].concat())
    }

    /// How many runs wait for a worker.
    fn backlog(&self) -> u64 {
        let queue = ["--task-queue", "smp-collect", "--task-queue-type", "activity"];
        let arguments = [&["task-queue", "describe", "--output", "json"][..], &queue].concat();
        let described: Value = serde_json::from_str(&self.asked(&arguments)).unwrap();
        let stats = described.get("stats").and_then(Value::as_array).into_iter().flatten();
        let count = |stats: &Value| stats.get("approximateBacklogCount").and_then(Value::as_u64);
        stats.filter_map(count).sum()
    }

    /// Waits until so many runs wait for a worker, while there is none.
    ///
    /// # Panics
    /// When they do not come.
    pub fn queued(&self, number: u64) {
        let began = Instant::now();
        while self.backlog() < number {
            assert!(began.elapsed() < PATIENCE, "{} of {number}", self.backlog());
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits until so many workflows answer this query.
    ///
    /// # Panics
    /// When they do not.
    pub fn until(&self, query: &str, number: usize) {
        let began = Instant::now();
        loop {
            let found = self.workflows(query);
            if found.lines().count() == number {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{query}: {found}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// All bytes that it keeps: histories, heartbeats, failures, its log.
    ///
    /// # Panics
    /// When they cannot be read.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            if file.path().is_file() {
                bytes.extend(std::fs::read(file.path()).unwrap());
            }
        }
        bytes
    }
}

impl Drop for Temporal {
    fn drop(&mut self) {
        self.kill();
    }
}
