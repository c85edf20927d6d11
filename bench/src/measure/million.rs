//! A million members over replayed pages, to ndjson in a file: a whole collection in a separate
//! process.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Depth, MIB, float};
use crate::child;
use crate::figure::{Figure, Kind};
use crate::meter::{Whose, cpu, peak, wall_of};
use crate::pages::{Pages, USUAL};
use crate::setup::{Replayed, Setup, runtime};

const MEMBERS: u64 = 1_000_000;
/// Members of the small collection, whose memory is compared with that of a large one.
const FEW: u64 = 2_000;
/// Permitted memory of a collection in MiB, without the guard's memory for each member.
const FLAT: f64 = 40.0;
/// Stated maximum of the guard's memory for a member, in bytes of the whole process.
const GUARD: f64 = 57.0;

/// The cost of collecting.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Collected {
    /// Processor time of a collection, in seconds.
    pub cpu: f64,
    /// Elapsed time, in seconds.
    pub wall: f64,
    /// Peak memory of the process, in bytes.
    pub peak: u64,
    /// Members written.
    pub members: u64,
}

/// Measures it.
///
/// # Errors
/// When a collection fails.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    if depth == Depth::Quick {
        return Ok(vec![]);
    }
    let few = again(FEW, 1)?;
    let runs = (0..3).map(|_| again(MEMBERS, 1)).collect::<Result<Vec<_>>>()?;
    let each = |value: fn(&Collected) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let per_member = runs
        .iter()
        .map(|run| float(run.peak.saturating_sub(few.peak)) / float(MEMBERS - FEW))
        .collect();
    Ok(vec![
        Figure::of(
            "million.cpu",
            "1,000,000 members to ndjson in a file: processor time",
            "s",
            Kind::Cpu,
            each(|run| run.cpu),
        )
        .at_most(5.0),
        Figure::of(
            "million.wall",
            "the same: time that passes",
            "s",
            Kind::Told,
            each(|run| run.wall),
        ),
        Figure::of(
            "million.peak",
            "the same: most memory, with what the guard keeps",
            "MiB",
            Kind::Memory,
            each(|run| float(run.peak) / MIB),
        )
        .at_most(FLAT + float(MEMBERS) * GUARD / MIB),
        Figure::of(
            "million.few",
            "most memory with 2,000 members",
            "MiB",
            Kind::Memory,
            vec![float(few.peak) / MIB],
        )
        .at_most(FLAT),
        Figure::of(
            "million.guard",
            "what each further member takes",
            "bytes",
            Kind::Memory,
            per_member,
        )
        .at_most(GUARD),
    ])
}

/// Collects in a separate process, several times.
///
/// # Errors
/// If a collection fails.
pub fn again(members: u64, times: u32) -> Result<Collected> {
    child::again(&["collect", &members.to_string(), &times.to_string()])
}

/// The work of the separate process.
///
/// # Errors
/// If a collection fails.
pub fn collect(members: u64, times: u32) -> Result<Collected> {
    let pages = Arc::new(Pages::new(members / USUAL, USUAL));
    let folder = tempfile::tempdir()?;
    let runtime = runtime()?;
    let stage = runtime.block_on(Setup::set(None))?;
    let before = cpu(Whose::Process);
    let (written, wall) = wall_of(|| {
        (0..times).try_fold(0, |written, time| {
            let path = folder.path().join(format!("members-{time}.ndjson"));
            let report = runtime.block_on(stage.collect_to(Replayed::at_once(&pages), &path))?;
            std::fs::remove_file(path)?;
            Ok::<_, anyhow::Error>(written + report.counts.members)
        })
    });
    let time = cpu(Whose::Process) - before;
    let times = f64::from(times);
    Ok(Collected { cpu: time / times, wall: wall / times, peak: peak(), members: written? })
}
