//! What the platform costs: pages committed to its ledger, lists of a large organization, tenants
//! that run, and a schedule at rest. `bench-platform [MEMBERS]` prints a table and fails beyond
//! three times a target, so that a busy machine fails nothing and a mistake in the order of
//! magnitude does.
//!
//! `bench-platform --postgres` measures the same pages on a PostgreSQL server, and runs in 1, 2 and 4
//! worker processes, without an engine and with Temporal, if it is installed.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use smp_bench::meter::{Whose, cpu, peak, resident};
use smp_bench::{many, running};
use smp_host::collect::destination::{
    Delivery, Destination, DestinationError, Ending, PageMark, Provenance,
};
use smp_host::collect::guard::{Admitted, Counts, mark};
use smp_host::collect::report::{Outcome, RunReport};
use smp_host::component::compile::Compiler;
use smp_host::contract::{
    self, Affiliation, Member, MemberKind, MemberPage, MemberStatus, Product, ProductUse,
};
use smp_platform::catalog::Catalog;
use smp_platform::clock::{HOUR, now};
use smp_platform::connections::Connections;
use smp_platform::keys::{Keys, Source};
use smp_platform::members::list::{self, Filter};
use smp_platform::members::search;
use smp_platform::problem::Problem;
use smp_platform::runs::claims::{self, Worker};
use smp_platform::runs::ledger::Ledger;
use smp_platform::runs::scheduler::{self, Duty, Wake};
use smp_platform::runs::table;
use smp_platform::store::connections::{self, Connection};
use smp_platform::store::{Place, Store};
use smp_tests::postgres::Cluster;
use tokio::sync::watch;

/// Members of a page, as the service has them.
const PAGE: u64 = 100;
/// Tenants that run at once.
const TENANTS: usize = 32;
/// How far beyond a target a figure fails.
const SLACK: f64 = 3.0;

fn main() -> Result<ExitCode> {
    let argument = std::env::args().nth(1);
    let on_server = argument.as_deref() == Some("--postgres");
    let members = match argument.filter(|_| !on_server) {
        None => 1_000_000,
        Some(number) => number.parse()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if on_server {
        return runtime.block_on(measure_server());
    }
    runtime.block_on(measure(members))
}

/// Pages of a PostgreSQL server, and worker processes.
async fn measure_server() -> Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    let Some(cluster) = Cluster::start() else {
        writeln!(output, "skipped: PostgreSQL is not installed")?;
        return Ok(ExitCode::SUCCESS);
    };
    let store = Store::open(&Place::Server(cluster.url())).await?;
    put(&store, &connection("c_bench", None)).await?;
    let (members, server) = (100_000, cluster.process().context("no server")?);
    let first = commit(&store, members, 0, Some(server)).await?;
    let size = "SELECT pg_total_relation_size('members')";
    let size = number(cluster.sql(size).parse()?) / number(members);
    let again = commit(&store, members, 1, Some(server)).await?;
    store.close().await;
    drop(cluster);
    let page = |seconds: f64| seconds / number(members / PAGE) * 1_000.0;
    let mut figures = vec![
        Figure(
            "processor time of a page commit of 100 members, worker and database".into(),
            page(first.pages + first.server_pages),
            "ms",
            Some(1.0),
        ),
        Figure("of it, in the database".into(), page(first.server_pages), "ms", None),
        Figure(
            "processor time of the end of the first run of 100,000 members, database".into(),
            first.server_end,
            "s",
            None,
        ),
        Figure("a member in the database, with its indexes".into(), size, "B", None),
        Figure(
            "the same page in a run in which 1 of 100 changed and 1 of 10 was active".into(),
            page(again.pages + again.server_pages),
            "ms",
            None,
        ),
        Figure("of it, in the database".into(), page(again.server_pages), "ms", None),
        Figure("the end of that run, database".into(), again.server_end, "s", None),
    ];
    let mut first = 0.0;
    for one in &many::measure()? {
        let workers = one.workers;
        if workers == 1 {
            first = one.wall;
        }
        let with = if one.engine_cpu.is_some() { " with Temporal" } else { "" };
        let name = |what: &str| format!("{workers} worker processes of 8 places{with}: {what}");
        let linear = first / one.wall / f64::from(u32::try_from(workers)?);
        figures.push(Figure(name("96 runs of 20 pages"), one.wall, "s", None));
        figures.push(Figure(name("part of linear"), linear, "", None));
        figures.push(Figure(
            name("processor time of a run, workers"),
            one.workers_cpu * 1e3,
            "ms",
            None,
        ));
        figures.push(Figure(
            name("processor time of a run, database"),
            one.database_cpu * 1e3,
            "ms",
            None,
        ));
        if let Some(cpu) = one.engine_cpu {
            figures.push(Figure(name("processor time of a run, engine"), cpu * 1e3, "ms", None));
        }
        figures.push(Figure(
            name("most memory of one"),
            number(one.memory) / 1_048_576.0,
            "MiB",
            None,
        ));
    }
    show(&mut output, &figures)
}

