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
        let sift = |member: P::Record| {
            let id = mark(member.id());
            let first_in_sweep = self.seen.swept.as_mut().is_none_or(|swept| swept.insert(id));
            let first_at_all = self.seen.written.insert(id);
            news |= first_at_all || (self.seen.swept.is_some() && first_in_sweep);
            match (first_at_all, first_in_sweep) {
                (true, _) => {
                    marks.new.push(id);
                    people += u64::from(member.is_person());
                    return Some(member);
                }
                // Written in an earlier sweep: it comes again because of the restart.
                (false, true) if self.seen.swept.is_some() => {
                    marks.again.push(id);
                    again.push(member);
                }
                (false, _) => duplicates += 1,
            }
            None
        };
        let records = page.records_mut();
        *records = std::mem::take(records).into_iter().filter_map(sift).collect();
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
    pub fn nobody(&self) -> bool {
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
mod tests {
    use super::*;
    use crate::testing::{Records, WIDE, member};

    fn page(ids: &[&str], next: Option<&str>, total: Option<u64>) -> Records {
        let members = ids.iter().map(|id| member(id)).collect();
        Records { members, next: next.map(Into::into), total, ..Records::default() }
    }

    fn ids(page: &Records) -> Vec<&str> {
        page.members.iter().map(|member| member.id.as_str()).collect()
    }

    fn guard() -> Guard {
        Guard::new(Bounds { pages: 10, pages_without_news: 3, ..WIDE })
    }

    #[test]
    fn members_that_come_again_are_dropped_and_counted() {
        let (mut guard, mut first, mut second) =
            (guard(), page(&["a", "b", "a"], Some("2"), None), page(&["b", "c"], None, None));
        guard.admit(&mut first, None).unwrap();
        guard.admit(&mut second, Some("2")).unwrap();
        assert_eq!((ids(&first), ids(&second)), (vec!["a", "b"], vec!["c"]));
        assert_eq!(
            (guard.counts().members, guard.counts().duplicates, guard.counts().pages),
            (3, 2, 2)
        );
    }

    #[test]
    fn apps_customers_and_unknown_kinds_are_written_and_are_no_people() {
        let mut mixed = page(&["a", "b", "c", "d", "e"], None, None);
        let kinds = [
            Some(MemberKind::Person),
            None,
            Some(MemberKind::App),
            Some(MemberKind::Customer),
            Some(MemberKind::Other("x")),
        ];
        for (member, kind) in mixed.members.iter_mut().zip(kinds) {
            member.kind = kind;
        }
        let mut guard = guard();
        guard.admit(&mut mixed, None).unwrap();
        assert_eq!((guard.counts().members, guard.counts().people), (5, 2));
    }

    #[test]
    fn a_cursor_that_leads_back_ends_the_run_at_once() {
        for (first, second) in [("2", "2"), ("2", "1")] {
            let mut guard = guard();
            guard.admit(&mut page(&["a"], Some("1"), None), None).unwrap();
            guard.admit(&mut page(&["b"], Some(first), None), Some("1")).unwrap();
            let error =
                guard.admit(&mut page(&["c"], Some(second), None), Some(first)).unwrap_err();
            assert!(matches!(error, Error::Endless(_)), "{error}");
            assert_eq!(guard.counts().pages, 2);
        }
    }

    #[test]
    fn an_empty_page_in_the_middle_is_fine() {
        let mut guard = guard();
        for (ids, next) in [
            (&["a"][..], Some("1")),
            (&[], Some("2")),
            (&[], Some("3")),
            (&["b"], Some("4")),
            (&[], None),
        ] {
            guard.admit(&mut page(ids, next, Some(2)), None).unwrap();
        }
        assert_eq!(guard.judge(), Ok(()));
    }

    #[test]
    fn pages_without_end_are_ended() {
        let mut stale = guard();
        let mut answers = (0..).map(|number: u32| {
            (number, stale.admit(&mut page(&["a"], Some(&number.to_string()), None), None))
        });
        let (number, stopped) =
            answers.find_map(|(number, answer)| Some((number, answer.err()?))).unwrap();
        assert!(number == 3 && matches!(stopped, Error::Endless(_)), "{number}: {stopped}");
        let mut fresh = guard();
        let mut answers = (0..).map(|number: u32| {
            let cursor = number.to_string();
            (number, fresh.admit(&mut page(&[&cursor], Some(&cursor), None), None))
        });
        let (number, stopped) =
            answers.find_map(|(number, answer)| Some((number, answer.err()?))).unwrap();
        assert_eq!(
            (number, &*stopped.to_string()),
            (10, "the list has more pages than any organization's: the limit `pages` is 10")
        );
    }

    #[test]
    fn no_more_members_are_remembered_than_the_bound_says() {
        let mut guard = Guard::new(Bounds { members: 3, ..WIDE });
        guard.admit(&mut page(&["a", "b", "a"], Some("1"), None), None).unwrap();
        guard.admit(&mut page(&["c", "b"], Some("2"), None), Some("1")).unwrap();
        // A second sweep brings the same members again.
        guard.restart();
        guard.admit(&mut page(&["c", "b", "a"], Some("1"), None), None).unwrap();
        let error = guard.admit(&mut page(&["d"], None, None), Some("1")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the list has more members than any organization's: the limit `members` is 3"
        );
        assert_eq!((guard.counts().members, guard.counts().pages), (3, 3));
    }

    #[test]
    fn fewer_members_than_the_smaller_total_is_incomplete() {
        for (first, last, whole) in [
            (Some(3), Some(3), false),
            (Some(3), Some(2), true),
            (Some(2), Some(5), true),
            (Some(2), None, true),
            (None, Some(3), false),
            (None, None, true),
            // What the service says at the end is no total of what it gave before.
            (Some(3), Some(0), false),
            (Some(3), Some(1), false),
            (Some(2), Some(0), true),
        ] {
            let mut guard = guard();
            guard.admit(&mut page(&["a"], Some("1"), first), None).unwrap();
            guard.admit(&mut page(&["b", "a"], None, last), Some("1")).unwrap();
            assert_eq!(guard.judge().is_ok(), whole, "{first:?} {last:?}");
        }
    }

    #[test]
    fn of_many_members_a_few_may_leave_after_they_came() {
        for (came, first, last, whole) in [
            (398, 400, 394, true),
            (398, 400, 393, false),
            (398, 399, 398, true),
            (200, 300, 0, false),
        ] {
            let mut guard = Guard::new(WIDE);
            let ids: Vec<String> = (0..came).map(|id| id.to_string()).collect();
            for (at, id) in ids.iter().enumerate() {
                let (next, total) = match at {
                    0 => (Some(id.as_str()), Some(first)),
                    at if at + 1 == ids.len() => (None, Some(last)),
                    _ => (Some(id.as_str()), None),
                };
                guard.admit(&mut page(&[id], next, total), None).unwrap();
            }
            assert_eq!(guard.judge().is_ok(), whole, "{came} {first} {last}");
        }
    }

    #[test]
    fn a_total_that_what_came_contradicts_is_not_believed_wherever_it_stands() {
        for (totals, sizes, missing) in [
            // Too small from the beginning, on one page or on several.
            ([Some(0), Some(30), Some(30)], [10, 10, 0], Some(30)),
            ([Some(0), Some(30), Some(30)], [0, 10, 10], Some(30)),
            ([Some(1), Some(30), None], [10, 10, 0], Some(30)),
            ([Some(9), Some(9), Some(30)], [10, 10, 0], Some(30)),
            ([Some(10), Some(30), Some(30)], [10, 10, 0], Some(30)),
            ([Some(0), Some(30), Some(0)], [10, 10, 0], Some(30)),
            ([Some(0), Some(30), Some(0)], [0, 10, 10], Some(30)),
            // Too small later.
            ([Some(30), Some(5), None], [10, 10, 0], Some(30)),
            ([Some(30), Some(20), Some(30)], [10, 10, 0], Some(30)),
            ([Some(30), Some(30), Some(19)], [10, 10, 0], Some(30)),
            // It shrank, and what came is what is left.
            ([Some(30), Some(30), Some(20)], [10, 10, 0], None),
            ([Some(30), Some(20), None], [10, 10, 0], None),
            // It grew by what came, or what joined stands on a page that was read before.
            ([Some(20), Some(30), Some(30)], [10, 10, 10], None),
            ([Some(20), Some(30), Some(40)], [10, 10, 0], None),
            ([Some(200), Some(204), Some(204)], [100, 100, 2], None),
            ([Some(200), Some(204), Some(204)], [100, 100, 3], Some(204)),
            // Totals of the page say nothing about the list.
            ([Some(10), Some(10), Some(5)], [10, 10, 5], None),
        ] {
            let mut guard = Guard::new(WIDE);
            for (at, (total, size)) in totals.into_iter().zip(sizes).enumerate() {
                let ids: Vec<String> = (0..size).map(|id| format!("{at}-{id}")).collect();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let next = at.to_string();
                let next = (at < 2).then_some(next.as_str());
                guard.admit(&mut page(&ids, next, total), None).unwrap();
            }
            let judged = guard.judge().err().map(|error| match error {
                Error::Incomplete { told, .. } => told,
                error => panic!("{error}"),
            });
            assert_eq!(judged, missing, "{totals:?} {sizes:?}");
        }
    }

    #[test]
    fn sweeps_begin_again_while_each_gets_further_up_to_a_bound() {
        let mut guard = Guard::new(WIDE);
        assert!(guard.may_restart());
        let sweep = |guard: &mut Guard, members: u32| {
            for id in (0..members).map(|id| id.to_string()) {
                guard.admit(&mut page(&[&id], Some(&id), None), None).unwrap();
            }
        };
        for members in 1..=RESTARTS {
            sweep(&mut guard, members);
            assert!(guard.may_restart(), "{members}");
            guard.restart();
            // Before it got further than the sweep before, there is no other.
            assert!(!guard.may_restart(), "{members}");
        }
        sweep(&mut guard, RESTARTS + 1);
        assert!(!guard.may_restart());
        assert_eq!(guard.counts().members, u64::from(RESTARTS) + 1);
    }

    #[test]
    fn after_a_restart_the_second_sweep_decides() {
        let mut guard = guard();
        guard.admit(&mut page(&["a", "b"], Some("1"), Some(4)), None).unwrap();
        guard.restart();
        let mut first = page(&["a", "c"], Some("1"), Some(3));
        let admitted = guard.admit(&mut first, None).unwrap();
        assert_eq!((ids(&first), admitted.again.len()), (vec!["c"], 1));
        assert_eq!(guard.judge().unwrap_err().to_string(), "the list ended after 2 of 3 members");
        guard.admit(&mut page(&["b"], None, Some(3)), Some("1")).unwrap();
        assert_eq!(guard.judge(), Ok(()));
        assert_eq!((guard.counts().members, guard.counts().duplicates), (3, 0));
    }

    #[test]
    fn a_guard_that_recalls_is_the_guard_that_was() {
        let (mut one, mut seen) = (guard(), Seen::default());
        for (ids, next, asked) in [(["a", "b"], "1", None), (["b", "c"], "2", Some("1"))] {
            let admitted = one.admit(&mut page(&ids, Some(next), Some(9)), asked).unwrap();
            seen.page(&admitted.marks, Some(next));
        }
        let mut other = Guard::resumed(one.bounds, seen, one.counts());
        let mut last = page(&["c", "d"], None, Some(9));
        assert_eq!(other.admit(&mut last, Some("2")).unwrap().marks.new.len(), 1);
        assert!(other.admit(&mut page(&["e"], Some("1"), None), Some("2")).is_err());
        assert_eq!(other.judge().unwrap_err().to_string(), "the list ended after 4 of 9 members");
    }

    #[test]
    fn a_guard_goes_on_in_the_second_sweep_from_what_was_told_member_by_member() {
        let mut seen = Seen::default();
        ["a", "b"].iter().for_each(|id| seen.member(mark(id)));
        seen.cursor("1");
        seen.restart();
        seen.member(mark("a"));
        let mut guard = Guard::resumed(WIDE, seen, Counts { pages: 2, ..Counts::default() });
        assert!(guard.seen.restarts == 1 && !guard.nobody());
        let mut next = page(&["a", "b", "c"], Some("1"), Some(4));
        let admission = guard.admit(&mut next, None).unwrap();
        assert_eq!((ids(&next), admission.again), (vec!["c"], vec![member("b")]));
        assert_eq!((admission.marks.again, guard.counts().duplicates), (vec![mark("b")], 1));
        assert_eq!(guard.judge().unwrap_err().to_string(), "the list ended after 3 of 4 members");
    }
}
