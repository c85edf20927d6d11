//! The interface between the collection loop and the place of what it lists, members or usage: a
//! file, a stream or a database. It takes pages, and knows the position.
//!
//! ```text
//! position ─▶ deliver ─▶ deliver ─▶ … ─▶ conclude
//!               ▲ └ restart ┘
//! ```
//! The loop ([`Session::collect_members`](crate::component::session::Session::collect_members))
//! requests pages, guards and restarts them, judges whether the list is complete, and diagnoses an
//! empty one. A destination only stores: it decides nothing, so its author cannot forget a
//! judgement.
//!
//! For a database, `deliver` is one transaction: it compares the run's epoch and
//! [`PageMark::number`] with the stored ones, writes the members, and stores cursor, counts and
//! marks. If no row changed, another process holds the run: [`DestinationError::Fenced`]. Only
//! after [`Ending::Complete`] may a member that was not delivered be treated as gone.

use smp_guard::records::Page;

use super::guard::{Admitted, Counts, Seen};
use super::report::{Note, RunReport};
pub use crate::component::provenance::Provenance;
use crate::component::session::Session;
use crate::contract::{MemberPage, UsagePage};
use crate::failure::{Code, Failure};
use crate::http::base::Purpose;
pub use crate::http::clock::BoxFuture;
use crate::records;
use crate::remedy::Remedy;

/// What a collection lists, page by page. Members and usage pass the same loop, guard and
/// judgement.
pub trait Listed: Page<Record: Send> + Sized + Send + 'static {
    /// Whether an empty list can be the whole one. An organization has members, whatever a service
    /// answers.
    const MAY_BE_EMPTY: bool;

    /// What a run that lists it is for.
    const PURPOSE: Purpose;

    /// About how long its rows are, in bytes.
    fn length(&self) -> usize;

    /// Requests a page.
    ///
    /// # Errors
    /// The connector's failure, or the host's.
    fn ask(
        session: &mut Session,
        cursor: Option<&String>,
    ) -> impl Future<Output = Result<Self, Failure>> + Send;
}

impl Listed for MemberPage {
    const MAY_BE_EMPTY: bool = false;
    const PURPOSE: Purpose = Purpose::Members;

    fn length(&self) -> usize {
        records::length_of_members(self)
    }

    async fn ask(session: &mut Session, cursor: Option<&String>) -> Result<Self, Failure> {
        session.collect(cursor).await
    }
}

impl Listed for UsagePage {
    const MAY_BE_EMPTY: bool = true;
    const PURPOSE: Purpose = Purpose::Usage;

    fn length(&self) -> usize {
        records::length_of_usage(self)
    }

    async fn ask(session: &mut Session, cursor: Option<&String>) -> Result<Self, Failure> {
        session.usage_page(cursor).await
    }
}

/// A place for the members of a collection, or for its usage. As with a transport, the futures are
/// boxed: a platform that chooses its database at start has one type for all of them, and the
/// compiler reports at the implementation if a collection cannot move to another thread. Compared
/// with a request, the box costs nothing.
///
/// A future may be dropped before it is done, together with the whole collection. Its work has then
/// happened or not, and `position` says which. A stop drops none: it waits for the page that is
/// being delivered.
pub trait Destination<P: Listed = MemberPage>: Send {
    /// Whether a later run can resume from what is kept here. If so, a run that may succeed later
    /// is stopped instead of failed.
    fn resumable(&self) -> bool;

    /// Opens the destination for a collection from this provenance, and returns its position. It is
    /// called once, before anything else.
    ///
    /// # Errors
    /// If it cannot be opened, or keeps another collection. Nothing else is called then.
    fn position<'a>(
        &'a mut self,
        whose: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>>;

    /// Stores a page and its mark: both, or nothing.
    ///
    /// # Errors
    /// If it cannot. The run ends.
    fn deliver(&mut self, delivery: Delivery<P>) -> BoxFuture<'_, Result<(), DestinationError>>;

    /// Notes that the service forgot the cursor: another sweep begins at the first page, with these
    /// counts. Delivered members stay delivered.
    ///
    /// # Errors
    /// If it cannot. The run ends.
    fn restart(&mut self, counts: Counts) -> BoxFuture<'_, Result<(), DestinationError>>;

    /// Ends the run, with its report. If [`Ending::Complete`] fails, it is called again with
    /// another ending; otherwise it is called once. It may return a sentence for the administrator
    /// about what it kept.
    ///
    /// # Errors
    /// If it cannot. Only for `Complete` does this change the ending.
    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        report: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>>;
}

/// The position of a destination.
#[derive(Clone, Debug)]
pub enum Position {
    /// Pages are missing, or the judgement after the last page.
    Open(Delivered),
    /// An earlier run concluded this collection as complete, and was ended before it could say so.
    Complete {
        /// What was counted.
        counts: Counts,
        /// What the connector noted.
        notes: Vec<Note>,
    },
}

/// The deliveries of earlier runs; by default, none.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    /// Where the next page begins; `None` at the first page.
    pub cursor: Option<String>,
    /// Whether the last page was delivered.
    pub done: bool,
    /// The counts with the last page, or with the restart after it.
    pub counts: Counts,
    /// The members that were delivered.
    pub seen: Seen,
    /// What the connector noted.
    pub notes: Vec<Note>,
}

/// A page that passed the guard.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery<P: Page = MemberPage> {
    /// The page, with only the records that were not delivered before.
    pub page: P,
    /// In a further sweep, the records that an earlier one delivered and that still exist, with
    /// their present values. The uses of members refer to the page's products. A file has them
    /// already; a database may update them.
    pub again: Vec<P::Record>,
    /// The mark to store with it.
    pub mark: PageMark,
}

