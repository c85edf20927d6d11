//! The ledger as a destination: a page, its position and its figures are one transaction, which
//! compares epoch and page number. No row changed means that another process holds the run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use smp_host::collect::destination::{
    BoxFuture, Delivered, Delivery, Destination, DestinationError, Ending, PageMark, Position,
    Provenance,
};
use smp_host::collect::guard::{Admitted, Counts};
use smp_host::collect::report::{Note, RunReport};
use smp_host::contract::MemberPage;
use smp_host::failure::{Code, Failure};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, Row as _, query};

use super::conclude;
use super::live::{Figures, Numbers};
use super::table::Claimed;
use crate::members::NOW;
use crate::members::row::{self, Row};
use crate::problem::Problem;
use crate::store::{Store, Writing};

/// The ledger of one run.
pub struct Ledger {
    store: Store,
    run: Claimed,
    figures: Arc<Figures>,
    notes: Vec<Note>,
}

/// A member as it was after the last whole run.
struct Known {
    present: bool,
    hash: Vec<u8>,
    core: Vec<u8>,
}

type Kept<'a, T> = BoxFuture<'a, Result<T, DestinationError>>;

/// A fault of the database stops the run; it goes on when the database works again.
pub(super) fn lost(problem: impl Into<Problem>) -> DestinationError {
    DestinationError::Failed(unwritten(problem.into()))
}

