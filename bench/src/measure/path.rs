//! Pages of 100 members with three products each, from memory to host records: through the
//! component, and through the same core compiled for this machine. The two alternate, so that other
//! load on the machine affects both.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::{Depth, float};
use crate::figure::{Figure, Kind};
use crate::meter::cpu_of;
use crate::native;
use crate::pages::{Pages, USUAL};
use crate::results::YARDSTICK;
use crate::setup::{Replayed, Setup, runtime};

/// Pages of one turn: enough to make the time for instantiating negligible.
const PAGES: u64 = 200;

/// Measures it.
///
/// # Errors
/// When one of the two does not read all members.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    let pages = Arc::new(Pages::new(PAGES, USUAL));
    let runtime = runtime()?;
    let stage = runtime.block_on(Setup::set(None))?;
    let (mut native, mut component, mut ratio, mut whole) = (vec![], vec![], vec![], vec![]);
    for turn in 0..=depth.pick(5, 25) {
        let (read, core) = cpu_of(|| native::read_all(&pages));
        let (through, guest) =
            cpu_of(|| runtime.block_on(stage.read_all(Replayed::at_once(&pages))));
        let (collected, all) =
            cpu_of(|| runtime.block_on(stage.collect(Replayed::at_once(&pages), std::io::sink())));
        ensure!(
            read? == through? && collected?.counts.members == pages.members(),
            "the two do not read the same"
        );
        // The first turn warms up.
        if turn > 0 {
            native.push(core * 1e6 / float(PAGES));
            component.push(guest * 1e6 / float(PAGES));
            ratio.push(core / guest);
            whole.push(all * 1e6 / float(PAGES));
        }
    }
    let per_second = component.iter().map(|time| float(USUAL) * 1e6 / time).collect();
    Ok(vec![
        Figure::of(
            "path.ratio",
            "Through the component to host records, against its core natively",
            "",
            Kind::Ratio,
            ratio,
        ),
        Figure::of(YARDSTICK, "A page in the core, natively", "µs", Kind::Told, native),
        Figure::of("path.component", "A page through the component", "µs", Kind::Cpu, component),
        Figure::of(
            "path.whole",
            "A page of a whole collection, to ndjson in memory",
            "µs",
            Kind::Cpu,
            whole,
        ),
        Figure::of(
            "path.members",
            "Members through the component",
            "a second",
            Kind::Told,
            per_second,
        ),
    ])
}
