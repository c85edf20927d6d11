//! The guard: drops what was delivered before, ends loops, and judges whether the list is whole. Pure.
//!
//! A *sweep* is a way from the first page to the last. When the service forgets the cursor, a second sweep begins; members of the first
//! one are then dropped as already written, and the second sweep alone decides whether the list is whole.
//!
//! It remembers 16 bytes for each account id, never the id. In the hash set that is 19 to 39 bytes per member, and as much again during
//! a second sweep.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::contract::{Member, MemberKind, MemberPage};
use crate::failure::{Code, Failure};
use crate::limits::{Bound, Limits};

/// What is remembered of an account id or a cursor: the first 16 bytes of the SHA-256 of its UTF-8, so that nobody can make
/// two that look the same. Destinations store marks, so this never changes.
pub type Mark = [u8; 16];

/// The mark of a text.
#[must_use]
pub fn mark(text: &str) -> Mark {
    let mut mark = Mark::default();
    for (to, from) in mark.iter_mut().zip(Sha256::digest(text)) {
        *to = from;
    }
    mark
}

/// What was counted in the whole collection, across resumes. Destinations store it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Members written, one row each.
    pub members: u64,
    /// Of these, people: accounts that are no app, no customer and nothing unknown.
    pub people: u64,
    /// Pages read.
    pub pages: u64,
    /// Members dropped because they were written before.
    pub duplicates: u64,
    /// The total that the service told first in this sweep.
    pub first_total: Option<u64>,
    /// The total that it told last.
    pub last_total: Option<u64>,
    /// Pages in a row without a new member.
    pub without_news: u64,
}

/// Watches one collection.
#[derive(Debug)]
pub struct Guard {
    seen: Seen,
    counts: Counts,
    limits: Limits,
}

/// Who was delivered, and which cursors led there: what a guard needs to go on where an earlier run was. A destination fills
/// it page by page ([`Seen::page`]) or member by member, in the order of the sweeps.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    written: HashSet<Mark>,
    /// Members of the second sweep; in the first, `written` is the same.
    swept: Option<HashSet<Mark>>,
    /// Cursors of the sweep that goes on.
    cursors: HashSet<Mark>,
}

/// What a page brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Marks of the members that are to be written, in their order.
    pub new: Vec<Mark>,
    /// Marks of those that were written in the first sweep and came again in the second, in their order.
    pub again: Vec<Mark>,
}

/// A page that was admitted: what is left in it is to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admission {
    /// The marks of its members.
    pub marks: Admitted,
    /// The members of `marks.again`, which are not in the page any more.
    pub again: Vec<Member>,
}

impl Admitted {
    /// As bytes, for a database: a 1, the number of new members in four bytes, the most significant first, then the 16 bytes of
    /// each mark, the new ones first. It never changes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let new = u32::try_from(self.new.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&[ENCODING][..], &new, &self.new.concat(), &self.again.concat()].concat()
    }

    /// What [`Admitted::to_bytes`] wrote. None for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (new, marks) = bytes.strip_prefix(&[ENCODING])?.split_first_chunk()?;
        let (marks, rest) = marks.as_chunks();
        let (new, again) = marks.split_at_checked(usize::try_from(u32::from_be_bytes(*new)).ok()?)?;
        rest.is_empty().then(|| Self { new: new.to_vec(), again: again.to_vec() })
    }
}

/// Version of the bytes of [`Admitted`].
const ENCODING: u8 = 1;

impl Seen {
    /// A member was delivered in the sweep that goes on, or came again in it.
    pub fn member(&mut self, mark: Mark) {
        self.written.insert(mark);
        self.swept.iter_mut().for_each(|swept| {
            swept.insert(mark);
        });
    }

    /// A page of the sweep that goes on told this cursor as the next one.
    pub fn cursor(&mut self, cursor: &str) {
        self.cursors.insert(mark(cursor));
    }

    /// A page was delivered in the sweep that goes on.
    pub fn page(&mut self, admitted: &Admitted, next: Option<&str>) {
        admitted.new.iter().chain(&admitted.again).for_each(|mark| self.member(*mark));
        next.iter().for_each(|cursor| self.cursor(cursor));
    }

    /// The second sweep began.
    pub fn restart(&mut self) {
        self.swept = Some(HashSet::new());
        self.cursors.clear();
    }

    /// Members of the sweep that counts.
    fn there(&self) -> &HashSet<Mark> {
        self.swept.as_ref().unwrap_or(&self.written)
    }
}

impl Counts {
    /// Forgets what counts for one sweep alone: totals, and pages without a new member.
    pub fn restart(&mut self) {
        (self.first_total, self.last_total, self.without_news) = (None, None, 0);
    }
}