/// The failure of a run that the database did not serve.
pub(super) fn unwritten(problem: Problem) -> Failure {
    let failure = Failure::new(Code::Output, problem.detail);
    match problem.hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

impl Ledger {
    /// The ledger of a claimed run.
    #[must_use]
    pub fn new(store: Store, run: Claimed, figures: Arc<Figures>) -> Self {
        Self { store, run, figures, notes: Vec::new() }
    }

    /// The figures of the run, over all processes.
    fn numbers(&self) -> Numbers {
        let (run, now) = (&self.run, self.figures.now());
        Numbers {
            requests: run.requests.saturating_add(now.requests),
            retries: run.retries.saturating_add(now.retries),
            waited_ms: run.waited_ms.saturating_add(now.waited_ms),
            bytes: run.bytes.saturating_add(now.bytes),
        }
    }

    async fn open(&mut self, whose: &Provenance) -> Result<Position, DestinationError> {
        let whose = serde_json::to_string(whose)
            .map_err(|error| lost(Problem::broken(error.to_string())))?;
        let sql =
            "SELECT provenance, notes FROM runs WHERE id = $1 AND epoch = $2 AND state = 'open'";
        let row = query(sql).bind(self.run.id.clone()).bind(self.run.epoch);
        let row = row.fetch_optional(self.store.read()).await.map_err(lost)?;
        let Some(row) = row else { return Err(DestinationError::Fenced) };
        let provenance: Option<String> = row.try_get("provenance").map_err(lost)?;
        let notes: String = row.try_get("notes").map_err(lost)?;
        if provenance.as_ref() != Some(&whose) {
            self.begin(&whose).await?;
            return Ok(Position::Open(Delivered::default()));
        }
        let sql = "SELECT page, next, marks, restarted FROM pages WHERE run = $1 ORDER BY page";
        let rows = query(sql).bind(self.run.id.clone()).fetch_all(self.store.read()).await;
        let mut delivered = Delivered::default();
        for row in rows.map_err(lost)? {
            let marks: Vec<u8> = row.try_get("marks").map_err(lost)?;
            let page: i64 = row.try_get("page").map_err(lost)?;
            let mark = PageMark {
                number: u64::try_from(page).unwrap_or_default(),
                next: row.try_get("next").map_err(lost)?,
                counts: Counts::default(),
                admitted: Admitted::from_bytes(&marks).unwrap_or_default(),
                notes: Vec::new(),
            };
            delivered.page(&mark);
            if row.try_get::<i64, _>("restarted").map_err(lost)? != 0 {
                delivered.restart();
            }
        }
        delivered.counts = self.counts().await?;
        delivered.notes = serde_json::from_str(&notes).unwrap_or_default();
        self.notes.clone_from(&delivered.notes);
        Ok(Position::Open(delivered))
    }

    async fn counts(&self) -> Result<Counts, DestinationError> {
        let row = query("SELECT counts FROM runs WHERE id = $1").bind(self.run.id.clone());
        let row = row.fetch_one(self.store.read()).await.map_err(lost)?;
        let counts: String = row.try_get("counts").map_err(lost)?;
        serde_json::from_str(&counts)
            .map_err(|_| lost(Problem::broken("the counts of the run cannot be read")))
    }

    /// Begins at the first page: what was delivered came of other settings or another build.
    async fn begin(&mut self, whose: &str) -> Result<(), DestinationError> {
        let mut writing = self.store.write().await.map_err(lost)?;
        let sql = "UPDATE runs SET provenance = $3, page = 0, sweep = 0, cursor = NULL, done = \
                   0, counts = $4, notes = '[]' \
                   WHERE id = $1 AND epoch = $2 AND state = 'open'";
        let counts = serde_json::to_string(&Counts::default()).unwrap_or_default();
        let done = query(sql)
            .bind(self.run.id.clone())
            .bind(self.run.epoch)
            .bind(whose.to_owned())
            .bind(counts)
            .execute(&mut *writing)
            .await
            .map_err(lost)?;
        if done.rows_affected() == 0 {
            return Err(DestinationError::Fenced);
        }
        conclude::drop_staged(&mut writing, &self.run.id).await.map_err(lost)?;
        writing.commit().await.map_err(lost)?;
        (self.run.page, self.run.sweep) = (0, 0);
        Ok(())
    }

    async fn page(&mut self, delivery: Delivery) -> Result<(), DestinationError> {
        let began = Instant::now();
        let Delivery { page, again, mark } = delivery;
        let members = page.members.len();
        let rows = rows(page, again)?;
        // Only the run of a connection that is open changes its members: this may be read before.
        let known = self.known(&rows).await?;
        let mut notes = self.notes.clone();
        notes.extend(mark.notes.iter().cloned());
        let numbers = self.numbers();
        let mut writing = self.store.write().await.map_err(lost)?;
        let sql = "UPDATE runs SET page = page + 1, cursor = $4, done = $5, counts = $6, notes = \
                   $7, requests = $8, retries = $9, waited_ms = $10, bytes = $11, attempts = 0 \
                   WHERE id = $1 AND epoch = $2 AND page = $3 AND state = 'open'";
        let done = query(sql)
            .bind(self.run.id.clone())
            .bind(self.run.epoch)
            .bind(self.run.page)
            .bind(mark.next.clone())
            .bind(i64::from(mark.next.is_none()))
            .bind(serde_json::to_string(&mark.counts).unwrap_or_default())
            .bind(serde_json::to_string(&notes).unwrap_or_default())
            .bind(numbers.requests)
            .bind(numbers.retries)
            .bind(numbers.waited_ms)
            .bind(numbers.bytes)
            .execute(&mut *writing)
            .await
            .map_err(lost)?;
        if done.rows_affected() == 0 {
            metrics::counter!("smp_commits_fenced_total").increment(1);
            return Err(DestinationError::Fenced);
        }
        query("INSERT INTO pages (run, page, next, marks, restarted) VALUES ($1, $2, $3, $4, 0)")
            .bind(self.run.id.clone())
            .bind(self.run.page)
            .bind(mark.next)
            .bind(mark.admitted.to_bytes())
            .execute(&mut *writing)
            .await
            .map_err(lost)?;
        self.stage(&mut writing, rows, &known).await?;
        writing.commit().await.map_err(lost)?;
        self.run.page += 1;
        self.notes = notes;
        metrics::counter!("smp_pages_total").increment(1);
        metrics::counter!("smp_members_total").increment(u64::try_from(members).unwrap_or(0));
        metrics::histogram!("smp_page_commit_seconds").record(began.elapsed());
        Ok(())
    }

    /// The members of these rows, as they were after the last whole run.
    async fn known(&self, rows: &[Row]) -> Result<HashMap<String, Known>, DestinationError> {
        let mut known = HashMap::new();
        if self.run.seq <= 1 {
            // There is no member yet. A server would keep the plan of a query of an empty table.
            return Ok(known);
        }
        for some in rows.chunks(MOST_IDS) {
            let places: Vec<String> =
                (3..some.len() + 3).map(|place| format!("${place}")).collect();
            // The plus keeps SQLite from reading the whole list, which is in another index.
            let sql = format!(
                "SELECT id, present, hash, core FROM members \
                 WHERE connection = $1 AND +until = $2 AND id IN ({})",
                places.join(", ")
            );
            let mut find =
                query(sqlx::AssertSqlSafe(sql)).bind(self.run.connection.clone()).bind(NOW);
            for row in some {
                find = find.bind(row.id.clone());
            }
            for row in find.fetch_all(self.store.read()).await.map_err(lost)? {
                let present: i64 = row.try_get("present").map_err(lost)?;
                let member = Known {
                    present: present != 0,
                    hash: row.try_get("hash").map_err(lost)?,
                    core: row.try_get("core").map_err(lost)?,
                };
                known.insert(row.try_get("id").map_err(lost)?, member);
            }
        }
        Ok(known)
    }

    /// Stages the members of a page: of those that did not change, the id alone.
    async fn stage(
        &self,
        writing: &mut Writing,
        rows: Vec<Row>,
        known: &HashMap<String, Known>,
    ) -> Result<(), DestinationError> {
        const COLUMNS: usize = 14;
        let (run, sweep) = (self.run.id.clone(), self.run.sweep);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let most = if self.store.is_shared() { MOST_ROWS_OF_SERVER } else { MOST_ROWS };
            let some: Vec<Row> = rows.by_ref().take(most).collect();
            let mut sql = String::from(
                "INSERT INTO staged (run, id, sweep, what, hash, core, record, sort, search, \
                 status, kind, affiliation, last_seen, uses) \
                 VALUES ",
            );
            for row in 0..some.len() {
                sql.push_str(if row == 0 { "(" } else { ", (" });
                for column in 1..=COLUMNS {
                    let comma = if column == 1 { "" } else { ", " };
                    sql.push_str(&format!("{comma}${}", row * COLUMNS + column));
                }
                sql.push(')');
            }
            let mut stage = query(sqlx::AssertSqlSafe(sql));
            for row in some {
                let what = what(known.get(&row.id), &row);
                stage = bound(stage.bind(run.clone()), row, sweep, what);
            }
            stage.execute(&mut **writing).await.map_err(lost)?;
        }
        Ok(())
    }
}

