//! Many worker processes on one PostgreSQL server: how long the same runs take with 1, 2 and 4 of
//! them, alone and with Temporal, what a run costs whom, and how a worker's memory grows. Slots are
//! few and services slow, so that the places are measured and not the cores of this machine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use smp_tests::harness::component;
use smp_tests::mock::{Builder, Call, DEFAULT_KEY, Fault, Mock, When};
use smp_tests::postgres::Cluster;
use smp_tests::temporal::Temporal;

/// Tenants, each with one run; pages of a run; members of a page.
const TENANTS: usize = 96;
const PAGES: u64 = 20;
const MEMBERS: u64 = 10;
/// Places of a worker, and how long a service takes for a page.
const SLOTS: usize = 8;
const LATENCY: Duration = Duration::from_millis(50);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// Tenants of a worker whose memory is measured, and members of each: three pages.
const RUNNING: [usize; 4] = [8, 32, 128, 512];
const OF_EACH: u64 = 300;
/// Until what happens after a page has happened.
const SETTLED: Duration = Duration::from_secs(3);

/// What so many workers took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Worker processes.
    pub workers: usize,
    /// Processor seconds of a run in the engine, if there is one.
    pub engine_cpu: Option<f64>,
    /// Seconds from their start to the end of the last run.
    pub wall: f64,
    /// Processor seconds of a run in the workers, and in what speaks with the engine for them.
    pub workers_cpu: f64,
    /// Processor seconds of a run in the database.
    pub database_cpu: f64,
    /// The largest memory of a worker, in bytes.
    pub memory: u64,
}

/// Processor seconds so far of a process and those that it started.
///
/// # Errors
/// If the kernel does not tell them.
pub fn cpu_of(process: u32) -> Result<f64> {
    // The times of those that ended are with it.
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")? {
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |place: usize| -> u64 {
            fields.get(place).and_then(|field| field.parse().ok()).unwrap_or(0)
        };
        if head.split(' ').next() == Some(&process.to_string()) {
            ticks += (11..=14).map(number).sum::<u64>();
        } else if number(1) == u64::from(process) {
            ticks += number(11) + number(12);
        }
    }
    // The kernel tells times in hundredths of a second.
    #[expect(clippy::cast_precision_loss, reason = "a figure of a benchmark")]
    Ok(ticks as f64 / 100.0)
}

/// The same runs with 1, 2 and 4 workers, without an engine and, if it is installed, with one.
/// Empty if PostgreSQL is not installed.
///
/// # Errors
/// If something does not work.
pub fn measure() -> Result<Vec<Taken>> {
    let mut all = Vec::new();
    for with_engine in [false, true] {
        for workers in [1, 2, 4] {
            let Some(cluster) = Cluster::start() else { return Ok(all) };
            let mut engine = Temporal::away().filter(|_| with_engine);
            if with_engine && engine.is_none() {
                return Ok(all);
            }
            engine.iter_mut().for_each(Temporal::start);
            all.push(with(&cluster, engine.as_ref(), workers)?);
        }
    }
    Ok(all)
}

/// The memory of a worker by the number of tenants that run in it, each waiting for its second page,
/// in bytes. Empty if PostgreSQL is not installed.
///
/// # Errors
/// If something does not work.
pub fn growth() -> Result<Vec<(usize, u64)>> {
    let mut all = Vec::new();
    for tenants in RUNNING {
        let Some(cluster) = Cluster::start() else { return Ok(all) };
        let mocks: Vec<Mock> = (0..tenants)
            .map(|tenant| {
                Builder::default()
                    .members(OF_EACH)
                    .organization_id(&format!("organization-{tenant}"))
                    .fault(Call::Users, When::From(2), Fault::Slow(PATIENCE))
                    .start()
            })
            .collect::<Result<_, _>>()?;
        let _serve = serving(&cluster, None, &mocks)?;
        let slots = tenants.to_string();
        let worker = worker(&cluster, None, &mocks, &slots)?;
        for mock in &mocks {
            ensure!(mock.wait_for(Call::Users, 2, PATIENCE), "a run does not go on");
        }
        std::thread::sleep(SETTLED);
        all.push((tenants, memory_of(&worker, "VmRSS:")?));
    }
    Ok(all)
}

/// A line of what the kernel tells of a process's memory, in bytes.
fn memory_of(process: &Ended, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.0.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.context("no memory is told")? * 1024)
}

/// The platform's program with a command.
pub(crate) fn program(command: &[&str]) -> Result<Command> {
    let mut program = Command::new(std::env::current_exe()?.with_file_name("smp-platform"));
    program.env_clear().env("XDG_CACHE_HOME", std::env::temp_dir().join("smp-bench-cache"));
    program.args(command).stdin(Stdio::null());
    Ok(program)
}

fn platform(cluster: &Cluster, command: &[&str]) -> Result<Command> {
    let mut platform = program(command)?;
    platform.args(["--database", &cluster.url()]);
    Ok(platform)
}

