//! The cost of limits, guards, rules and sinks, each for a page of 100 members.
//!
//! None of them can be switched off in the product. So each is measured alone, on its input in a
//! collection. For their total cost, the component also runs in an engine without bounds,
//! alternating with the product.

use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use smp_host::collect::guard::{Counts, Guard, mark};
use smp_host::collect::sink::Sink;
use smp_host::component::check;
use smp_host::contract::MemberPage;
use smp_host::files::checkpoint::{Checkpoint, Entry, Identity, Page};
use smp_host::files::{Csv, Ndjson};
use smp_host::http::base::Purpose;
use smp_host::http::capability::Capability;
use smp_host::http::clock::SystemClock;
use smp_host::http::policy::Policy;
use smp_host::http::retry::{Jitter, Retrier};
use smp_host::http::transport::{Method, Request};
use smp_host::limits::Limits;
use smp_host::observer::Events;

use super::{Depth, float};
use crate::bare::{Bare, Checks};
use crate::figure::{Figure, Kind};
use crate::meter::{Whose, cpu, cpu_of, wall_of};
use crate::pages::{ORGANIZATION, Pages, USUAL};
use crate::setup::{Replayed, Setup, component_bytes, runtime};

const PAGES: u64 = 200;

/// Measures them.
///
/// # Errors
/// When a part refuses what it gets.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    let pages = Arc::new(Pages::new(PAGES, USUAL));
    let runtime = runtime()?;
    let stage = runtime.block_on(Setup::set(None))?;
    let read = runtime.block_on(records(&stage, &pages))?;
    let mut figures = engine(&stage, &runtime, &pages, depth)?;
    let rounds = depth.pick(3, 15);
    let mut add = |key: &str, name: &str, part: &mut dyn FnMut() -> Result<f64>| -> Result<()> {
        let times = (0..=rounds).map(|_| part()).collect::<Result<Vec<_>>>()?.into_iter().skip(1);
        figures.push(Figure::of(
            key,
            name,
            "µs",
            Kind::Cpu,
            times.map(|time| time * 1e6 / float(PAGES)).collect(),
        ));
        Ok(())
    };
    add("parts.policy", "Policy: may this request leave?", &mut || policy(&stage))?;
    add(
        "parts.capability",
        "Policy, limits and retry around an answer, the answer itself included",
        &mut || runtime.block_on(async { cpu_of_capability(&stage, &pages).await }),
    )?;
    add("parts.answer", "of that: making the answer", &mut || {
        Ok(cpu_of(|| (0..PAGES).for_each(|page| drop(black_box(pages.body(page))))).1)
    })?;
    add("parts.check", "Check of a page against the contract", &mut || checks(&read))?;
    add("parts.guard", "Guard against duplicates and loops", &mut || guards(&read))?;
    add("parts.ndjson", "Writing as ndjson, to nowhere", &mut || {
        writes(&read, Ndjson::new(io::BufWriter::new(io::sink())))
    })?;
    add("parts.csv", "Writing as csv, to nowhere", &mut || {
        writes(&read, Csv::new(io::BufWriter::new(io::sink()), false))
    })?;
    figures.push(checkpoint(&read, depth)?);
    Ok(figures)
}

