//! A Temporal server of a test, its store in a temporary folder, and the processes that use it.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use smp_tests::harness::binary;
use smp_tests::mock::Mock;
use smp_tests::postgres::Cluster;

use super::fleet::{self, Worker};
use super::server::Server;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server, and the folder of its store.
pub(crate) struct Engine {
    program: PathBuf,
    bridge: PathBuf,
    ports: [u16; 2],
    folder: tempfile::TempDir,
    server: Option<Child>,
}

/// The target folder.
fn target() -> PathBuf {
    binary().ancestors().nth(2).unwrap().to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Engine {
    /// One that is not started yet. `None` if it is not installed, or the bridge not built.
    pub(crate) fn away() -> Option<Self> {
        let program = target().join("tools/temporal/bin/temporal");
        let bridge = target().join("temporal/release/smp-temporal");
        if !program.exists() || !bridge.exists() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Self { program, bridge, ports: [free_port(), free_port()], folder, server: None })
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&mut self) {
        let log = self.folder.path().join("temporal.log");
        let log = File::options().create(true).append(true).open(log).unwrap();
        let [port, metrics] = self.ports.map(|port| port.to_string());
        let server = Command::new(&self.program)
            .args(["server", "start-dev", "--ip", "127.0.0.1", "--headless", "--port", &port])
            .args(["--metrics-port", &metrics, "--log-level", "error", "--db-filename"])
            .arg(self.folder.path().join("temporal.db"))
            .args(["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"])
            .args(["--dynamic-config-value", "matching.enableFairness=true"])
            // The order holds within a partition.
            .args(["--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"])
            .args(["--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"])
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports[0])).is_err() {
            assert!(began.elapsed() < PATIENCE, "Temporal does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// The options of a process that uses it.
    fn options(&self) -> [String; 4] {
        let bridge = self.bridge.display().to_string();
        let url = format!("http://127.0.0.1:{}", self.ports[0]);
        ["--temporal".into(), url, "--temporal-bridge".into(), bridge]
    }

    /// Starts `serve`.
    pub(crate) fn serve(&self, cluster: &Cluster, mocks: &[Mock], options: &[&str]) -> Server {
        let mut all = self.options().to_vec();
        all.extend(options.iter().map(|option| (*option).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        fleet::serve(cluster, mocks, &all)
    }

    /// Starts a worker.
    pub(crate) fn work(
        &self,
        cluster: &Cluster,
        mocks: &[Mock],
        name: &str,
        options: &[&str],
    ) -> Worker {
        let mut all = self.options().to_vec();
        all.extend(options.iter().map(|option| (*option).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Worker::start(cluster, mocks, name, &all)
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
        let stats = described["stats"].as_array().unwrap().iter();
        stats.map(|stats| stats["approximateBacklogCount"].as_u64().unwrap_or(0)).sum()
    }

    /// Waits until so many runs wait for a worker, while there is none.
    pub(crate) fn queued(&self, number: u64) {
        let began = Instant::now();
        while self.backlog() < number {
            assert!(began.elapsed() < PATIENCE, "{} of {number}", self.backlog());
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits until so many workflows answer this query.
    pub(crate) fn until(&self, query: &str, number: usize) {
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
    pub(crate) fn kept(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            if file.path().is_file() {
                bytes.extend(std::fs::read(file.path()).unwrap());
            }
        }
        bytes
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
    }
}
