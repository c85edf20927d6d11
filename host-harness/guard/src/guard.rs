//! The guard of one collection: it drops members that were delivered before, ends loops of pages,
//! and judges whether the list is complete. It does no I/O.
//!
//! A *sweep* is a way from the first page to the last. When the service forgets the cursor, another
//! sweep begins: members of those before are dropped as already written, and the last one alone
//! decides whether the list is complete. A third and further one begins only if the sweep before it
//! got further than all others.
//!
//! It keeps 16 bytes for each account id, never the id. In the hash set that takes 19 to 39 bytes
//! per member, and as much again during a second sweep. [`Bounds::members`] bounds their number.

use std::cell::Cell;
use std::collections::HashSet;

use crate::bounds::{Bound, Bounds};
use crate::error::Error;
pub use crate::mark::{Admitted, Mark, mark};
use crate::records::{Member, MemberKind, Page, Record};

/// Counts over the whole collection, across resumes. Destinations store them unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Members written, one row each.
    pub members: u64,
    /// The people among them: accounts that are not an app, a customer or of an unknown kind.
    pub people: u64,
    /// Pages read.
    pub pages: u64,
    /// Members dropped because they were written before.
    pub duplicates: u64,
    /// The first total that the service stated in this sweep and that what came since does not
    /// contradict.
    pub first_total: Option<u64>,
    /// The last total that the service stated in this sweep.
    pub last_total: Option<u64>,
    /// Consecutive pages without a new member.
    pub without_news: u64,
}

/// Most sweeps that begin because the service forgot the cursor. An organization that is read in
/// ten times the life of a cursor is not read this way.
const RESTARTS: u32 = 10;

/// One of so many members may join, or leave after it came, while the list is read.
const MOVING: u64 = 100;

/// Watches one collection.
#[derive(Debug)]
pub struct Guard {
    seen: Seen,
    counts: Counts,
    bounds: Bounds,
    /// What the records are called in messages.
    records: &'static str,
}

/// The members that were delivered and the cursors of the current sweep: what a guard needs to
/// resume an earlier run. A destination fills it page by page ([`Seen::page`]) or member by member,
/// in the order of the sweeps.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    written: HashSet<Mark>,
    /// Members of the current sweep. During the first, `written` serves for both.
    swept: Option<HashSet<Mark>>,
    /// Cursors of the current sweep.
    cursors: HashSet<Mark>,
    /// How many sweeps were begun again.
    restarts: u32,
    /// How many members the sweep before had that got furthest.
    furthest: usize,
}

/// An admitted page: the members left in it are still to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission<M> {
    /// The marks of its members.
    pub marks: Admitted,
    /// The members of `marks.again`. They are no longer in the page.
    pub again: Vec<M>,
}

impl Seen {
    /// Notes a member that was delivered, or that came again, in the current sweep.
    pub fn member(&mut self, mark: Mark) {
        self.written.insert(mark);
        self.swept.iter_mut().for_each(|swept| {
            swept.insert(mark);
        });
    }

    /// Notes the next cursor that a page of the current sweep gave.
    pub fn cursor(&mut self, cursor: &str) {
        self.cursors.insert(mark(cursor));
    }

    /// Notes a page that was delivered in the current sweep.
    pub fn page(&mut self, admitted: &Admitted, next: Option<&str>) {
        admitted.new.iter().chain(&admitted.again).for_each(|mark| self.member(*mark));
        next.iter().for_each(|cursor| self.cursor(cursor));
    }

    /// Notes that another sweep began.
    pub fn restart(&mut self) {
        self.furthest = self.furthest.max(self.there().len());
        self.restarts = self.restarts.saturating_add(1);
        self.swept = Some(HashSet::new());
        self.cursors.clear();
    }

    /// Members of the current sweep.
    fn there(&self) -> &HashSet<Mark> {
        self.swept.as_ref().unwrap_or(&self.written)
    }
}

impl Counts {
    /// Resets what counts for one sweep only: totals, and pages without a new member.
    pub fn restart(&mut self) {
        (self.first_total, self.last_total, self.without_news) = (None, None, 0);
    }
}