impl Guard {
    /// A guard that has seen nothing.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self::resumed(limits, Seen::default(), Counts::default())
    }

    /// A guard that goes on where an earlier one was.
    #[must_use]
    pub fn resumed(limits: &Limits, seen: Seen, counts: Counts) -> Self {
        Self { seen, counts, limits: limits.clone() }
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether this is the second sweep.
    #[must_use]
    pub fn restarted(&self) -> bool {
        self.seen.swept.is_some()
    }

    /// Takes a page: leaves in it what is to be written, and hands out what was written in the first sweep and came again.
    ///
    /// # Errors
    /// `unexpected-response` when the pages go round in a circle or bring nobody new, `limit` when there are too many. The page is not counted
    /// then.
    pub fn admit(&mut self, page: &mut MemberPage, asked: Option<&str>) -> Result<Admission, Failure> {
        if self.counts.pages >= self.limits.pages {
            return Err(self.limits.reached(Bound::Pages, "the list has more pages than any organization's"));
        }
        let next = page.next.as_deref().map(mark);
        if next.is_some_and(|next| asked.map(mark) == Some(next) || self.seen.cursors.contains(&next)) {
            return Err(endless("the list of members leads back to a page that was read already".into()));
        }
        let (mut marks, mut again, mut people) = (Admitted::default(), Vec::new(), 0);
        let (mut news, before) = (false, self.counts.duplicates);
        let sift = |member: Member| {
            let id = mark(&member.id);
            let first_in_sweep = self.seen.swept.as_mut().is_none_or(|swept| swept.insert(id));
            let first_at_all = self.seen.written.insert(id);
            news |= first_at_all || (self.seen.swept.is_some() && first_in_sweep);
            match (first_at_all, first_in_sweep) {
                (true, _) => {
                    marks.new.push(id);
                    people += u64::from(is_person(&member));
                    return Some(member);
                }
                // Written in the first sweep: the restart made it come again, not the service.
                (false, true) if self.seen.swept.is_some() => {
                    marks.again.push(id);
                    again.push(member);
                }
                (false, _) => self.counts.duplicates += 1,
            }
            None
        };
        page.members = std::mem::take(&mut page.members).into_iter().filter_map(sift).collect();
        let without_news = if news { 0 } else { self.counts.without_news + 1 };
        if without_news >= self.limits.pages_without_news && next.is_some() {
            self.counts.duplicates = before;
            return Err(endless(format!("{without_news} pages in a row brought no new member, and the list still does not end")));
        }
        self.seen.cursors.extend(next);
        self.counts.without_news = without_news;
        self.counts.members += u64::try_from(marks.new.len()).unwrap_or(u64::MAX);
        self.counts.people += people;
        self.counts.pages += 1;
        self.counts.first_total = self.counts.first_total.or(page.total);
        self.counts.last_total = page.total.or(self.counts.last_total);
        Ok(Admission { marks, again })
    }

    /// Begins the second sweep, and tells what is counted from there on.
    pub fn restart(&mut self) -> Counts {
        self.seen.restart();
        self.counts.restart();
        self.counts
    }

    /// Whether the sweep that counts brought nobody.
    #[must_use]
    pub fn nobody(&self) -> bool {
        self.seen.there().is_empty()
    }

    /// Judges the list after its last page.
    ///
    /// # Errors
    /// `incomplete`, with how many of how many there are.
    pub fn judge(&self) -> Result<(), Failure> {
        let there = self.seen.there().len();
        let told = self.counts.first_total.into_iter().chain(self.counts.last_total).min();
        match told {
            Some(told) if u64::try_from(there).unwrap_or(u64::MAX) < told => {
                Err(Failure::new(Code::Incomplete, format!("the list ended after {there} of {told} members")).with_hint(
                    "Collect again in a few minutes. Should it stay so, members are being changed while the list is read, or the \
                     service leaves some out: ask its support, and do not use this list as the whole one.",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a member counts as a person: its kind says so, or the service does not tell kinds.
#[must_use]
pub fn is_person(member: &Member) -> bool {
    matches!(member.kind, None | Some(MemberKind::Person))
}

fn endless(message: String) -> Failure {
    Failure::new(Code::UnexpectedResponse, message).with_hint(
        "This is a fault of the service or of the connector, not of your settings. Collect again later; should it stay so, report it to \
         whoever publishes the connector.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::member;

    fn page(ids: &[&str], next: Option<&str>, total: Option<u64>) -> MemberPage {
        MemberPage { products: vec![], members: ids.iter().map(|id| member(id)).collect(), next: next.map(Into::into), total }
    }

    fn ids(page: &MemberPage) -> Vec<&str> {
        page.members.iter().map(|member| member.id.as_str()).collect()
    }

    fn guard() -> Guard {
        Guard::new(&Limits { pages: 10, pages_without_news: 3, ..Limits::default() })
    }

    #[test]
    fn members_that_come_again_are_dropped_and_counted() {
        let (mut guard, mut first, mut second) = (guard(), page(&["a", "b", "a"], Some("2"), None), page(&["b", "c"], None, None));
        guard.admit(&mut first, None).unwrap();
        guard.admit(&mut second, Some("2")).unwrap();
        assert_eq!((ids(&first), ids(&second)), (vec!["a", "b"], vec!["c"]));
        assert_eq!((guard.counts().members, guard.counts().duplicates, guard.counts().pages), (3, 2, 2));
    }

    #[test]
    fn apps_customers_and_unknown_kinds_are_written_and_are_no_people() {
        let mut mixed = page(&["a", "b", "c", "d", "e"], None, None);
        let kinds =
            [Some(MemberKind::Person), None, Some(MemberKind::App), Some(MemberKind::Customer), Some(MemberKind::Other("x".into()))];
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
            let failure = guard.admit(&mut page(&["c"], Some(second), None), Some(first)).unwrap_err();
            assert_eq!(failure.code, Code::UnexpectedResponse);
            assert_eq!(guard.counts().pages, 2);
        }
    }

    #[test]
    fn an_empty_page_in_the_middle_is_fine() {
        let mut guard = guard();
        for (ids, next) in [(&["a"][..], Some("1")), (&[], Some("2")), (&[], Some("3")), (&["b"], Some("4")), (&[], None)] {
            guard.admit(&mut page(ids, next, Some(2)), None).unwrap();
        }
        assert_eq!(guard.judge(), Ok(()));
    }

    #[test]
    fn pages_without_end_are_ended() {
        let mut stale = guard();
        let mut answers = (0..).map(|number: u32| (number, stale.admit(&mut page(&["a"], Some(&number.to_string()), None), None)));
        let (number, stopped) = answers.find_map(|(number, answer)| Some((number, answer.err()?))).unwrap();
        assert_eq!((number, stopped.code), (3, Code::UnexpectedResponse));
        let mut fresh = guard();
        let mut answers = (0..).map(|number: u32| {
            let cursor = number.to_string();
            (number, fresh.admit(&mut page(&[&cursor], Some(&cursor), None), None))
        });
        let (number, stopped) = answers.find_map(|(number, answer)| Some((number, answer.err()?))).unwrap();
        assert_eq!((number, stopped.message.as_str()), (10, "the list has more pages than any organization's: the limit `pages` is 10"));
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
        ] {
            let mut guard = guard();
            guard.admit(&mut page(&["a"], Some("1"), first), None).unwrap();
            guard.admit(&mut page(&["b", "a"], None, last), Some("1")).unwrap();
            assert_eq!(guard.judge().is_ok(), whole, "{first:?} {last:?}");
        }
    }

    #[test]
    fn after_a_restart_the_second_sweep_decides() {
        let mut guard = guard();
        guard.admit(&mut page(&["a", "b"], Some("1"), Some(4)), None).unwrap();
        guard.restart();
        let mut first = page(&["a", "c"], Some("1"), Some(3));
        let admitted = guard.admit(&mut first, None).unwrap();
        assert_eq!((ids(&first), admitted.again.len()), (vec!["c"], 1));
        assert_eq!(guard.judge().unwrap_err().message, "the list ended after 2 of 3 members");
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
        let mut other = Guard::resumed(&one.limits, seen, one.counts());
        let mut last = page(&["c", "d"], None, Some(9));
        assert_eq!(other.admit(&mut last, Some("2")).unwrap().marks.new.len(), 1);
        assert!(other.admit(&mut page(&["e"], Some("1"), None), Some("2")).is_err());
        assert_eq!(other.judge().unwrap_err().message, "the list ended after 4 of 9 members");
    }

    #[test]
    fn a_guard_goes_on_in_the_second_sweep_from_what_was_told_member_by_member() {
        let mut seen = Seen::default();
        ["a", "b"].iter().for_each(|id| seen.member(mark(id)));
        seen.cursor("1");
        seen.restart();
        seen.member(mark("a"));
        let mut guard = Guard::resumed(&Limits::default(), seen, Counts { pages: 2, ..Counts::default() });
        assert!(guard.restarted() && !guard.nobody());
        let mut next = page(&["a", "b", "c"], Some("1"), Some(4));
        let admission = guard.admit(&mut next, None).unwrap();
        assert_eq!((ids(&next), admission.again), (vec!["c"], vec![member("b")]));
        assert_eq!((admission.marks.again, guard.counts().duplicates), (vec![mark("b")], 1));
        assert_eq!(guard.judge().unwrap_err().message, "the list ended after 3 of 4 members");
    }

    #[test]
    fn marks_are_written_as_they_always_were() {
        let admitted = Admitted { new: vec![mark("a1"), mark("zoë")], again: vec![mark("")] };
        let expected = "0100000002\
            f55ff16f66f43360266b95db6f8fec01\
            2752b88686847fa5c86f47b94ce652b7\
            e3b0c44298fc1c149afbf4c8996fb924";
        assert_eq!(hex::encode(admitted.to_bytes()), expected);
        assert_eq!(Admitted::from_bytes(&admitted.to_bytes()), Some(admitted));
        assert_eq!(Admitted::from_bytes(&Admitted::default().to_bytes()), Some(Admitted::default()));
    }

    #[test]
    fn bytes_that_are_no_marks_are_none() {
        let good = Admitted { new: vec![mark("a")], again: vec![] }.to_bytes();
        for length in 0..good.len() {
            assert_eq!(Admitted::from_bytes(&good[..length]), None, "{length}");
        }
        let other_version = [&[2], &good[1..]].concat();
        assert_eq!(Admitted::from_bytes(&other_version), None);
    }
}
