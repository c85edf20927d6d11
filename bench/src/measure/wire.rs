//! 20,000 members from the mock organization over loopback HTTP, with the command: a whole process,
//! from start to end.
//!
//! The mock computes its pages in this process, on the same processors. Its cost is reported too,
//! because it is part of the elapsed time.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use smp_tests::mock::{Builder, Mock};

use super::{Depth, MIB, float};
use crate::child::{self, Taken};
use crate::figure::{Figure, Kind};
use crate::meter::{Whose, cpu};
use crate::setup::{built, component};

const LATENCY: Duration = Duration::from_millis(50);
const KEY: &str = "BENCH_KEY";

/// Measures it.
///
/// # Errors
/// When the command fails.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    let members = depth.pick(2_000, 20_000);
    let mock = start(Mock::builder().members(members))?;
    collect(&mock, members)?;
    let (mut runs, mut mocks) = (vec![], vec![]);
    for _ in 0..depth.pick(3, 9) {
        let before = cpu(Whose::Process);
        runs.push(collect(&mock, members)?);
        mocks.push(cpu(Whose::Process) - before);
    }
    let each = |value: fn(&Taken) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let per_thousand = each(|run| run.cpu).iter().map(|cpu| cpu * 1e6 / float(members)).collect();
    let mut figures = vec![
        Figure::of(
            "wire.peak",
            "the same: most memory",
            "MiB",
            Kind::Memory,
            each(|run| float(run.peak) / MIB),
        )
        .at_most(40.0),
        Figure::of(
            "wire.cpu",
            "the same: processor time for a member, start of the process included",
            "µs",
            Kind::Cpu,
            per_thousand,
        ),
    ];
    if depth == Depth::Full {
        let name = "20,000 members over loopback HTTP, whole process: time that passes";
        figures.insert(
            0,
            Figure::of("wire.wall", name, "s", Kind::Wall, each(|run| run.wall)).at_most(0.5),
        );
        figures.push(Figure::of(
            "wire.mock",
            "processor time of the mock meanwhile",
            "s",
            Kind::Told,
            mocks,
        ));
        let waiting = start(Mock::builder().members(members).latency(LATENCY))?;
        let ideal = float(members / 100) * LATENCY.as_secs_f64();
        let ratios = (0..2)
            .map(|_| Ok(collect(&waiting, members)?.wall / ideal))
            .collect::<Result<Vec<_>>>()?;
        let name = "the same with 50 ms before each page: time that passes, against pages × 50 ms";
        figures.push(Figure::of("wire.latency", name, "", Kind::Wall, ratios).at_most(1.05));
    }
    Ok(figures)
}

fn start(mock: Builder) -> Result<Mock> {
    mock.page_size(100).seed(11).published_only().start().context("the mock does not start")
}

fn collect(mock: &Mock, members: u64) -> Result<Taken> {
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("members.ndjson");
    let mut command = at("collect", mock)?;
    command.args(["--rate", "off", "--output"]).arg(&output);
    let taken = child::alone(&command)?;
    let lines = std::fs::read(&output)?.iter().filter(|byte| **byte == b'\n').count();
    anyhow::ensure!(u64::try_from(lines)? == members, "{lines} of {members} members were written");
    Ok(taken)
}

/// The command with a mock as its service. Compiled code is cached beside the program.
///
/// # Errors
/// When it is not built.
pub fn at(name: &str, mock: &Mock) -> Result<Command> {
    let program = built("smp-harness")?;
    let mut command = Command::new(&program);
    command
        .env("XDG_CACHE_HOME", std::path::absolute(program.with_file_name("bench-cache"))?)
        .env(KEY, mock.key());
    command.arg(name).arg(component()).args(["--upstream", &mock.url()]);
    command.args([
        "--set",
        &format!("organization-id={}", mock.organization().id),
        "--secret",
        &format!("api-key=env:{KEY}"),
    ]);
    Ok(command)
}
