//! Many tenants at once in one process: each has its own run and store, on an engine with memory
//! set aside for all.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use smp_host::http::clock::BoxFuture;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use tokio::sync::Notify;

use super::{Depth, float};
use crate::child;
use crate::figure::{Figure, Kind};
use crate::meter::{Whose, cores, cpu, peak, resident};
use crate::pages::{Pages, USUAL};
use crate::setup::{Replayed, Setup};

const TENANTS: u32 = 1_000;
const PAGES: u64 = 10;
const LATENCY_MS: u64 = 50;
const WAITING: u32 = 10_000;

/// The cost of a process's tenants.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Served {
    /// Time until the last one finished, in seconds.
    pub wall: f64,
    /// Processor time of all, in seconds.
    pub cpu: f64,
    /// Memory beyond that of the process without tenants, in bytes.
    pub memory: u64,
}

/// Measures it.
///
/// # Errors
/// When a tenant's collection fails.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    let served = |_| at_once(TENANTS, PAGES, USUAL, LATENCY_MS, 1);
    // The first compiles for this kind of engine.
    at_once(1, 1, 1, 0, 1)?;
    let runs = (0..depth.pick(1, 5)).map(served).collect::<Result<Vec<_>>>()?;
    let each = |value: &dyn Fn(&Served) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let (ideal, cores) = (float(PAGES * LATENCY_MS) / 1e3, f64::from(u32::try_from(cores())?));
    let kib = |bytes: u64, tenants: u32| float(bytes) / 1024.0 / f64::from(tenants);
    let mut figures = vec![
        Figure::of(
            "tenants.wall",
            "1,000 tenants at once, 10 pages of 100, 50 ms a page: time that passes",
            "s",
            Kind::Wall,
            each(&|run| run.wall),
        ),
        Figure::of("tenants.cpu", "the same: processor time", "s", Kind::Cpu, each(&|run| run.cpu)),
        Figure::of(
            "tenants.bound",
            "the same: time that passes, against the waits or the processor time over all cores, \
             whichever is more",
            "",
            Kind::Told,
            each(&|run| run.wall / ideal.max(run.cpu / cores)),
        )
        .at_most(2.0),
        Figure::of(
            "tenants.memory",
            "the same: memory of a tenant",
            "KiB",
            Kind::Memory,
            each(&|run| kib(run.memory, TENANTS)),
        )
        .at_most(210.0),
    ];
    if depth == Depth::Full {
        let waiting =
            (0..3).map(|_| Ok(kib(waiting_again(WAITING)?, WAITING))).collect::<Result<_>>()?;
        figures.push(Figure::of(
            "tenants.waiting",
            "10,000 tenants waiting in their first call: memory of each",
            "KiB",
            Kind::Memory,
            waiting,
        ));
    }
    Ok(figures)
}

/// Serves this many tenants in a separate process, several times.
///
/// # Errors
/// When a tenant's collection fails.
pub fn at_once(
    tenants: u32,
    pages: u64,
    per_page: u64,
    latency_ms: u64,
    times: u32,
) -> Result<Served> {
    let numbers = [u64::from(tenants), pages, per_page, latency_ms, u64::from(times)]
        .map(|number| number.to_string());
    let mut arguments = vec!["tenants"];
    arguments.extend(numbers.iter().map(String::as_str));
    child::again(&arguments)
}

fn waiting_again(tenants: u32) -> Result<u64> {
    child::again(&["waiting", &tenants.to_string()])
}

/// The work of the separate process.
///
/// # Errors
/// When a tenant's collection fails.
pub fn serve(
    tenants: u32,
    pages: u64,
    per_page: u64,
    latency_ms: u64,
    times: u32,
) -> Result<Served> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(cores()).enable_all().build()?;
    let (pages, latency) =
        (Arc::new(Pages::new(pages, per_page)), Duration::from_millis(latency_ms));
    runtime.block_on(async {
        let stage = Arc::new(Setup::set(Some(tenants)).await?);
        // Memory is mapped only when it is first touched; a server has been running for a while.
        if times > 1 {
            all(&stage, tenants, latency, &pages).await?;
        }
        let (memory, before, start) = (resident(), cpu(Whose::Process), std::time::Instant::now());
        for _ in 0..times {
            all(&stage, tenants, latency, &pages).await?;
        }
        let (wall, time) = (start.elapsed().as_secs_f64(), cpu(Whose::Process) - before);
        let times = f64::from(times);
        Ok(Served { wall: wall / times, cpu: time / times, memory: peak().saturating_sub(memory) })
    })
}

/// Makes this many tenants collect at once.
async fn all(
    stage: &Arc<Setup>,
    tenants: u32,
    latency: Duration,
    pages: &Arc<Pages>,
) -> Result<()> {
    let runs: Vec<_> = (0..tenants)
        .map(|_| {
            let (stage, transport) = (Arc::clone(stage), Replayed::after(latency, pages));
            tokio::spawn(async move { stage.collect(transport, io::sink()).await })
        })
        .collect();
    for run in runs {
        ensure!(run.await??.counts.members == pages.members(), "a tenant misses members");
    }
    Ok(())
}

/// Never answers, and counts the requests.
#[derive(Debug, Default)]
struct Silence {
    asked: AtomicU32,
    enough: u32,
    all: Notify,
}

impl Transport for Silence {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        if self.asked.fetch_add(1, Ordering::SeqCst) + 1 == self.enough {
            self.all.notify_one();
        }
        Box::pin(std::future::pending())
    }
}

/// Makes this many tenants wait for their first answer, and returns their total memory, in bytes.
///
/// # Errors
/// If not all of them reach that point.
pub fn wait(tenants: u32) -> Result<u64> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(cores()).enable_all().build()?;
    let memory = runtime.block_on(async {
        let stage = Arc::new(Setup::set(Some(tenants)).await?);
        let silence = Arc::new(Silence { enough: tenants, ..Silence::default() });
        let before = resident();
        for _ in 0..tenants {
            let (stage, silence) = (Arc::clone(&stage), Arc::clone(&silence));
            tokio::spawn(async move { stage.collect(silence, io::sink()).await });
        }
        tokio::time::timeout(Duration::from_secs(120), silence.all.notified())
            .await
            .context("not all tenants came to wait")?;
        Ok(resident().saturating_sub(before))
    });
    runtime.shutdown_background();
    memory
}
