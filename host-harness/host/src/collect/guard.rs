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

/// What is remembered of an account id or a cursor: half of its SHA-256, so that nobody can make two that look the same.
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

/// What was counted in the whole collection, across resumes.
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
    written: HashSet<Mark>,
    /// Members of the second sweep; in the first, `written` is the same.
    swept: Option<HashSet<Mark>>,
    cursors: HashSet<Mark>,
    counts: Counts,
    limits: Limits,
}

/// What a page brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Marks of the members that are to be written, in their order.
    pub new: Vec<Mark>,
    /// Marks of those that were written in the first sweep and came again in the second.
    pub again: Vec<Mark>,
}

impl Guard {
    /// A guard that has seen nothing.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { written: HashSet::new(), swept: None, cursors: HashSet::new(), counts: Counts::default(), limits: limits.clone() }
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether this is the second sweep.
    #[must_use]
    pub fn restarted(&self) -> bool {
        self.swept.is_some()
    }

    /// Takes a page: leaves in it what is to be written.
    ///
    /// # Errors
    /// `unexpected-response` when the pages go round in a circle or bring nobody new, `limit` when there are too many. The page is not counted
    /// then.
    pub fn admit(&mut self, page: &mut MemberPage, asked: Option<&str>) -> Result<Admitted, Failure> {
        if self.counts.pages >= self.limits.pages {
            return Err(self.limits.reached(Bound::Pages, "the list has more pages than any organization's"));
        }
        let next = page.next.as_deref().map(mark);
        if next.is_some_and(|next| asked.map(mark) == Some(next) || self.cursors.contains(&next)) {
            return Err(endless("the list of members leads back to a page that was read already".into()));
        }
        let (mut admitted, mut people, before) = (Admitted::default(), 0, self.counts.duplicates);
        let mut news = false;
        page.members.retain(|member| {
            let id = mark(&member.id);
            let first_in_sweep = self.swept.as_mut().is_none_or(|swept| swept.insert(id));
            let first_at_all = self.written.insert(id);
            news |= first_at_all || (self.swept.is_some() && first_in_sweep);
            match (first_at_all, first_in_sweep) {
                (true, _) => {
                    admitted.new.push(id);
                    people += u64::from(is_person(member));
                }
                // Written in the first sweep: the restart made it come again, not the service.
                (false, true) if self.swept.is_some() => admitted.again.push(id),
                (false, _) => self.counts.duplicates += 1,
            }
            first_at_all
        });
        let without_news = if news { 0 } else { self.counts.without_news + 1 };
        if without_news >= self.limits.pages_without_news && next.is_some() {
            self.counts.duplicates = before;
            return Err(endless(format!("{without_news} pages in a row brought no new member, and the list still does not end")));
        }
        self.cursors.extend(next);
        self.counts.without_news = without_news;
        self.counts.members += u64::try_from(admitted.new.len()).unwrap_or(u64::MAX);
        self.counts.people += people;
        self.counts.pages += 1;
        self.counts.first_total = self.counts.first_total.or(page.total);
        self.counts.last_total = page.total.or(self.counts.last_total);
        Ok(admitted)
    }

    /// Begins the second sweep.
    pub fn restart(&mut self) {
        self.swept = Some(HashSet::new());
        self.cursors.clear();
        (self.counts.first_total, self.counts.last_total, self.counts.without_news) = (None, None, 0);
    }

    /// Takes back what a checkpoint says about one page.
    pub fn recall(&mut self, admitted: &Admitted, next: Option<&str>, counts: Counts) {
        self.written.extend(&admitted.new);
        if let Some(swept) = &mut self.swept {
            swept.extend(&admitted.new);
            swept.extend(&admitted.again);
        }
        self.cursors.extend(next.map(mark));
        self.counts = counts;
    }

    /// Whether the sweep that counts brought nobody.
    #[must_use]
    pub fn nobody(&self) -> bool {
        self.swept.as_ref().unwrap_or(&self.written).is_empty()
    }

    /// Judges the list after its last page.
    ///
    /// # Errors
    /// `incomplete`, with how many of how many there are.
    pub fn judge(&self) -> Result<(), Failure> {
        let there = self.swept.as_ref().unwrap_or(&self.written).len();
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
        let (mut one, mut other) = (guard(), guard());
        for (ids, next, asked) in [(["a", "b"], "1", None), (["b", "c"], "2", Some("1"))] {
            let admitted = one.admit(&mut page(&ids, Some(next), Some(9)), asked).unwrap();
            other.recall(&admitted, Some(next), one.counts());
        }
        let mut last = page(&["c", "d"], None, Some(9));
        assert_eq!(other.admit(&mut last, Some("2")).unwrap().new.len(), 1);
        assert!(other.admit(&mut page(&["e"], Some("1"), None), Some("2")).is_err());
        assert_eq!(other.judge().unwrap_err().message, "the list ended after 4 of 9 members");
    }
}