/// The pages as records of the host.
async fn records(stage: &Setup, pages: &Arc<Pages>) -> Result<Vec<MemberPage>> {
    let (mut session, mut all, mut cursor) =
        (stage.session(Replayed::at_once(pages)), Vec::new(), None);
    loop {
        let page = session.collect(cursor.as_ref()).await?;
        cursor.clone_from(&page.next);
        all.push(page);
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// The component without bounds, with epoch checks only, and in the product, alternating.
fn engine(
    stage: &Setup,
    runtime: &tokio::runtime::Runtime,
    pages: &Arc<Pages>,
    depth: Depth,
) -> Result<Vec<Figure>> {
    let component = component_bytes()?;
    let (free, epoch) =
        (Bare::new(&component, Checks::None)?, Bare::new(&component, Checks::Epoch)?);
    let (mut frees, mut epochs, mut of_epoch, mut of_all) = (vec![], vec![], vec![], vec![]);
    for turn in 0..=depth.pick(3, 15) {
        let (read, without) =
            cpu_of(|| runtime.block_on(free.read_all(pages, &stage.settings.public)));
        let (read_again, with) =
            cpu_of(|| runtime.block_on(epoch.read_all(pages, &stage.settings.public)));
        let (through, product) =
            cpu_of(|| runtime.block_on(stage.read_all(Replayed::at_once(pages))));
        let (read, read_again, through) = (read?, read_again?, through?);
        ensure!(read == read_again && read == through, "they do not read the same");
        if turn > 0 {
            frees.push(without * 1e6 / float(PAGES));
            epochs.push(with * 1e6 / float(PAGES));
            of_epoch.push((with / without - 1.0) * 100.0);
            of_all.push((product / without - 1.0) * 100.0);
        }
    }
    Ok(vec![
        Figure::of(
            "parts.bare",
            "A page through the component in an engine without bounds",
            "µs",
            Kind::Cpu,
            frees,
        ),
        Figure::of("parts.epoch", "the same with epoch checks", "µs", Kind::Cpu, epochs),
        Figure::of("parts.epoch-share", "Extra cost of epoch checks", "%", Kind::Told, of_epoch),
        Figure::of(
            "parts.all-share",
            "Extra cost of all bounds, rules and checks up to host records",
            "%",
            Kind::Told,
            of_all,
        ),
    ])
}

fn policy(stage: &Setup) -> Result<f64> {
    let policy = policy_of(stage);
    let requests: Vec<_> = (0..PAGES).map(request).collect();
    let (allowed, time) = cpu_of(|| {
        requests.iter().filter(|request| policy.check(black_box(request)).is_ok()).count()
    });
    ensure!(allowed == requests.len(), "the policy denies a page");
    Ok(time)
}

fn request(page: u64) -> Request {
    Request {
        method: Method::Get,
        path_and_query: path(page),
        body: None,
        headers: std::sync::Arc::default(),
    }
}

fn path(page: u64) -> String {
    format!("/admin/v1/orgs/{ORGANIZATION}/users?cursor=page-{page:012}")
}

async fn cpu_of_capability(stage: &Setup, pages: &Arc<Pages>) -> Result<f64> {
    use smp_host::contract::http;
    let policy = policy_of(stage);
    let clock = Arc::new(SystemClock::default());
    let retrier = Retrier::new(
        Replayed::at_once(pages),
        clock,
        None,
        Events::nowhere(),
        Jitter::None,
        Duration::ZERO,
    );
    let mut capability = Capability::new(policy, retrier, Limits::default());
    let before = cpu(Whose::Thread);
    for page in 0..PAGES {
        let request =
            http::Request { method: http::Method::Get, path_with_query: path(page), body: None };
        ensure!(
            black_box(capability.send(request).await).is_ok(),
            "the capability gives no answer"
        );
    }
    Ok(cpu(Whose::Thread) - before)
}

fn policy_of(stage: &Setup) -> Policy {
    let (descriptor, settings) = (stage.plugin.descriptor(), &stage.settings.public);
    Policy::new(descriptor, settings, Purpose::Members, stage.grants())
}

fn checks(read: &[MemberPage]) -> Result<f64> {
    let limits = Limits::default();
    let (good, time) =
        cpu_of(|| read.iter().filter(|page| check::page(black_box(page), &limits).is_ok()).count());
    ensure!(good == read.len(), "the check refuses a page");
    Ok(time)
}

fn guards(read: &[MemberPage]) -> Result<f64> {
    let (mut pages, mut guard, mut asked) =
        (read.to_vec(), Guard::new(Limits::default().of_guard()), None);
    let (admitted, time) = cpu_of(|| {
        for page in &mut pages {
            guard.admit(page, asked.as_deref())?;
            asked.clone_from(&page.next);
        }
        Ok::<_, anyhow::Error>(guard.counts().members)
    });
    ensure!(admitted? == PAGES * USUAL, "the guard drops members");
    Ok(time)
}

fn writes(read: &[MemberPage], mut sink: impl Sink) -> Result<f64> {
    let (written, time) = cpu_of(|| {
        read.iter()
            .try_for_each(|page| sink.write_page(black_box(page)).and_then(|()| sink.flush()))
    });
    written?;
    Ok(time)
}

/// An entry is written and synced: the time is the disk's, not the processor's.
fn checkpoint(read: &[MemberPage], depth: Depth) -> Result<Figure> {
    let folder = tempfile::tempdir()?;
    let text = || "bench".to_owned();
    let identity = Identity {
        connector: text(),
        version: text(),
        component: text(),
        origin: text(),
        settings: text(),
        output: text(),
        format: text(),
    };
    let (mut checkpoint, _) = Checkpoint::open(&folder.path().join("checkpoint"), &identity)?;
    let mut times = Vec::new();
    for page in read.iter().take(depth.pick(20, 100)) {
        let admitted = smp_host::collect::guard::Admitted {
            new: page.members.iter().map(|member| mark(&member.id)).collect(),
            again: vec![],
        };
        let entry = Entry::Page(Page {
            next: page.next.clone(),
            offset: 1,
            digest: [0; 32],
            counts: Counts::default(),
            admitted,
            notes: vec![],
        });
        let (written, time) = wall_of(|| checkpoint.append(&entry));
        written?;
        times.push(time * 1e6);
    }
    Ok(Figure::of(
        "parts.checkpoint",
        "Checkpoint of a page, synced to the disk (time that passes)",
        "µs",
        Kind::Told,
        times,
    ))
}
