//! Where the pages of a collection go, and how far it is: the seam between the loop and a file, a
//! stream or a database.
//!
//! ```text
//! position ─▶ deliver ─▶ deliver ─▶ … ─▶ conclude
//!               ▲ └ restart ┘
//! ```
//! The loop ([`Session::collect_members`](crate::component::session::Session::collect_members))
//! asks for pages, guards and restarts them, judges whether the list is whole and finds out why
//! nobody came. A destination keeps what it is given and decides nothing: who writes one cannot
//! forget a judgement.
//!
//! For a database, `deliver` is one transaction: it holds the run's epoch and [`PageMark::number`]
//! against what it has, writes the members, and notes cursor, counts and marks. Where no row
//! changed, someone else holds the run: [`DestinationError::Fenced`]. Only [`Ending::Complete`]
//! says that who was not delivered is gone.

use super::guard::{Admitted, Counts, Seen};
use super::report::RunReport;
pub use crate::component::provenance::Provenance;
use crate::contract::{Member, MemberPage};
use crate::failure::{Code, Failure};
pub use crate::http::clock::BoxFuture;

/// A place for the members of a collection. As with a transport, the futures are boxed: a platform
/// that chooses its database at start has one type for all of them, and whether a collection may go
/// on on another thread shows where the destination is written. Next to a request, the box costs
/// nothing.
///
/// A future of it may be dropped before it is done, when the whole collection is. Then what it was
/// to do has happened or not, and `position` tells which. A stop does not drop one: it waits for
/// the page that is being delivered.
pub trait Destination: Send {
    /// Whether a later run can go on from what is kept here. If so, a run that may succeed later is
    /// stopped and not failed.
    fn resumable(&self) -> bool;

    /// Opens the destination for a collection of these members, and tells how far it is. Called
    /// once, before anything else.
    ///
    /// # Errors
    /// When it cannot be opened, or keeps another collection. Nothing else is called then.
    fn position<'a>(
        &'a mut self,
        whose: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>>;

    /// Keeps a page and its mark: both, or nothing.
    ///
    /// # Errors
    /// When it cannot. The run ends.
    fn deliver(&mut self, delivery: Delivery) -> BoxFuture<'_, Result<(), DestinationError>>;

    /// Notes that the service forgot the cursor, so that the second sweep begins at the first page,
    /// counting from these counts. Who was delivered stays delivered.
    ///
    /// # Errors
    /// When it cannot. The run ends.
    fn restart(&mut self, counts: Counts) -> BoxFuture<'_, Result<(), DestinationError>>;

    /// The run has ended. What came of it is in the report. Where [`Ending::Complete`] fails,
    /// another ending follows; otherwise it is called once. It gives a sentence on what it left
    /// behind, where an administrator must know it.
    ///
    /// # Errors
    /// When it cannot. Nothing but `Complete` comes to another end by that.
    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        report: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>>;
}

/// How far a destination is.
#[derive(Clone, Debug)]
pub enum Position {
    /// Pages are missing, or the judgement after the last one.
    Open(Delivered),
    /// An earlier run concluded this collection as complete, and was ended before it could say so.
    Complete(Counts),
}

/// What earlier runs delivered; by default, nothing.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    /// Where the next page begins; none at the first page.
    pub cursor: Option<String>,
    /// Whether the last page was delivered.
    pub done: bool,
    /// What was counted: those of the last page, or of the restart after it.
    pub counts: Counts,
    /// Who was delivered.
    pub seen: Seen,
}

/// A page that passed the guard.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The page, with the members that were not delivered before.
    pub page: MemberPage,
    /// In the second sweep, members that the first one delivered and that are there still, as they
    /// are now. Their uses are of the page's products. A file has them already; a database may
    /// update them.
    pub again: Vec<Member>,
    /// What to keep with it.
    pub mark: PageMark,
}

/// What is kept with a page, so that a later run goes on after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageMark {
    /// Pages that were delivered before this one, in both sweeps.
    pub number: u64,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
    /// What was counted, this page included.
    pub counts: Counts,
    /// Marks of the page's members and of those that came again, in their order. A database that
    /// keeps no other note of them stores [`Admitted::to_bytes`].
    pub admitted: Admitted,
}

/// How a run ended, as a destination needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The list is whole.
    Complete,
    /// All pages were delivered, and they are not the whole list. Nobody is known to be gone, and
    /// no run goes on from here.
    Incomplete,
    /// The next run goes on from here, with nothing changed.
    Stopped,
    /// The next run goes on from here, once somebody has changed what the failure names.
    Kept,
    /// There is no list. Going on would end in the same way: the next run begins at the first page.
    Over,
}

/// Why a destination did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationError {
    /// It cannot. Of a resumable destination, `output` says that the next run may go on, and stops
    /// this one.
    Failed(Failure),
    /// Someone else holds the run by now, and goes on with it. Nothing was changed, and nothing
    /// more is asked of the destination: the run ends as
    /// [`Outcome::Fenced`](super::report::Outcome::Fenced).
    Fenced,
}

impl From<Failure> for DestinationError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Delivered {
    /// Takes in what was kept with a page.
    pub fn page(&mut self, mark: &PageMark) {
        self.seen.page(&mark.admitted, mark.next.as_deref());
        self.cursor.clone_from(&mark.next);
        self.done = mark.next.is_none();
        self.counts = mark.counts;
    }

    /// Takes in a restart.
    pub fn restart(&mut self) {
        self.seen.restart();
        self.counts.restart();
        self.cursor = None;
        self.done = false;
    }
}

impl Ending {
    /// How a run ends that failed. `resumable` says whether its destination keeps how far it came.
    pub(super) fn of(failure: &Failure, resumable: bool) -> Self {
        match failure.code {
            Code::Incomplete => Self::Incomplete,
            _ if !resumable => Self::Over,
            // A second restart has failed: the next run needs a first sweep of its own.
            Code::CursorExpired => Self::Over,
            Code::RateLimited | Code::Upstream | Code::Busy | Code::Interrupted | Code::Output => {
                Self::Stopped
            }
            // A new key, or a wider limit, and it goes on.
            Code::Credentials | Code::Permission | Code::Limit => Self::Kept,
            _ => Self::Over,
        }
    }
}
