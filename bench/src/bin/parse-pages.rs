//! Reads pages with the connector's core, compiled natively, and does nothing else, for tools that
//! count instructions: `parse-pages NUMBER`.

use anyhow::{Context, Result, ensure};
use smp_bench::native;
use smp_bench::pages::{Pages, USUAL};

fn main() -> Result<()> {
    let number = std::env::args().nth(1).context("how many pages?")?.parse()?;
    let pages = Pages::new(number, USUAL);
    ensure!(
        u64::try_from(native::read_all(&pages)?)? == pages.members(),
        "the core misses members"
    );
    Ok(())
}
