//! Whole runs written into the ledger of the platform, as a run of a service would write them.

use anyhow::{Context, Result};
use smp_host::collect::destination::{
    Delivery, Destination, DestinationError, Ending, PageMark, Provenance,
};
use smp_host::collect::guard::{Admitted, Counts, mark};
use smp_host::collect::report::{Outcome, RunReport};
use smp_host::contract::{
    self, Affiliation, Member, MemberKind, MemberPage, MemberStatus, Product, ProductUse,
};
use smp_platform::clock::now;
use smp_platform::runs::claims::{self, Worker};
use smp_platform::runs::ledger::Ledger;
use smp_platform::runs::table;
use smp_platform::store::Store;
use smp_platform::store::connections::{self, Connection};

use crate::many;
use crate::meter::{Whose, cpu};

/// Members of a page, as the service has them.
pub const PAGE: u64 = 100;

/// A connection that is due then.
#[must_use]
pub fn connection(id: &str, next_due: Option<i64>) -> Connection {
    Connection {
        name: id.to_owned(),
        account: id.to_owned(),
        account_name: "Bench".to_owned(),
        next_due,
        ..Connection::new(id, "bench", "bench", "sha256:0")
    }
}

/// Stores it with its tenant.
///
/// # Errors
/// If the store fails.
pub async fn put(store: &Store, connection: &Connection) -> Result<()> {
    let mut writing = store.write().await?;
    connections::tenant(&mut writing, &connection.tenant).await?;
    connections::insert(&mut writing, connection).await?;
    writing.commit().await?;
    Ok(())
}

/// Processor seconds of a whole run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Of this process, for the pages.
    pub pages: f64,
    /// For the end of the run.
    pub end: f64,
    /// Of the server, for the pages.
    pub server_pages: f64,
    /// For the end of the run.
    pub server_end: f64,
    /// Of this process, for making the pages.
    pub made: f64,
}

/// Commits a whole run, the first of the connection or, with generation 1, the second.
///
/// # Errors
/// If the ledger fails.
pub async fn commit(
    store: &Store,
    members: u64,
    generation: u64,
    server: Option<u32>,
) -> Result<Cost> {
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