/// Ids of one query: both databases permit at least 32,766 parameters.
const MOST_IDS: usize = 500;
/// Rows of one statement. SQLite finds a parameter by looking through those before it.
const MOST_ROWS: usize = 10;
/// The same where each statement is a way to a server: those of a page.
const MOST_ROWS_OF_SERVER: usize = 100;

/// What becomes of a member if the run is whole. `None` if nothing does.
fn what(known: Option<&Known>, row: &Row) -> Option<&'static str> {
    match known {
        None => Some("appeared"),
        Some(known) if !known.present => Some("returned"),
        Some(known) if known.core != row.core => Some("changed"),
        Some(known) if known.hash != row.hash => Some("seen"),
        Some(_) => None,
    }
}

fn bound<'q>(
    stage: Query<'q, Any, AnyArguments>,
    row: Row,
    sweep: i64,
    what: Option<&'static str>,
) -> Query<'q, Any, AnyArguments> {
    let stage = stage.bind(row.id).bind(sweep).bind(what.map(str::to_owned));
    if what.is_none() {
        let (none, number) = (None::<String>, None::<i64>);
        return stage
            .bind(None::<Vec<u8>>)
            .bind(None::<Vec<u8>>)
            .bind(none.clone())
            .bind(none.clone())
            .bind(none.clone())
            .bind(none.clone())
            .bind(none.clone())
            .bind(none.clone())
            .bind(number)
            .bind(none);
    }
    stage
        .bind(Some(row.hash))
        .bind(Some(row.core))
        .bind(Some(row.record))
        .bind(Some(row.sort))
        .bind(Some(row.search))
        .bind(row.status)
        .bind(row.kind)
        .bind(row.affiliation)
        .bind(row.last_seen)
        .bind(Some(row.uses))
}

/// The members of a page, those that came again included.
fn rows(
    mut page: MemberPage,
    again: Vec<smp_host::contract::Member>,
) -> Result<Vec<Row>, DestinationError> {
    page.members.extend(again);
    row::of(&page).map_err(lost)
}

impl Destination for Ledger {
    fn resumable(&self) -> bool {
        true
    }

    fn position<'a>(&'a mut self, whose: &'a Provenance) -> Kept<'a, Position> {
        Box::pin(self.open(whose))
    }

    fn deliver(&mut self, delivery: Delivery) -> Kept<'_, ()> {
        Box::pin(self.page(delivery))
    }

    fn restart(&mut self, counts: Counts) -> Kept<'_, ()> {
        Box::pin(async move {
            let mut writing = self.store.write().await.map_err(lost)?;
            let sql = "UPDATE runs SET sweep = sweep + 1, cursor = NULL, done = 0, counts = $4 \
                       WHERE id = $1 AND epoch = $2 AND page = $3 AND state = 'open'";
            let done = query(sql)
                .bind(self.run.id.clone())
                .bind(self.run.epoch)
                .bind(self.run.page)
                .bind(serde_json::to_string(&counts).unwrap_or_default())
                .execute(&mut *writing)
                .await
                .map_err(lost)?;
            if done.rows_affected() == 0 {
                return Err(DestinationError::Fenced);
            }
            query("UPDATE pages SET restarted = 1 WHERE run = $1 AND page = $2")
                .bind(self.run.id.clone())
                .bind(self.run.page - 1)
                .execute(&mut *writing)
                .await
                .map_err(lost)?;
            writing.commit().await.map_err(lost)?;
            self.run.sweep += 1;
            Ok(())
        })
    }

    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        report: &'a RunReport,
    ) -> Kept<'a, Option<String>> {
        Box::pin(async move {
            let numbers = self.numbers();
            conclude::conclude(&self.store, &self.run, ending, report, numbers).await?;
            Ok(None)
        })
    }
}
