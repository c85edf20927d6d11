//! What whole runs make of the members, in parts of three.

use smp_host::collect::guard::mark;
use smp_host::collect::report::Outcome;
use smp_host::contract::Member;

use super::*;
use crate::members::list::{self, Filter};
use crate::members::search;
use crate::runs::claims::{self, Worker};
use crate::runs::table;
use crate::store::{Place, connections};

/// A run that goes on.
struct Going {
    store: Store,
    ledger: Ledger,
    pages: u64,
}

fn whose() -> Provenance {
    Provenance {
        connector: "sample".into(),
        version: "1.0.0".into(),
        component: "sha256:0".into(),
        origin: None,
        settings: String::new(),
    }
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
        assert!(ledger.position(&whose()).await.is_ok());
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
async fn a_run_with_pages_of_an_earlier_version_begins_again() {
    let (_folder, store) = store().await;
    let mut run = Going::begin(&store).await;
    run.page("one", &["a"], &[]).await;
    run.page("one", &["b"], &[]).await;
    let mut writing = store.write().await.unwrap();
    let sql = "UPDATE pages SET members = NULL WHERE page = 0";
    query(sql).execute(&mut *writing).await.unwrap();
    writing.commit().await.unwrap();
    let mut next = Going::begin_of(&run);
    let position = next.ledger.position(&whose()).await;
    assert!(matches!(position, Ok(Position::Open(delivered)) if delivered.cursor.is_none()));
    assert_eq!(number(&store, "SELECT count(*) FROM pages").await, 0);
    next.pages = 0;
    next.page("one", &["c"], &[]).await;
    assert_eq!(next.end().await, ["c appeared"]);
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

/// Who is sought, and whether the index found them.
async fn sought(store: &Store, filter: &Filter) -> (String, bool) {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = list::page(store, "c", filter, after.as_deref(), 2).await.unwrap();
        ids.extend(page.members.into_iter().map(|member| member.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let total = list::count(store, "c", filter).await.unwrap();
    assert_eq!(total, i64::try_from(ids.len()).unwrap(), "{filter:?}");
    let plan = list::plan(store, "c", filter).await.unwrap();
    let by_number = plan.iter().any(|step| step.contains("INTEGER PRIMARY KEY"));
    (ids.join(" "), by_number)
}

fn named(part: &str) -> Filter {
    Filter { q: Some(part.into()), ..Filter::default() }
}

#[tokio::test]
async fn who_is_sought_is_found_without_reading_the_list() {
    let (_folder, store) = store().await;
    let mut run = Going::begin(&store).await;
    run.page("Zoë", &["a1", "b1"], &[]).await;
    run.page("Jane", &["c1", "d1", "e2"], &[]).await;
    run.end().await;
    let mut run = Going::begin(&store).await;
    run.page("Ärger", &["a1"], &[]).await;
    run.page("Jane", &["c1", "e2", "f1"], &[]).await;
    assert_eq!(run.end().await, ["a1 changed", "b1 gone", "d1 gone", "f1 appeared"]);
    // Until they are added, the list is read.
    assert_eq!(sought(&store, &named("e e2")).await, ("e2".into(), false));
    search::catch_up(&store).await.unwrap();
    let gone = |part: &str| Filter { gone: true, ..named(part) };
    let cases = [
        (named("ÄRGER"), "a1"),
        (named("ger a1"), "a1"),
        (named("Zoë"), ""),
        (named("Jane"), "c1 e2 f1"),
        (named("e e2"), "e2"),
        (named("nobody"), ""),
        (named("100%"), ""),
        (gone("zoë"), "b1"),
        (gone("e d1"), "d1"),
        (Filter { status: Some("inactive".into()), ..named("jane") }, ""),
    ];
    for (filter, expected) in &cases {
        assert_eq!(sought(&store, filter).await, ((*expected).into(), true), "{filter:?}");
    }
    // Few letters, and more than are looked at one by one: the list is read.
    assert_eq!(sought(&store, &named("1")).await, ("c1 f1 a1".into(), false));
    // A list as of an earlier run is read too.
    let first = list::At { seq: 1, started: 0 };
    let earlier = Filter { at: Some(first), ..named("zoë") };
    assert_eq!(sought(&store, &earlier).await, ("a1 b1".into(), false));

    // A run that changes nobody leaves nobody to add, and one that does leaves those alone.
    let mut run = Going::begin(&store).await;
    run.page("Ärger", &["a1"], &[]).await;
    run.page("Jane", &["c1", "e2", "f1"], &[]).await;
    assert_eq!(run.end().await, <[&str; 0]>::default());
    let mut run = Going::begin(&store).await;
    run.page("Ärger", &["a1"], &[]).await;
    run.page("Jane", &["c1", "e2"], &[]).await;
    run.page("Zoë", &["f1"], &[]).await;
    assert_eq!(sought(&store, &named("e e2")).await, ("e2".into(), true));
    assert_eq!(run.end().await, ["f1 changed"]);
    let number = number(&store, "SELECT sum(up_to - after) FROM unsearched").await;
    assert_eq!(number, 1);
    search::catch_up(&store).await.unwrap();
    assert_eq!(sought(&store, &named("zoë f")).await, ("f1".into(), true));
    assert_eq!(sought(&store, &named("jane f")).await, (String::new(), true));
}

#[tokio::test]
async fn words_of_a_deleted_connection_are_cleared_out_of_the_index() {
    let (folder, store) = store().await;
    // What a later run changes is in a part of its own.
    for name in ["Zoë Quux", "Zoë Quux Waldo"] {
        let mut run = Going::begin(&store).await;
        run.page(name, &["a1", "b1"], &[]).await;
        run.end().await;
        search::catch_up(&store).await.unwrap();
    }
    // Every word begins with the connection; a part of the index has it in its first one.
    let words = search::Words::new("c").of("quux", "");
    let connection = &words.as_bytes()[..6];
    let kept = || {
        let bytes = std::fs::read(folder.path().join("platform.db")).unwrap();
        bytes.windows(6).any(|part| part == connection)
    };
    store.forget().await.unwrap();
    assert!(kept());
    let mut writing = store.write().await.unwrap();
    connections::delete(&mut writing, "c").await.unwrap();
    writing.commit().await.unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM members_found").await, 0);
    let mut steps = 0;
    while search::step(&store).await.unwrap() {
        steps += 1;
        assert!(steps < 100, "it comes to an end");
    }
    assert!(steps > 0);
    assert!(!kept());
}