/// Starts it for these services, and returns the line that says where it is.
pub(crate) fn started(mut command: Command, log: &Path, mocks: &[Mock]) -> Result<(Child, String)> {
    let log = fs::File::options().create(true).append(true).open(log)?;
    for mock in mocks {
        command.args(["--allow-upstream", &mock.url()]);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
    Ok((child, line))
}

/// Ends a process when it is dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with(cluster: &Cluster, engine: Option<&Temporal>, number: usize) -> Result<Taken> {
    let mocks: Vec<Mock> = (0..TENANTS)
        .map(|tenant| {
            Builder::default()
                .members(PAGES * MEMBERS)
                .page_size(MEMBERS)
                .latency(LATENCY)
                .organization_id(&format!("organization-{tenant}"))
                .start()
        })
        .collect::<Result<_, _>>()?;
    let _serve = serving(cluster, engine, &mocks)?;
    wait(cluster, "SELECT count(*) FROM runs", TENANTS)?;
    if let Some(engine) = engine {
        engine.queued(TENANTS as u64);
    }

    let server = cluster.process().context("no server")?;
    let engines = || engine.and_then(Temporal::process).map(cpu_of).transpose();
    let (began, before, engine_before) = (Instant::now(), cpu_of(server)?, engines()?);
    let slots = SLOTS.to_string();
    let workers: Vec<Ended> =
        (0..number).map(|_| worker(cluster, engine, &mocks, &slots)).collect::<Result<_>>()?;
    wait(cluster, "SELECT count(*) FROM runs WHERE state = 'complete'", TENANTS)?;
    let wall = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure of a benchmark")]
    let runs = TENANTS as f64;
    let engine_cpu = engines()?.zip(engine_before).map(|(after, before)| (after - before) / runs);
    let database_cpu = (cpu_of(server)? - before) / runs;
    let mut taken =
        Taken { workers: number, engine_cpu, wall, workers_cpu: 0.0, database_cpu, memory: 0 };
    for worker in &workers {
        taken.memory = taken.memory.max(memory_of(worker, "VmHWM:")?);
        taken.workers_cpu += cpu_of(worker.0.id())? / runs;
    }
    Ok(taken)
}

/// Starts a command of the platform on this database, and returns the line that it writes.
fn start(
    cluster: &Cluster,
    engine: Option<&Temporal>,
    mocks: &[Mock],
    command: &[&str],
) -> Result<(Child, String)> {
    let mut command = platform(cluster, command)?;
    command.arg("--key").arg(cluster.folder().join("key"));
    if let Some(engine) = engine {
        command.args(engine.options(engine.port()));
    }
    started(command, &cluster.folder().join("platform.log"), mocks)
}

/// Starts a worker with so many places.
fn worker(
    cluster: &Cluster,
    engine: Option<&Temporal>,
    mocks: &[Mock],
    slots: &str,
) -> Result<Ended> {
    Ok(Ended(start(cluster, engine, mocks, &["work", "--slots", slots])?.0))
}

/// Serves the database without running connections, and connects each of these services.
fn serving(cluster: &Cluster, engine: Option<&Temporal>, mocks: &[Mock]) -> Result<Ended> {
    let installed = platform(cluster, &["connector", "install"])?.arg(component()).output()?;
    ensure!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    // With an engine, it runs no connections anyway.
    let command: &[&str] =
        if engine.is_some() { &["serve", "--json"] } else { &["serve", "--json", "--slots", "0"] };
    let (serve, line) = start(cluster, engine, mocks, command)?;
    let serve = Ended(serve);
    let told: Value = serde_json::from_str(&line).context("`serve` does not start")?;
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let url = text("url").and_then(|url| url.strip_prefix("http://"));
    connect(url.context("no address")?, text("token").context("no token")?, mocks)?;
    Ok(serve)
}

/// Waits until a query of a number answers this. Each look is a connection, which costs the
/// database.
fn wait(cluster: &Cluster, sql: &str, number: usize) -> Result<()> {
    let began = Instant::now();
    while cluster.sql(sql) != number.to_string() {
        ensure!(began.elapsed() < PATIENCE, "{sql}: {}", cluster.sql(sql));
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// Makes a connection of a tenant to each mock, several at a time. Returns their ids.
pub(crate) fn connect(url: &str, token: &str, mocks: &[Mock]) -> Result<Vec<String>> {
    let part = mocks.len().div_ceil(16);
    std::thread::scope(|scope| {
        let parts: Vec<_> = mocks
            .chunks(part)
            .map(|mocks| {
                let made = move || mocks.iter().map(|mock| post(url, token, mock)).collect();
                scope.spawn(made)
            })
            .collect();
        let mut ids = Vec::new();
        for part in parts {
            let made: Result<Vec<String>> =
                part.join().map_err(|_| anyhow::anyhow!("a thread ended"))?;
            ids.extend(made?);
        }
        Ok(ids)
    })
}

fn post(url: &str, token: &str, mock: &Mock) -> Result<String> {
    let organization = &mock.organization().id;
    let body = json!({
        "tenant": organization,
        "connector": "atlassian-cloud",
        "settings": {"organization-id": organization},
        "secrets": {"api-key": DEFAULT_KEY},
        "upstream": mock.url(),
    });
    let answer = ask(url, token, "POST", "/api/v1/connections", &body.to_string())?;
    let made: Value = serde_json::from_str(&answer)?;
    Ok(made.get("id").and_then(Value::as_str).context("no id")?.to_owned())
}

/// Asks the interface, and returns the body of what must be a success.
pub(crate) fn ask(url: &str, token: &str, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(url)?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: {url}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.get(9..10) == Some("2"), "{answer}");
    Ok(answer.split_once("\r\n\r\n").context("no body")?.1.to_owned())
}