/// A figure with its target.
struct Figure(String, f64, &'static str, Option<f64>);

async fn measure(members: u64) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&Place::Folder(folder.path().into())).await?;
    let connection = connection("c_bench", None);
    put(&store, &connection).await?;
    let (mut figures, mut output) = (Vec::new(), std::io::stdout().lock());
    let pages = members.div_ceil(PAGE).max(1);

    let memory = resident();
    let first = commit(&store, members, 0, None).await?;
    let page = |seconds: f64| seconds / number(pages) * 1_000.0;
    let whole = Some(60.0 * (number(members) / 1_000_000.0).max(0.1));
    figures.push(Figure(
        "processor time of a page commit of 100 members".into(),
        page(first.pages),
        "ms",
        Some(1.0),
    ));
    figures.push(Figure(
        format!("processor time to store {members} members, the end of the run included"),
        first.pages + first.end,
        "s",
        whole,
    ));
    figures.push(Figure("of it, the end of the run".into(), first.end, "s", None));
    figures.push(Figure(
        "growth of memory meanwhile, at its peak".into(),
        number(peak().saturating_sub(memory)) / 1_048_576.0,
        "MiB",
        Some(128.0),
    ));
    let again = commit(&store, members, 1, None).await?;
    figures.push(Figure(
        "a page commit in a run in which 1 of 100 changed and 1 of 10 was active".into(),
        page(again.pages),
        "ms",
        None,
    ));
    figures.push(Figure(
        "processor time of that run, its end included".into(),
        again.pages + again.end,
        "s",
        whole,
    ));
    figures.push(Figure("of it, the end of the run".into(), again.end, "s", None));
    figures.push(Figure(
        "not in these: making a page in the benchmark".into(),
        page(first.made),
        "ms",
        None,
    ));
    let began = cpu(Whose::Process);
    search::catch_up(&store).await?;
    figures.push(Figure(
        "processor time of the words of both runs, in steps beside other runs".into(),
        cpu(Whose::Process) - began,
        "s",
        None,
    ));
    for (name, filter) in filters() {
        let (page, first) = list_with(&store, &filter).await?;
        figures.push(Figure(format!("a page with {name}"), page, "ms", Some(50.0)));
        figures.push(Figure(
            format!("its total, counted the first time, with {name}"),
            first,
            "ms",
            None,
        ));
        let plan = list::plan(&store, "c_bench", &filter).await?.join("; ");
        writeln!(output, "{name}: {plan}")?;
    }
    store.close().await;
    figures.push(Figure(
        "1,000 schedules at rest, of one core".into(),
        at_rest().await? * 100.0,
        "%",
        Some(1.0),
    ));
    let memory = running::measure(TENANTS)?;
    figures.push(Figure(
        format!("memory of the process with {TENANTS} tenants, none of which runs"),
        number(memory.at_rest) / 1_048_576.0,
        "MiB",
        None,
    ));
    figures.push(Figure(
        format!("memory of each running tenant, of {TENANTS} at once"),
        number(memory.of_a_run) / 1_024.0,
        "KiB",
        None,
    ));

    show(&mut output, &figures)
}

