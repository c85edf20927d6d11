//! What whole runs make of the members, in parts of three.

use smp_host::collect::guard::mark;
use smp_host::collect::report::Outcome;
use smp_host::contract::Member;

use super::*;
use crate::runs::claims::{self, Worker};
use crate::runs::table;
use crate::store::{Place, connections};

/// A run that goes on.
struct Going {
    store: Store,
    ledger: Ledger,
    pages: u64,
}

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
    let mut writing = store.write().await.unwrap();
    connections::insert(&mut writing, &connections::sample("c", "acme")).await.unwrap();
    writing.commit().await.unwrap();
    (folder, store)
}

fn members(ids: &[&str], name: &str) -> Vec<Member> {
    let member = |id: &&str| Member {
        id: (*id).into(),
        email: None,
        name: format!("{name} {id}"),
        nickname: None,
        role: String::new(),
        uses: Vec::new(),
        last_seen: None,
        status: None,
        kind: None,
        affiliation: None,
        billable: None,
        attributes: Vec::new(),
    };
    ids.iter().map(member).collect()
}

impl Going {
    async fn begin(store: &Store) -> Self {
        let due = number(store, "SELECT count(*) FROM runs").await;
        let mut writing = store.write().await.unwrap();
        let id = table::ask(&mut writing, "c", due, true).await.unwrap();
        writing.commit().await.unwrap();
        let worker = Worker { id: "here".into(), lease: None };
        let run = claims::claim(store, &id, &worker).await.unwrap().unwrap();
        let mut ledger = Ledger::new(store.clone(), run, Arc::default());
        let whose = Provenance {
            connector: "sample".into(),
            version: "1.0.0".into(),
            component: "sha256:0".into(),
            origin: None,
            settings: String::new(),
        };
        assert!(ledger.position(&whose).await.is_ok());
        Self { store: store.clone(), ledger, pages: 0 }
    }

    async fn page(&mut self, name: &str, new: &[&str], again: &[&str]) {
        let marks = |ids: &[&str]| ids.iter().map(|id| mark(id)).collect();
        let mark = PageMark {
            number: self.pages,
            next: Some(format!("after {}", self.pages)),
            counts: Counts::default(),
            admitted: Admitted { new: marks(new), again: marks(again) },
            notes: Vec::new(),
        };
        let page = MemberPage {
            products: Vec::new(),
            members: members(new, name),
            next: None,
            total: None,
            notes: Vec::new(),
        };
        let delivery = Delivery { page, again: members(again, name), mark };
        assert!(self.ledger.deliver(delivery).await.is_ok());
        self.pages += 1;
    }

    async fn end(mut self) -> Vec<String> {
        let report = RunReport {
            outcome: Outcome::Complete,
            counts: Counts::default(),
            notes: Vec::new(),
            figures: Default::default(),
            resumed: false,
            shortfall: None,
            error: None,
        };
        assert!(self.ledger.conclude(Ending::Complete, &report).await.is_ok());
        let sql = "SELECT id, what, since, first_seen FROM members WHERE since = \
                   (SELECT complete FROM connections) ORDER BY id";
        let rows = query(sql).fetch_all(self.store.read()).await.unwrap();
        let line = |row: &sqlx::any::AnyRow| {
            format!("{} {}", row.get::<String, _>("id"), row.get::<String, _>("what"))
        };
        rows.iter().map(line).collect()
    }
}

async fn number(store: &Store, sql: &'static str) -> i64 {
    query(sql).fetch_one(store.read()).await.unwrap().get(0)
}

const THERE: &str =
    "SELECT count(*) FROM members WHERE until = 9223372036854775807 AND present = 1";

#[tokio::test]
async fn members_appear_change_go_and_return_in_any_order_of_pages() {
    let (_folder, store) = store().await;
    let mut run = Going::begin(&store).await;
    for page in [["g", "b"], ["a", "f"], ["e", "h"], ["d", "c"]] {
        run.page("one", &page, &[]).await;
    }
    let appeared: Vec<String> = "abcdefgh".chars().map(|id| format!("{id} appeared")).collect();
    assert_eq!(run.end().await, appeared);

    let mut run = Going::begin(&store).await;
    run.page("one", &["h", "i"], &[]).await;
    run.page("two", &["a", "b", "c", "d", "j"], &[]).await;
    assert_eq!(
        run.end().await,
        [
            "a changed",
            "b changed",
            "c changed",
            "d changed",
            "e gone",
            "f gone",
            "g gone",
            "i appeared",
            "j appeared"
        ]
    );
    assert_eq!(number(&store, THERE).await, 7);

    let mut run = Going::begin(&store).await;
    run.page("two", &["a", "b", "c", "d"], &[]).await;
    run.page("one", &["e", "h", "i", "j"], &[]).await;
    assert_eq!(run.end().await, ["e returned", "j changed"]);
    assert_eq!(number(&store, THERE).await, 8);
    assert_eq!(number(&store, "SELECT count(*) FROM pages").await, 0);
    let twice = "SELECT count(*) FROM (SELECT 1 FROM members \
                 WHERE until = 9223372036854775807 GROUP BY id HAVING count(*) > 1) AS twice";
    assert_eq!(number(&store, twice).await, 0);
}

#[tokio::test]
async fn the_last_sweep_alone_says_who_is_there() {
    let (_folder, store) = store().await;
    let mut run = Going::begin(&store).await;
    run.page("one", &["a", "b"], &[]).await;
    run.page("one", &["c"], &[]).await;
    run.end().await;

    let mut run = Going::begin(&store).await;
    run.page("one", &["a", "b"], &[]).await;
    run.page("two", &["d"], &[]).await;
    assert!(run.ledger.restart(Counts::default()).await.is_ok());
    run.page("three", &["c"], &["b"]).await;
    assert_eq!(run.end().await, ["a gone", "b changed", "c changed"]);
    assert_eq!(number(&store, THERE).await, 2);
}

#[tokio::test]
async fn a_page_that_is_not_the_next_one_is_refused_whole() {
    let (_folder, store) = store().await;
    let mut run = Going::begin(&store).await;
    run.page("one", &["a"], &[]).await;
    let mut stale = Going::begin_of(&run);
    run.page("one", &["b"], &[]).await;
    let mark = PageMark {
        number: 1,
        next: None,
        counts: Counts::default(),
        admitted: Admitted::default(),
        notes: Vec::new(),
    };
    let page = MemberPage {
        products: Vec::new(),
        members: members(&["x"], "one"),
        next: None,
        total: None,
        notes: Vec::new(),
    };
    let refused = stale.ledger.deliver(Delivery { page, again: Vec::new(), mark }).await;
    assert!(matches!(refused, Err(DestinationError::Fenced)));
    assert_eq!(number(&store, "SELECT count(*) FROM pages").await, 2);
}

impl Going {
    /// The same run in the hands of another process.
    fn begin_of(other: &Self) -> Self {
        let run = other.ledger.run.clone();
        let ledger = Ledger::new(other.store.clone(), run, Arc::default());
        Self { store: other.store.clone(), ledger, pages: other.pages }
    }
}
