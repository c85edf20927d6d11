//! The ledger as a destination: a page, its position and its figures are one transaction, which
//! compares epoch and page number. No row changed means that another process holds the run.

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
use sqlx::{Row as _, query};

use super::conclude;
use super::live::{Figures, Numbers};
use super::page::{self, Progress};
use super::staged;
use super::table::Claimed;
use crate::members::row::{self, Row};
use crate::problem::Problem;
use crate::store::Store;

/// The ledger of one run.
pub struct Ledger {
    store: Store,
    run: Claimed,
    figures: Arc<Figures>,
    notes: Vec<Note>,
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
        // Pages of another version, which had the run until now, cannot be gone on with.
        let sql = "SELECT provenance, notes, \
                   (SELECT count(*) FROM pages WHERE run = $1 \
                   AND (members IS NULL OR substr(members, 1, 1) <> $3)) AS other \
                   FROM runs WHERE id = $1 AND epoch = $2 AND state = 'open'";
        let row =
            query(sql).bind(self.run.id.clone()).bind(self.run.epoch).bind(vec![staged::FORMAT]);
        let row = row.fetch_optional(self.store.read()).await.map_err(lost)?;
        let Some(row) = row else { return Err(DestinationError::Fenced) };
        let provenance: Option<String> = row.try_get("provenance").map_err(lost)?;
        let notes: String = row.try_get("notes").map_err(lost)?;
        let other: i64 = row.try_get("other").map_err(lost)?;
        if provenance.as_ref() != Some(&whose) || other > 0 {
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
        let mut notes = self.notes.clone();
        notes.extend(mark.notes.iter().cloned());
        let progress = Progress {
            next: mark.next,
            counts: serde_json::to_string(&mark.counts).unwrap_or_default(),
            notes: serde_json::to_string(&notes).unwrap_or_default(),
            numbers: self.numbers(),
            marks: mark.admitted.to_bytes(),
        };
        if !page::commit(&self.store, &self.run, progress, &rows).await.map_err(lost)? {
            metrics::counter!("smp_commits_fenced_total").increment(1);
            return Err(DestinationError::Fenced);
        }
        self.run.page += 1;
        self.notes = notes;
        metrics::counter!("smp_pages_total").increment(1);
        metrics::counter!("smp_members_total").increment(u64::try_from(members).unwrap_or(0));
        metrics::histogram!("smp_page_commit_seconds").record(began.elapsed());
        Ok(())
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