/// Shows the figures; fails if one is far from its target.
fn show(output: &mut impl Write, figures: &[Figure]) -> Result<ExitCode> {
    let mut failed = false;
    for Figure(name, value, unit, target) in figures {
        let (shown, met) = match target {
            None => (String::new(), true),
            Some(target) => (format!("target {target} {unit}"), value <= &(target * SLACK)),
        };
        failed |= !met;
        let failed = if met { "" } else { "  FAILED" };
        writeln!(output, "{name:<76} {value:>9.3} {unit:<4} {shown}{failed}")?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[expect(clippy::cast_precision_loss, reason = "figures of a benchmark")]
fn number(of: u64) -> f64 {
    of as f64
}

fn connection(id: &str, next_due: Option<i64>) -> Connection {
    Connection {
        id: id.into(),
        tenant: "bench".into(),
        connector: "bench".into(),
        digest: "sha256:0".into(),
        upgrade: None,
        name: id.into(),
        settings: Default::default(),
        account: id.into(),
        account_name: "Bench".into(),
        upstream: None,
        grants: Vec::new(),
        every_hours: 24,
        paused: false,
        state: "ready".into(),
        failure: None,
        failures: 0,
        credential_expires: None,
        secret_version: 1,
        next_due,
        runs: 0,
        complete: 0,
        created: now(),
    }
}

async fn put(store: &Store, connection: &Connection) -> Result<()> {
    let mut writing = store.write().await?;
    connections::tenant(&mut writing, &connection.tenant).await?;
    connections::insert(&mut writing, connection).await?;
    writing.commit().await?;
    Ok(())
}

/// Processor seconds of a whole run: of this process and of a server, for its pages and its end,
/// and for making the pages here.
#[derive(Default)]
struct Cost {
    pages: f64,
    end: f64,
    server_pages: f64,
    server_end: f64,
    made: f64,
}

/// Commits a whole run.
async fn commit(store: &Store, members: u64, generation: u64, server: Option<u32>) -> Result<Cost> {
    let of_server = || server.map_or(Ok(0.0), many::cpu_of);
    let mut cost = Cost::default();
    let mut writing = store.write().await?;
    let id = table::ask(&mut writing, "c_bench", now() + i64::try_from(generation)?, true).await?;
    writing.commit().await?;
    let worker = Worker { id: "bench".into(), lease: None };
    let run = claims::claim(store, &id, &worker).await?.context("the run is held")?;
    let mut ledger = Ledger::new(store.clone(), run, Default::default());
    let whose = Provenance {
        connector: "bench".into(),
        version: "1.0.0".into(),
        component: "sha256:0".into(),
        origin: None,
        settings: String::new(),
    };
    ledger.position(&whose).await.map_err(failed)?;
    let mut counts = Counts::default();
    let pages = members.div_ceil(PAGE);
    let before = of_server()?;
    for place in 0..pages {
        let began = cpu(Whose::Process);
        let page = page(place, members, generation);
        let marks = page.members.iter().map(|member| mark(&member.id)).collect();
        let admitted = Admitted { new: marks, again: Vec::new() };
        counts.members += u64::try_from(page.members.len())?;
        counts.pages += 1;
        let next = (place + 1 < pages).then(|| format!("cursor-{place}"));
        let mark = PageMark { number: place, next, counts, admitted, notes: Vec::new() };
        let made = cpu(Whose::Process);
        ledger.deliver(Delivery { page, again: Vec::new(), mark }).await.map_err(failed)?;
        cost.made += made - began;
        cost.pages += cpu(Whose::Process) - made;
    }
    let paged = of_server()?;
    cost.server_pages = paged - before;
    let began = cpu(Whose::Process);
    let report = RunReport {
        outcome: Outcome::Complete,
        counts,
        notes: Vec::new(),
        figures: Default::default(),
        resumed: false,
        shortfall: None,
        error: None,
    };
    ledger.conclude(Ending::Complete, &report).await.map_err(failed)?;
    cost.end = cpu(Whose::Process) - began;
    cost.server_end = of_server()? - paged;
    Ok(cost)
}

fn failed(error: DestinationError) -> anyhow::Error {
    match error {
        DestinationError::Failed(failure) => anyhow::anyhow!("{}", failure.message),
        DestinationError::Fenced => anyhow::anyhow!("fenced"),
    }
}

const PRODUCTS: [&str; 6] =
    ["jira-software", "confluence", "jira-servicedesk", "bitbucket", "trello", "statuspage"];

fn page(place: u64, members: u64, generation: u64) -> MemberPage {
    let first = place * PAGE;
    let last = (first + PAGE).min(members);
    MemberPage {
        products: PRODUCTS
            .iter()
            .map(|key| Product {
                key: (*key).into(),
                name: (*key).into(),
                site: Some("acme".into()),
            })
            .collect(),
        members: (first..last).map(|number| member(number, generation)).collect(),
        next: None,
        total: Some(members),
        notes: Vec::new(),
    }
}

/// A member whose id and name are spread over the alphabet, as those of people are.
fn member(number: u64, generation: u64) -> Member {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let changed = generation > 0 && number % 100 == 7;
    let day = 86_400 * (20_000 + if generation > 0 && number % 10 == 3 { 500 } else { 0 });
    let uses = (0..6_u32).filter(|product| mixed >> (8 * product) & 3 == 0 || *product == 0);
    Member {
        id: format!("712020:{mixed:016x}-{number:08x}"),
        email: Some(format!("person{number}@example.test")),
        name: format!("{mixed:013x} Person {number}{}", if changed { " (new)" } else { "" }),
        nickname: None,
        role: "Jira, Confluence".into(),
        // One in a thousand uses the last one alone.
        uses: uses
            .filter(|product| *product != 5 || number.is_multiple_of(1_000))
            .map(|product| ProductUse {
                product,
                last_active: Some(contract::Instant { seconds: day, nanoseconds: 0 }),
            })
            .collect(),
        last_seen: Some(contract::Instant {
            seconds: day - i64::try_from(mixed % 400).unwrap_or(0) * 86_400,
            nanoseconds: 0,
        }),
        status: Some(if number.is_multiple_of(50) {
            MemberStatus::Inactive
        } else {
            MemberStatus::Active
        }),
        kind: Some(if number.is_multiple_of(500) { MemberKind::App } else { MemberKind::Person }),
        affiliation: Some(if number.is_multiple_of(20) {
            Affiliation::External
        } else {
            Affiliation::Managed
        }),
        billable: Some(true),
        attributes: Vec::new(),
    }
}

fn filters() -> Vec<(&'static str, Filter)> {
    let text = |text: &str| Some(text.to_owned());
    vec![
        ("no filter", Filter::default()),
        ("a product", Filter { product: text("confluence"), ..Filter::default() }),
        ("a rare product", Filter { product: text("statuspage"), ..Filter::default() }),
        ("a status", Filter { status: text("inactive"), ..Filter::default() }),
        ("a kind", Filter { kind: text("app"), ..Filter::default() }),
        ("an affiliation", Filter { affiliation: text("external"), ..Filter::default() }),
        ("idle for 90 days", Filter { idle_days: Some(90), ..Filter::default() }),
        ("a part of many names", Filter { q: text("person 12"), ..Filter::default() }),
        ("a part of one name", Filter { q: text("person 4711 (new)"), ..Filter::default() }),
        ("a part of no name", Filter { q: text("no such name"), ..Filter::default() }),
    ]
}

/// The median time of a page with its total, over the first pages, and the time of the first count,
/// in milliseconds.
async fn list_with(store: &Store, filter: &Filter) -> Result<(f64, f64)> {
    let began = Instant::now();
    list::count(store, "c_bench", filter).await?;
    let first = began.elapsed();
    let (mut times, mut after) = (Vec::new(), None);
    for _ in 0..21 {
        let began = Instant::now();
        let page = list::page(store, "c_bench", filter, after.as_deref(), 100).await?;
        list::count(store, "c_bench", filter).await?;
        times.push(began.elapsed());
        after = page.next;
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok((median.as_secs_f64() * 1_000.0, first.as_secs_f64() * 1_000.0))
}

/// The part of a core that a thousand schedules take that are not due.
async fn at_rest() -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&Place::Folder(folder.path().into())).await?;
    for number in 0..1_000 {
        put(&store, &connection(&format!("c{number}"), Some(now() + HOUR + number))).await?;
    }
    let keys = Keys::open(&Source::File(folder.path().join("key")), &store).await?;
    let catalog = Catalog::new(store.clone(), Compiler::Inside, None, None)?;
    let all = Connections::new(store, keys, catalog, Vec::new())?;
    let (end, shutdown) = watch::channel(false);
    let duty = Duty { slots: 64, schedule: Some(730), engine: false };
    let running = tokio::spawn(scheduler::run(all, Wake::default(), duty, shutdown));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, began) = (cpu(Whose::Process), Instant::now());
    tokio::time::sleep(Duration::from_secs(10)).await;
    let share = (cpu(Whose::Process) - before) / began.elapsed().as_secs_f64();
    end.send_replace(true);
    running.await?.map_err(|problem: Problem| anyhow::anyhow!("{problem}"))?;
    Ok(share)
}
