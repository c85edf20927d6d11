//! The processes of one store: a server, workers, and the mocks of the tenants.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use smp_tests::harness::component;
use smp_tests::mock::{Builder, LoggedRequest, Mock};
use smp_tests::postgres::Cluster;

use super::server::{Server, platform};

/// A worker: the real binary.
pub(crate) struct Worker {
    child: Child,
    /// Where it tells its metrics.
    metrics: String,
}

/// A command of the platform on this database.
pub(crate) fn command(cluster: &Cluster, name: &[&str]) -> Command {
    command_at(cluster, &cluster.url(), name)
}

/// The same, where the database is reached at another address.
fn command_at(cluster: &Cluster, database: &str, name: &[&str]) -> Command {
    let mut command = platform();
    command.env("XDG_CACHE_HOME", cluster.folder().join("cache"));
    command.args(name).args(["--database", database]);
    command
}

/// Where a process of this cluster writes its log.
pub(crate) fn log_of(cluster: &Cluster, name: &str) -> PathBuf {
    cluster.folder().join(name).with_extension("log")
}

fn log(cluster: &Cluster, name: &str) -> File {
    File::options().create(true).append(true).open(log_of(cluster, name)).unwrap()
}

fn key(cluster: &Cluster) -> PathBuf {
    cluster.folder().join("key")
}

/// Installs the connector.
pub(crate) fn installed(cluster: &Cluster) {
    let done = command(cluster, &["connector", "install"]).arg(component()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn serving(cluster: &Cluster, mocks: &[Mock], options: &[&str]) -> Command {
    let mut command = command(cluster, &["serve", "--json"]);
    command.arg("--key").arg(key(cluster)).args(options);
    mocks.iter().for_each(|mock| {
        command.args(["--allow-upstream", &mock.url()]);
    });
    command
}

/// Starts `serve` with these options.
pub(crate) fn serve(cluster: &Cluster, mocks: &[Mock], options: &[&str]) -> Server {
    Server::spawned(serving(cluster, mocks, options), &log_of(cluster, "serve"))
}

/// Starts `serve`, which ends by itself.
pub(crate) fn refused(cluster: &Cluster) -> Output {
    serving(cluster, &[], &[]).output().unwrap()
}

impl Worker {
    /// Starts a worker with these options.
    pub(crate) fn start(cluster: &Cluster, mocks: &[Mock], name: &str, options: &[&str]) -> Self {
        Self::start_at(cluster, &cluster.url(), mocks, name, options)
    }

    /// Starts one that reaches the database at this address.
    pub(crate) fn start_at(
        cluster: &Cluster,
        database: &str,
        mocks: &[Mock],
        name: &str,
        options: &[&str],
    ) -> Self {
        let mut command = command_at(cluster, database, &["work", "--metrics", "127.0.0.1:0"]);
        command.arg("--key").arg(key(cluster)).args(options);
        mocks.iter().for_each(|mock| {
            command.args(["--allow-upstream", &mock.url()]);
        });
        let mut child = command.stdout(Stdio::piped()).stderr(log(cluster, name)).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let metrics = line.split_once("http://").and_then(|(_, rest)| rest.split_once('/'));
        let metrics = metrics.unwrap_or_else(|| {
            panic!("{line}{}", std::fs::read_to_string(log_of(cluster, name)).unwrap())
        });
        Self { metrics: metrics.0.to_owned(), child }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its process.
    #[allow(dead_code, reason = "the tests of an engine use it")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash of its machine does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it with SIGTERM. Returns how long that took.
    pub(crate) fn end(mut self) -> Duration {
        let began = Instant::now();
        self.signal(Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        began.elapsed()
    }

    fn told(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        let head = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", self.metrics);
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// What it says of its health.
    #[allow(dead_code, reason = "the tests of an engine use it")]
    pub(crate) fn health(&self) -> String {
        let text = self.told("/healthz");
        text.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// One of its metrics.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.told("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that is paused ends, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until another worker has the one run of this store, and has stored some pages of it.
pub(crate) fn goes_on_elsewhere(cluster: &Cluster) {
    let page = || cluster.sql("SELECT page FROM runs").parse::<u32>().unwrap();
    cluster.until("SELECT epoch FROM runs", |epoch| epoch == "2");
    let taken = page();
    cluster.until("SELECT page FROM runs", |now| now.parse::<u32>().unwrap() > taken + 2);
}

/// Checks that the run of so many pages of ten ends whole after that, and that the first worker
/// took nothing back and was no faster than its pace.
pub(crate) fn ends_whole(
    (cluster, server, path): (&Cluster, &Server, &str),
    pages: u32,
    mock: &Mock,
    [first, second]: [&Worker; 2],
) {
    let run = server.first_run(path);
    let ended = server.ended(path, &run);
    assert_eq!((&ended["members"], &ended["pages"]), (&(pages * 10).into(), &pages.into()));
    assert_eq!(cluster.sql("SELECT epoch, page FROM runs"), format!("2|{pages}"));
    assert!(first.metric("smp_pages_total") < f64::from(pages));
    assert!(second.metric("smp_pages_total") > 2.0);
    let most = most_in_a_second(&mock.log());
    assert!(most <= 6, "five a second, and one of the first worker: {most}");
}

/// Waits for a moment to harm a fleet, and says how many pages it has kept: after the time, and
/// sooner where so many pages are kept before. A machine that is fast is harmed as often.
pub(crate) fn pages_after(cluster: &Cluster, time: Duration, pages: u64) -> u64 {
    let began = Instant::now();
    loop {
        let kept = cluster.sql("SELECT coalesce(sum(page), 0) FROM runs").parse().unwrap();
        if kept >= pages || began.elapsed() >= time {
            return kept;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// An organization for each of so many tenants.
pub(crate) fn mocks(number: usize, of: impl Fn(Builder) -> Builder) -> Vec<Mock> {
    let one = |number: usize| {
        let builder = Builder::default().seed(u64::try_from(number).unwrap());
        let builder = builder.organization_id(&format!("organization-{number}"));
        of(builder).start().unwrap()
    };
    (0..number).map(one).collect()
}

/// Connects a tenant to each mock, several at a time. Returns the paths of the connections.
pub(crate) fn connected(server: &Server, mocks: &[Mock]) -> Vec<String> {
    let mut paths = vec![String::new(); mocks.len()];
    let share = mocks.len().div_ceil(16).max(1);
    std::thread::scope(|scope| {
        let parts = mocks.chunks(share).zip(paths.chunks_mut(share)).enumerate();
        for (part, (mocks, paths)) in parts {
            scope.spawn(move || {
                for (number, (mock, path)) in mocks.iter().zip(paths).enumerate() {
                    let tenant = format!("tenant-{}", part * share + number);
                    *path = server.connected(&tenant, mock);
                }
            });
        }
    });
    paths
}

/// The most requests of a log in any second.
pub(crate) fn most_in_a_second(log: &[LoggedRequest]) -> usize {
    let at: Vec<Duration> = log.iter().map(|request| request.at).collect();
    let within = |first: usize| {
        at[first..].iter().take_while(|later| **later - at[first] < Duration::from_secs(1)).count()
    };
    (0..at.len()).map(within).max().unwrap_or(0)
}
