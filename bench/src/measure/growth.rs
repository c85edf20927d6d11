//! The cost of a member in small and large organizations, and of a tenant among few and many.

use anyhow::Result;

use super::million::again;
use super::tenants::at_once;
use super::{Depth, float};
use crate::figure::{Figure, Kind};
use crate::table::number;

/// Sizes of organizations, how often each is collected in one process, and in how many processes.
const ORGANIZATIONS: [(u64, u32, u32); 4] =
    [(1_000, 20, 5), (10_000, 5, 5), (100_000, 1, 5), (1_000_000, 1, 3)];
/// Numbers of tenants, and how often each is served in one process.
const TENANTS: [(u32, u32); 5] = [(1, 100), (10, 20), (100, 5), (1_000, 2), (10_000, 2)];

/// Measures it.
///
/// # Errors
/// When a collection fails.
pub fn measure(depth: Depth) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if depth == Depth::Quick {
        return Ok(figures);
    }
    for (members, times, processes) in ORGANIZATIONS {
        let costs = (0..processes)
            .map(|_| Ok(again(members, times)?.cpu * 1e6 / float(members)))
            .collect::<Result<_>>()?;
        let name = format!("A member of {}: processor time", number(float(members)));
        figures.push(Figure::of(
            &format!("growth.members.{members}"),
            &name,
            "µs",
            Kind::Cpu,
            costs,
        ));
    }
    for (tenants, times) in TENANTS {
        let costs = (0..5)
            .map(|_| Ok(at_once(tenants, 2, 10, 5, times)?.cpu * 1e6 / f64::from(tenants)))
            .collect::<Result<_>>()?;
        let name = format!(
            "A tenant of {}, with two pages of 10 members: processor time",
            number(f64::from(tenants))
        );
        figures.push(Figure::of(
            &format!("growth.tenants.{tenants}"),
            &name,
            "µs",
            Kind::Cpu,
            costs,
        ));
    }
    Ok(figures)
}