/// What is stored with a page, so that a later run can resume after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageMark {
    /// Number of pages delivered before this one, in all sweeps.
    pub number: u64,
    /// Where the next page begins; `None` after the last page.
    pub next: Option<String>,
    /// The counts, including this page.
    pub counts: Counts,
    /// Marks of the page's members and of those that came again, in their order. A database that
    /// has no other record of them stores [`Admitted::to_bytes`].
    pub admitted: Admitted,
    /// What the connector noted on it, and on no page before.
    pub notes: Vec<Note>,
}

/// The ending of a run, as a destination needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The list is complete.
    Complete,
    /// All pages were delivered, and they are not the complete list. No member may be treated as
    /// gone, and no run resumes from here.
    Incomplete,
    /// The next run resumes from here, with nothing changed.
    Stopped,
    /// The next run resumes from here, once somebody has corrected what the failure names.
    Kept,
    /// There is no list. Resuming would end the same way: the next run begins at the first page.
    Over,
}

/// Why a destination did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationError {
    /// It cannot. For a resumable destination, `output` means that the next run may resume, and
    /// stops this one.
    Failed(Failure),
    /// Another process holds the run now, and continues it. Nothing was changed, and the
    /// destination is not called again: the run ends as
    /// [`Outcome::Fenced`](super::report::Outcome::Fenced).
    Fenced,
}

impl From<Failure> for DestinationError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Delivered {
    /// Adds the stored mark of a page.
    pub fn page(&mut self, mark: &PageMark) {
        self.seen.page(&mark.admitted, mark.next.as_deref());
        self.cursor.clone_from(&mark.next);
        self.done = mark.next.is_none();
        self.counts = mark.counts;
        self.notes.extend_from_slice(&mark.notes);
    }

    /// Adds a restart.
    pub fn restart(&mut self) {
        self.seen.restart();
        self.counts.restart();
        self.cursor = None;
        self.done = false;
    }
}

impl Ending {
    /// The ending of a failed run. `resumable` says whether its destination keeps the position,
    /// `pages` how many it has, and `done` whether the last of them is among those.
    pub(super) fn of(failure: &Failure, resumable: bool, pages: u64, done: bool) -> Self {
        match failure.code {
            Code::Incomplete if done => Self::Incomplete,
            _ if !resumable => Self::Over,
            // A sweep got no further than those before: the next run needs a new first one.
            Code::CursorExpired => Self::Over,
            Code::RateLimited | Code::Upstream | Code::Busy | Code::Interrupted | Code::Output => {
                Self::Stopped
            }
            // An unexpected answer, after pages that came. It may pass, and no page has
            // to be collected again; an answer about another account never does.
            Code::UnexpectedResponse | Code::Incomplete if pages > 0 => match *failure.remedy {
                Remedy::CorrectSetting { .. } => Self::Over,
                _ => Self::Stopped,
            },
            // With a new key, or a higher limit, it can resume.
            Code::Credentials | Code::Permission | Code::Limit => Self::Kept,
            // With what the failure names, such as a grant or a range of addresses.
            Code::Denied | Code::Other if pages > 0 => match *failure.remedy {
                Remedy::ReportConnector => Self::Over,
                _ => Self::Kept,
            },
            _ => Self::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_run_keeps_is_decided_by_its_failure_and_its_pages() {
        use Ending::{Incomplete, Kept, Over, Stopped};
        let usual = |code: Code| Failure::new(code, "x");
        let with = |code, remedy| usual(code).with_remedy(remedy);
        let raise = Remedy::RaiseLimit { limit: "response", to: None };
        let setting = Remedy::CorrectSetting { setting: None };
        let grant = Remedy::Grant { method: "POST", path: "/x".into() };
        let range = Remedy::AllowRange { range: "198.18.0.0/15".into() };
        let unexpected = |remedy| with(Code::UnexpectedResponse, remedy);
        for (failure, at_first, with_pages) in [
            (usual(Code::RateLimited), Stopped, Stopped),
            (usual(Code::Upstream), Stopped, Stopped),
            (usual(Code::Interrupted), Stopped, Stopped),
            (usual(Code::Output), Stopped, Stopped),
            (unexpected(Remedy::later()), Over, Stopped),
            (unexpected(Remedy::ComeBackOrReport), Over, Stopped),
            (unexpected(raise), Over, Stopped),
            (unexpected(setting), Over, Over),
            (usual(Code::Incomplete), Over, Stopped),
            (usual(Code::Credentials), Kept, Kept),
            (usual(Code::Permission), Kept, Kept),
            (usual(Code::Limit), Kept, Kept),
            (with(Code::Denied, grant), Over, Kept),
            (with(Code::Denied, range), Over, Kept),
            (usual(Code::Denied), Over, Over),
            (usual(Code::Other), Over, Kept),
            (usual(Code::NotFound), Over, Over),
            (usual(Code::CursorExpired), Over, Over),
            (usual(Code::Contract), Over, Over),
            (usual(Code::Trap), Over, Over),
            (usual(Code::Fixture), Over, Over),
        ] {
            let of = |resumable, pages| Ending::of(&failure, resumable, pages, false);
            let found = (of(true, 0), of(true, 3), of(false, 3));
            assert_eq!(found, (at_first, with_pages, Over), "{failure:?}");
        }
        assert_eq!(Ending::of(&usual(Code::Incomplete), true, 3, true), Incomplete);
    }
}
