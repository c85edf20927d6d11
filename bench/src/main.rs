//! `smp-bench`: measures everything and prints one table. With `BLESS=1` it stores the figures, for
//! comparison with later runs.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use smp_bench::measure::{ALL, Depth, instructions, million, tenants};
use smp_bench::plot::PLOTS;
use smp_bench::results::{Change, Results, YARDSTICK};
use smp_bench::table::{Versus, group_of, table};
use smp_bench::{child, document, meter, setup};

#[derive(Debug, Parser)]
#[command(about = "Measures the connector and its host")]
struct Arguments {
    #[command(subcommand)]
    work: Option<Work>,
    /// Measure only a little, for a first impression.
    #[arg(long)]
    quick: bool,
    /// Measure only these groups: `path`, `wire` and so on, the first parts of keys.
    #[arg(long, value_name = "GROUP")]
    only: Vec<String>,
    /// Also write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Work of this program in separate processes.
#[derive(Debug, Subcommand)]
#[command(hide = true)]
enum Work {
    Alone {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<String>,
    },
    Collect {
        members: u64,
        times: u32,
    },
    Tenants {
        tenants: u32,
        pages: u64,
        per_page: u64,
        latency_ms: u64,
        times: u32,
    },
    Waiting {
        tenants: u32,
    },
    Through {
        pages: u64,
    },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let result = match &arguments.work {
        None => return measure(&arguments).map(|()| ExitCode::SUCCESS),
        Some(Work::Alone { program }) => serde_json::to_string(&child::wait_for(program)?)?,
        Some(Work::Collect { members, times }) => {
            serde_json::to_string(&million::collect(*members, *times)?)?
        }
        Some(Work::Tenants { tenants, pages, per_page, latency_ms, times }) => {
            serde_json::to_string(&tenants::serve(
                *tenants,
                *pages,
                *per_page,
                *latency_ms,
                *times,
            )?)?
        }
        Some(Work::Through { pages }) => serde_json::to_string(&instructions::through(*pages)?)?,
        Some(Work::Waiting { tenants }) => serde_json::to_string(&tenants::wait(*tenants)?)?,
    };
    print(&result)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(arguments: &Arguments) -> Result<()> {
    let depth = if arguments.quick { Depth::Quick } else { Depth::Full };
    let before = meter::load();
    let mut figures = Vec::new();
    for (group, what, measure) in ALL {
        // Without the yardstick nothing can be compared.
        let is_wanted = arguments.only.is_empty()
            || arguments.only.iter().any(|only| only == group)
            || group == group_of(YARDSTICK);
        if is_wanted {
            say(&format!("measuring {what} …"))?;
            figures.extend(measure(depth)?);
        }
    }
    let results = Results {
        component: Some(setup::component_digest()?),
        cores: meter::cores(),
        load: [before, meter::load()],
        figures,
    };
    let folder = setup::folder();
    let kept = folder.join("results.json");
    let last = Results::read(&kept).ok();
    print(table(&results, &[], last.as_ref().map_or(Versus::Nothing, Versus::Last)).trim_end())?;
    conclude(&results, last.as_ref())?;
    if let Some(path) = &arguments.json {
        results.write(path)?;
    }
    if std::env::var_os("BLESS").is_some() {
        anyhow::ensure!(
            depth == Depth::Full && arguments.only.is_empty(),
            "only a full run is kept: neither `--quick` nor `--only`"
        );
        results.write(&kept)?;
        let kept = Results::read(&kept)?;
        let docs = folder.join("../docs");
        for (name, plot) in PLOTS {
            std::fs::write(docs.join(name), plot.draw(&kept).unwrap_or_default())?;
        }
        let page = docs.join("PERFORMANCE.md");
        std::fs::write(&page, document::filled(&std::fs::read_to_string(&page)?, &kept))?;
        say("kept as bench/results.json, in docs/PERFORMANCE.md and in its plots")?;
    }
    Ok(())
}

/// Summarizes the table in a few lines.
fn conclude(results: &Results, last: Option<&Results>) -> Result<()> {
    let [before, after] = results.load;
    say(&format!(
        "load of the machine: {before:.2} before, {after:.2} in the last minute, on {} cores",
        results.cores
    ))?;
    if results.figure(instructions::KEY).is_none() {
        say("instructions were not counted: valgrind is not installed")?;
    }
    for figure in results.figures.iter().filter(|figure| figure.met() == Some(false)) {
        say(&format!("target not met: {}", figure.name))?;
    }
    for figure in &results.figures {
        if let Some(Change::Worse(by)) = last.map(|last| results.change(figure, last)) {
            say(&format!(
                "worse than the last one kept by {:.0} %: {}",
                by.abs() * 100.0,
                figure.name
            ))?;
        }
    }
    Ok(())
}

fn print(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "{text}")?)
}
