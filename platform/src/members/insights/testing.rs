//! Made-up copies for the tests of the modules beside.

use super::look::{Choice, Order};
use super::snapshot::{Compact, Snapshot};
use crate::clock::DAY;

/// The instant from which days are counted.
pub(super) const AT: i64 = 1_800_000_000_000;

/// Everyone, by name.
pub(super) fn choice() -> Choice {
    Choice {
        q: None,
        product: None,
        with: None,
        seen: None,
        idle_days: None,
        status: None,
        kind: None,
        affiliation: None,
        domain: None,
        billable: None,
        gone: false,
        days: [30, 60, 90],
        at: AT,
        order: Order::Name,
    }
}

/// Members whose ages in days are these; each third has a second product.
pub(super) fn snapshot(ages: &[Option<i64>]) -> Snapshot {
    let mut snapshot = Snapshot::empty("c", 1);
    let (active, domain) =
        (snapshot.words.place("active".into()), snapshot.words.place("acme.test".into()));
    let jira = snapshot.products.place(("jira-software".into(), "Jira".into(), None));
    let trello = snapshot.products.place(("trello".into(), "Trello".into(), None));
    for (number, age) in ages.iter().enumerate() {
        let mut uses = vec![(jira, None)];
        if number.is_multiple_of(3) {
            uses.push((trello, None));
        }
        snapshot.members.push(Compact {
            id: format!("id{number}").into(),
            search: format!("person {number}\nperson{number}@acme.test").into(),
            status: active,
            kind: 0,
            affiliation: 0,
            domain,
            billable: Some(number.is_multiple_of(2)),
            last_seen: age.map(|age| AT - age * DAY),
            first_seen: 0,
            present: true,
            uses: uses.into(),
        });
    }
    snapshot.finish();
    snapshot
}
