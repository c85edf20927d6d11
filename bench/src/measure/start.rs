//! The time from the start of a process to the answer of `validate`, with a service on loopback:
//! with compiled code from the cache, and the first time, when the connector is compiled in a
//! separate process.

use anyhow::Result;
use smp_tests::mock::Mock;

use super::Depth;
use super::wire::at;
use crate::child;
use crate::figure::{Figure, Kind};

/// Measures it.
///
/// # Errors
/// When the command fails.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    let mock = Mock::builder().members(250).seed(11).start()?;
    let validate = || Ok::<_, anyhow::Error>(child::alone(&at("validate", &mock)?)?.wall * 1e3);
    validate()?;
    let cached = (0..depth.pick(5, 25)).map(|_| validate()).collect::<Result<Vec<_>>>()?;
    let first = (0..depth.pick(2, 7)).map(|_| {
        let empty = tempfile::tempdir()?;
        let mut command = at("validate", &mock)?;
        command.env("XDG_CACHE_HOME", empty.path());
        Ok(child::alone(&command)?.wall * 1e3)
    });
    Ok(vec![
        Figure::of(
            "start.cached",
            "Start of a process to `validate` answered, compiled code cached",
            "ms",
            Kind::Wall,
            cached,
        )
        .at_most(50.0),
        Figure::of(
            "start.first",
            "the same the first time ever, compiling",
            "ms",
            Kind::Wall,
            first.collect::<Result<_>>()?,
        )
        .at_most(150.0),
    ])
}
