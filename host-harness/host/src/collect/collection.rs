//! The collection loop: requests page after page, of members or of usage, and ends with a complete
//! list or with the reason why there is none.
//!
//! ```text
//!                ┌──────────── next page ◀──────────┐
//! position ─▶ ask ─▶ page ─▶ guard ─▶ deliver ─▶ next? ─ no ─▶ members? ─ yes ─▶ whole? ─ yes ─▶ complete
//!              └ cursor expired, got further ─▶ ask from the beginning  └ no ─▶ validate ─▶ its finding
//! ```
//! Every other failure ends the run. What it keeps depends on whether the next run can resume: see
//! [`Ending`].

use std::pin::Pin;

use tracing::Instrument;

use super::destination::{
    Delivery, Destination, DestinationError, Ending, Listed, PageMark, Position,
};
use super::guard::{Admission, Counts, Guard};
use super::report::{Note, Outcome, RunReport};
use super::shortfall;
use crate::component::session::Session;
use crate::contract::UsagePage;
use crate::failure::{Code, Failure};
use crate::observer::Event;

/// A collection in progress.
struct Collection<'d, P: Listed> {
    session: Session,
    destination: &'d mut dyn Destination<P>,
    guard: Guard,
    /// The counts of the delivered pages. The guard is ahead of them while a page is being
    /// delivered.
    counts: Counts,
    /// What the connector noted on the pages that were delivered.
    notes: Vec<Note>,
    /// How many records the list lacks of the total, once it was judged.
    shortfall: Option<u64>,
    cursor: Option<String>,
    /// Whether the last page was delivered.
    done: bool,
    /// Whether an earlier run delivered pages.
    resumed: bool,
}

impl Session {
    /// Collects all members, page by page, until the list is complete, something fails or `stop` is
    /// ready. Connector, settings, limits and observer are those of the session.
    ///
    /// No member is delivered twice, and a list that lacks a member is never called complete,
    /// whatever the destination does, unless the options accept exactly that shortfall.
    pub fn collect_members(
        self,
        destination: &mut dyn Destination,
        stop: impl Future<Output = ()>,
    ) -> impl Future<Output = RunReport> {
        self.list(destination, stop)
    }

    /// Collects all entries of usage, as [`collect_members`](Self::collect_members) does members. A
    /// list without an entry is complete if the connector names the account and the service states
    /// no other total.
    pub fn collect_usage(
        self,
        destination: &mut dyn Destination<UsagePage>,
        stop: impl Future<Output = ()>,
    ) -> impl Future<Output = RunReport> {
        self.list(destination, stop)
    }

    /// Collects members or usage, by the type of the destination. The session was made for
    /// [`Listed::PURPOSE`].
    pub fn list<P: Listed>(
        self,
        destination: &mut dyn Destination<P>,
        stop: impl Future<Output = ()>,
    ) -> impl Future<Output = RunReport> {
        let guard = Guard::new(self.limits().of_guard()).listing::<P>();
        let span = self.events().span().clone();
        // On the heap, and at once: each future that takes a session holds a copy of it.
        let collection = Box::new(Collection {
            session: self,
            destination,
            guard,
            counts: Counts::default(),
            notes: Vec::new(),
            shortfall: None,
            cursor: None,
            done: false,
            resumed: false,
        });
        async move {
            let report = collection.run(std::pin::pin!(stop)).instrument(span.clone()).await;
            if let Some(failure) = &report.error {
                let (code, RunReport { counts: Counts { members, pages, .. }, .. }) =
                    (failure.code.as_str(), &report);
                tracing::info!(parent: &span, code, members, pages, "a collection ended without a complete list");
            }
            report
        }
    }
}

