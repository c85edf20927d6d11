//! What the platform costs: pages committed to its ledger, lists of a large organization, tenants
//! that run, and a schedule at rest. `bench-platform [MEMBERS]` prints a table and fails beyond
//! three times a target, so that a busy machine fails nothing and a mistake in the order of
//! magnitude does.
//!
//! The same pages are measured on a PostgreSQL server, if it is installed, with 100,000 members at
//! most. `bench-platform --postgres` measures these alone, runs in 1, 2 and 4 worker processes, without
//! an engine and with Temporal, if that is installed, and how a worker's memory grows. With `BLESS=1`
//! it draws that.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use smp_bench::figure::{self, Kind};
use smp_bench::ledger::{Cost, PAGE, commit, connection, put};
use smp_bench::meter::{Whose, cpu, peak, resident};
use smp_bench::plot::WORKERS;
use smp_bench::results::Results;
use smp_bench::{many, running};
use smp_host::component::compile::Compiler;
use smp_platform::catalog::Catalog;
use smp_platform::clock::{HOUR, now};
use smp_platform::connections::Connections;
use smp_platform::keys::{Keys, Source};
use smp_platform::members::list::{self, Filter};
use smp_platform::members::search;
use smp_platform::problem::Problem;
use smp_platform::runs::scheduler::{self, Duty, Wake};
use smp_platform::store::{Place, Store};
use smp_tests::postgres::Cluster;
use tokio::sync::watch;

/// Tenants that run at once.
const TENANTS: usize = 32;
/// Members of a run on a PostgreSQL server.
const MOST_ON_SERVER: u64 = 100_000;
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

/// Pages of a PostgreSQL server, and worker processes with their memory.
async fn measure_server() -> Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    let mut figures = on_server(MOST_ON_SERVER, &mut output).await?;
    if figures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
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
    let grown = many::growth()?;
    for (tenants, memory) in &grown {
        figures.push(Figure(
            format!("memory of a worker in which {tenants} tenants run"),
            number(*memory) / 1_048_576.0,
            "MiB",
            None,
        ));
    }
    if std::env::var_os("BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(WORKERS.0);
        std::fs::write(path, plot_of(&grown).context("nothing was measured")?)?;
    }
    show(&mut output, &figures)
}

/// The plot of a worker's memory.
fn plot_of(grown: &[(usize, u64)]) -> Option<String> {
    let of = |(tenants, memory): &(usize, u64)| {
        let key = format!("{}{tenants}", WORKERS.1.prefix);
        let memory = number(*memory) / 1_048_576.0;
        figure::Figure::of(&key, WORKERS.1.title, "MiB", Kind::Memory, vec![memory])
    };
    let figures = grown.iter().map(of).collect();
    WORKERS.1.draw(&Results { component: None, cores: 0, load: [0.0; 2], figures })
}

/// What pages and runs of so many members cost in a PostgreSQL server; nothing where there is none.
async fn on_server(members: u64, output: &mut impl Write) -> Result<Vec<Figure>> {
    let Some(cluster) = Cluster::start() else {
        writeln!(output, "skipped: PostgreSQL is not installed")?;
        return Ok(Vec::new());
    };
    let store = Store::open(&Place::Server(cluster.url())).await?;
    put(&store, &connection("c_bench", None)).await?;
    let server = cluster.process().context("no server")?;
    let first = commit(&store, members, 0, Some(server)).await?;
    let size = "SELECT pg_total_relation_size('members')";
    let size = number(cluster.sql(size).parse()?) / number(members);
    let again = commit(&store, members, 1, Some(server)).await?;
    store.close().await;
    let page = |seconds: f64| seconds / number(members.div_ceil(PAGE)) * 1_000.0;
    let sum = |cost: &Cost| cost.pages + cost.server_pages + cost.end + cost.server_end;
    let whole = Some(target_of_a_run(members));
    let figure = |name: &str, value, unit, target| {
        Figure(format!("PostgreSQL: {name}"), value, unit, target)
    };
    Ok(vec![
        figure(
            "processor time of a page commit of 100 members, worker and database",
            page(first.pages + first.server_pages),
            "ms",
            Some(1.0),
        ),
        figure("of it, in the database", page(first.server_pages), "ms", None),
        figure(
            &format!("processor time to store {members} members, worker and database"),
            sum(&first),
            "s",
            whole,
        ),
        figure("of it, the end of the run, worker", first.end, "s", None),
        figure("of it, the end of the run, database", first.server_end, "s", None),
        figure("a member in the database, with its indexes", size, "B", None),
        figure(
            "a page commit in a run in which 1 of 100 changed and 1 of 10 was active",
            page(again.pages + again.server_pages),
            "ms",
            None,
        ),
        figure("of it, in the database", page(again.server_pages), "ms", None),
        figure("processor time of that run, worker and database", sum(&again), "s", whole),
        figure("of it, the end of the run, worker", again.end, "s", None),
        figure("of it, the end of the run, database", again.server_end, "s", None),
    ])
}

/// Processor seconds in which a run of so many members is stored, of a million 60.
fn target_of_a_run(members: u64) -> f64 {
    60.0 * (number(members) / 1_000_000.0).max(0.1)
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
    let whole = Some(target_of_a_run(members));
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
    figures.extend(on_server(members.min(MOST_ON_SERVER), &mut output).await?);
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