impl Guard {
    /// A guard that has seen nothing.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self::resumed(bounds, Seen::default(), Counts::default())
    }

    /// A guard that resumes an earlier run.
    #[must_use]
    pub fn resumed(bounds: Bounds, seen: Seen, counts: Counts) -> Self {
        Self { seen, counts, bounds, records: "members" }
    }

    /// Calls the records of the collection by the name that this kind of page has for them.
    #[must_use]
    pub fn listing<P: Page>(self) -> Self {
        Self { records: P::RECORDS, ..self }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether another sweep may begin: after the first one, however far it got, and after one that
    /// got further than all before.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        let Seen { restarts, furthest, .. } = self.seen;
        restarts == 0 || (restarts < RESTARTS && self.seen.there().len() > furthest)
    }

    /// Admits a page: leaves the members to write in it, and returns those of an earlier sweep
    /// that came again.
    ///
    /// # Errors
    /// [`Error::Endless`] if the pages go round in a circle or bring no new member,
    /// [`Error::Limit`] if there are too many. The page is not counted then.
    pub fn admit<P: Page>(
        &mut self,
        page: &mut P,
        asked: Option<&str>,
    ) -> Result<Admission<P::Record>, Error> {
        if self.counts.pages >= self.bounds.pages {
            return Err(self
                .bounds
                .reached(Bound::Pages, "the list has more pages than any organization's"));
        }
        let next = page.next().map(mark);
        if next
            .is_some_and(|next| asked.map(mark) == Some(next) || self.seen.cursors.contains(&next))
        {
            return Err(Error::Endless(format!(
                "the list of {} leads back to a page that was read already",
                self.records
            )));
        }
        let (mut marks, mut again, mut people) = (Admitted::default(), Vec::new(), 0);
        let (mut news, mut duplicates) = (false, 0);
        let is_again = Cell::new(false);
        let is_not_new = |member: &mut P::Record| {
            let id = mark(member.id());
            let first_in_sweep = self.seen.swept.as_mut().is_none_or(|swept| swept.insert(id));
            let first_at_all = self.seen.written.insert(id);
            news |= first_at_all || (self.seen.swept.is_some() && first_in_sweep);
            // Written in an earlier sweep: it comes again because of the restart.
            is_again.set(!first_at_all && first_in_sweep && self.seen.swept.is_some());
            if first_at_all {
                marks.new.push(id);
                people += u64::from(member.is_person());
            } else if is_again.get() {
                marks.again.push(id);
            } else {
                duplicates += 1;
            }
            !first_at_all
        };
        // Those that stay, nearly always all of them, are not moved.
        for member in page.records_mut().extract_if(.., is_not_new) {
            if is_again.get() {
                again.push(member);
            }
        }
        // The members of this page are remembered already. The bound limits memory, and the size of
        // a page is bounded too.
        if u64::try_from(self.seen.written.len()).unwrap_or(u64::MAX) > self.bounds.members {
            let what = format!("the list has more {} than any organization's", self.records);
            return Err(self.bounds.reached(Bound::Members, what));
        }
        let without_news = if news { 0 } else { self.counts.without_news + 1 };
        if without_news >= self.bounds.pages_without_news && next.is_some() {
            return Err(Error::Endless(format!(
                "{without_news} pages in a row brought nothing new, and the list still does not end"
            )));
        }
        self.seen.cursors.extend(next);
        self.counts.without_news = without_news;
        self.counts.members += u64::try_from(marks.new.len()).unwrap_or(u64::MAX);
        self.counts.people += people;
        self.counts.pages += 1;
        self.counts.duplicates += duplicates;
        let there = self.there();
        let first = self.counts.first_total.filter(|first| is_first(*first, there));
        self.counts.first_total = first.or(page.total().filter(|first| is_first(*first, there)));
        self.counts.last_total = page.total().or(self.counts.last_total);
        Ok(Admission { marks, again })
    }

    /// Begins another sweep, and returns the counts that it starts with.
    pub fn restart(&mut self) -> Counts {
        self.seen.restart();
        self.counts.restart();
        self.counts
    }

    /// Whether the current sweep brought no member.
    #[must_use]
    pub fn has_no_member(&self) -> bool {
        self.seen.there().is_empty()
    }

    /// Judges the list after its last page: by the smaller total, as members may leave meanwhile. A
    /// total below what came is believed only as far as members join and leave meanwhile.
    ///
    /// # Errors
    /// [`Error::Incomplete`], with the number of members and the total.
    pub fn judge(&self) -> Result<(), Error> {
        let there = self.there();
        let Counts { first_total, last_total, .. } = self.counts;
        let first_total = first_total.filter(|first| is_first(*first, there));
        let is_believed = |last: &u64| {
            first_total.is_none_or(|first| there.saturating_sub(*last) <= first / MOVING)
        };
        let told = first_total.into_iter().chain(last_total.filter(is_believed)).min();
        told.filter(|told| there < *told)
            .map_or(Ok(()), |told| Err(Error::Incomplete { there, told, records: self.records }))
    }

    /// How many members the current sweep brought.
    fn there(&self) -> u64 {
        u64::try_from(self.seen.there().len()).unwrap_or(u64::MAX)
    }
}

/// Whether a first total can be one of a list of which this many members came: no more came than
/// may have joined since.
fn is_first(total: u64, there: u64) -> bool {
    there.saturating_sub(total) <= total / MOVING
}

/// Whether a member counts as a person: its kind is `person`, or the service states no kinds.
#[must_use]
pub fn is_person(member: &impl Member) -> bool {
    matches!(member.kind(), None | Some(MemberKind::Person))
}

#[cfg(test)]
mod tests;