impl<P: Listed> Collection<'_, P> {
    async fn run(mut self: Box<Self>, mut stop: Pin<&mut impl Future<Output = ()>>) -> RunReport {
        match self.destination.position(self.session.provenance()).await {
            Ok(position) => {
                if self.is_complete(position) {
                    return self.report(Outcome::Complete, None);
                }
            }
            Err(DestinationError::Fenced) => return self.fenced(),
            Err(DestinationError::Failed(failure)) => {
                let ending = Ending::of(&failure, self.destination.resumable(), 0, false);
                return self.report(Outcome::of(ending), Some(failure));
            }
        }
        let result = match self.deliver(stop.as_mut()).await {
            Ok(()) => self.whole(stop).await.map_err(DestinationError::from),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => self.complete().await,
            Err(error) => self.end(error).await,
        }
    }

    /// Resumes at the position of an earlier run. Returns whether that run had completed the list.
    fn is_complete(&mut self, position: Position) -> bool {
        let complete = matches!(position, Position::Complete { .. });
        match position {
            Position::Complete { counts, notes } => {
                (self.counts, self.notes) = (counts, notes);
            }
            Position::Open(delivered) => {
                self.counts = delivered.counts;
                self.cursor = delivered.cursor;
                self.done = delivered.done;
                self.notes = delivered.notes;
                self.guard = Guard::resumed(
                    self.session.limits().of_guard(),
                    delivered.seen,
                    delivered.counts,
                )
                .listing::<P>();
            }
        }
        self.resumed = complete || self.counts.pages > 0;
        if self.resumed {
            self.session.go_on_after(self.counts.pages);
            self.tell(&Event::Resumed { members: self.counts.members, pages: self.counts.pages });
        }
        complete
    }

    /// Delivers page after page.
    async fn deliver(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), DestinationError> {
        while !self.done {
            let answer = tokio::select! {
                biased;
                () = stop.as_mut() => Err(interrupted()),
                answer = P::ask(&mut self.session, self.cursor.as_ref()) => answer,
            };
            match answer {
                Ok(page) => self.take(page).await?,
                Err(failure) if failure.code == Code::CursorExpired && self.cursor.is_none() => {
                    return Err(expired_without_cursor().into());
                }
                Err(failure) if failure.code == Code::CursorExpired && self.guard.may_restart() => {
                    let counts = self.guard.restart();
                    self.cursor = None;
                    self.destination.restart(counts).await?;
                    self.tell(&Event::Restarted);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(())
    }

    /// Passes one page through the guard and delivers it.
    async fn take(&mut self, mut page: P) -> Result<(), DestinationError> {
        let Admission { marks, again } = self
            .guard
            .admit(&mut page, self.cursor.as_deref())
            .map_err(|error| self.found(error))?;
        let (next, counts) = (page.next().map(str::to_owned), self.guard.counts());
        let notes = self.new_notes(&page)?;
        let mark = PageMark {
            number: self.counts.pages,
            next: next.clone(),
            counts,
            admitted: marks,
            notes: notes.clone(),
        };
        self.destination.deliver(Delivery { page, again, mark }).await?;
        self.counts = counts;
        self.notes.extend(notes);
        self.done = next.is_none();
        self.cursor = next;
        self.tell(&Event::Page {
            members: counts.members,
            total: counts.last_total,
            pages: counts.pages,
        });
        Ok(())
    }

    /// What a page notes that no page before it did. As many are kept as a list may have entries.
    fn new_notes(&self, page: &P) -> Result<Vec<Note>, Failure> {
        let mut notes: Vec<Note> = Vec::new();
        for note in page.notes().map(Note::from) {
            if !self.notes.contains(&note) && !notes.contains(&note) {
                notes.push(note);
            }
        }
        let most = self.session.limits().entries;
        if self.notes.len().saturating_add(notes.len()) > most {
            return Err(self.session.limits().reached(
                crate::limits::Bound::Entries,
                "the connector has more notes on one collection than it may".to_owned(),
            ));
        }
        Ok(notes)
    }

    /// Judges the list after its last page, and checks that all of the recorded traffic was used.
    async fn whole(&mut self, stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Failure> {
        if self.guard.has_no_member() {
            tokio::select! {
                biased;
                () = stop => return Err(interrupted()),
                empty = self.empty() => empty?,
            }
        }
        if let Err(found) = self.guard.judge() {
            self.shortfall = shortfall::missing(&found);
            let known = self.session.shortfall();
            self.notes.push(known.judge(found, self.session.limits())?);
        }
        self.session.finish()
    }

    /// Decides whether an empty list can count: never one of members; one of usage where the
    /// connector can name the account.
    async fn empty(&mut self) -> Result<(), Failure> {
        if P::MAY_BE_EMPTY {
            return self.session.connect().await.map(|_| ());
        }
        Err(self.why_no_member().await)
    }

    /// Asks the connector why an organization has no members.
    async fn why_no_member(&mut self) -> Failure {
        let report = match self.session.diagnose().await {
            Ok(report) => report,
            Err(failure) => return failure,
        };
        match report.failure() {
            Some(failure) => failure,
            None => Failure::new(
                Code::NoMembers,
                "the service answers with an empty list of members and no reason",
            )
            .with_hint(
                "Check at the service that the organization has members that its administrators \
                 manage, then collect again.",
            ),
        }
    }

    async fn complete(mut self: Box<Self>) -> RunReport {
        let report = self.report(Outcome::Complete, None);
        match self.destination.conclude(Ending::Complete, &report).await {
            Ok(_) => report,
            Err(error) => self.end(error).await,
        }
    }

    /// Ends a run that failed.
    async fn end(&mut self, error: DestinationError) -> RunReport {
        let DestinationError::Failed(mut failure) = error else { return self.fenced() };
        let resumable = self.destination.resumable();
        let ending = Ending::of(&failure, resumable, self.counts.pages, self.done);
        match ending {
            Ending::Stopped if failure.code == Code::Interrupted => {
                failure.hint =
                    Some("Run the same command again: it resumes where it stopped.".into());
            }
            // Something has to be corrected first, as for an answer that is too large.
            Ending::Kept | Ending::Stopped
                if ending == Ending::Kept
                    || (failure.code == Code::UnexpectedResponse && !failure.retryable()) =>
            {
                let hint = failure.hint.take().unwrap_or_default();
                failure.hint = Some(
                    format!("{hint} Then run the same command again: it resumes where it stopped.")
                        .trim()
                        .to_owned(),
                );
            }
            _ => {}
        }
        let mut report = self.report(Outcome::of(ending), Some(failure));
        let left = match self.destination.conclude(ending, &report).await {
            Ok(left) => left,
            Err(DestinationError::Failed(unsaid)) => {
                Some(format!("The end of the run could not be noted: {}.", unsaid.message))
            }
            Err(DestinationError::Fenced) => return self.fenced(),
        };
        if let (Some(left), Some(failure)) = (left, &mut report.error) {
            let hint = failure.hint.take().unwrap_or_default();
            failure.hint = Some(format!("{left} {hint}").trim().to_owned());
        }
        report
    }

    /// Ends a run that another process continues. The destination no longer belongs to this run.
    fn fenced(&self) -> RunReport {
        let failure =
            Failure::new(Code::Interrupted, "another process has taken this collection over")
                .with_hint(
                    "Nothing needs to be done: it continues there, with everything that was \
                     delivered here.",
                );
        self.report(Outcome::Fenced, Some(failure))
    }

    fn report(&self, outcome: Outcome, error: Option<Failure>) -> RunReport {
        RunReport {
            outcome,
            counts: self.counts,
            notes: self.notes.clone(),
            shortfall: self.shortfall,
            figures: self.session.figures(),
            resumed: self.resumed,
            error,
        }
    }

    fn found(&self, error: smp_guard::Error) -> Failure {
        self.session.limits().found(error)
    }

    fn tell(&self, event: &Event<'_>) {
        self.session.events().tell(event);
    }
}

impl Outcome {
    fn of(ending: Ending) -> Self {
        match ending {
            Ending::Complete => Self::Complete,
            Ending::Stopped => Self::Stopped,
            Ending::Incomplete | Ending::Kept | Ending::Over => Self::Failed,
        }
    }
}

/// The failure of a connector that calls a cursor expired when it was given none.
fn expired_without_cursor() -> Failure {
    Failure::new(
        Code::Contract,
        "the connector broke its contract: it calls a cursor expired in answer to a request for \
         the first page, which has none",
    )
    .with_hint("Report it to the publisher of the connector; nothing is wrong with your settings.")
}

fn interrupted() -> Failure {
    Failure::new(Code::Interrupted, "the run was stopped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_may_go_on_on_another_thread() {
        fn spawned<T: Send>(_: T) {}
        let _compiles: fn(Session, &'static mut dyn Destination) = |session, destination| {
            spawned(session.collect_members(destination, std::future::pending()))
        };
    }
}
