//! Instructions for a page, counted by valgrind: of the native core, and of the whole path through
//! the component to host records. They are the same, or nearly so, whatever else the machine does.

use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{Depth, float};
use crate::figure::{Figure, Kind};
use crate::pages::{Pages, USUAL};
use crate::setup::{Replayed, Setup, built, runtime};

/// Key of the figure of the core.
pub const KEY: &str = "instructions.native";

/// Pages of the two runs. The difference between the runs excludes the start of the process.
const PAGES: [u64; 2] = [10, 30];

/// Counts them. Without valgrind there is no figure.
///
/// # Errors
/// If a counted program fails.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(vec![]);
    }
    let [few, many] = PAGES;
    let counts = |program: &[&str]| {
        // Valgrind emulates another processor, for which the component may have to be compiled.
        count(program, 1)?;
        let times = 0..depth.pick(1, 3);
        times
            .map(|_| Ok((count(program, many)? - count(program, few)?) / float(many - few)))
            .collect::<Result<Vec<_>>>()
    };
    let (native, component) = (counts(&["parse-pages"])?, counts(&["smp-bench", "through"])?);
    Ok(vec![
        Figure::of(
            KEY,
            "Instructions for a page of 100: the core, natively",
            "",
            Kind::Exact,
            native,
        ),
        Figure::of(
            "instructions.component",
            "the same: through the component to host records",
            "",
            Kind::Exact,
            component,
        ),
    ])
}

/// The counted work: reads this many pages through the component, and returns the number of
/// members.
///
/// # Errors
/// If the run fails.
pub fn through(pages: u64) -> Result<usize> {
    let (pages, runtime) = (Arc::new(Pages::new(pages, USUAL)), runtime()?);
    runtime.block_on(async { Setup::set(None).await?.read_all(Replayed::at_once(&pages)).await })
}

fn count(program: &[&str], pages: u64) -> Result<f64> {
    let (name, arguments) = program.split_first().context("no program")?;
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(built(name)?)
        .args(arguments)
        .arg(pages.to_string());
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed: {text}");
    let told = text
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .map(|(_, number)| number.trim());
    told.and_then(|number| number.parse().ok()).context("valgrind tells no count")
}
