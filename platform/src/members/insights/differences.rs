//! What differs between the members of two whole runs.

use std::collections::{HashMap, HashSet};

use super::snapshot::{Compact, Snapshot};
use crate::clock::DAY;

/// What differs between two runs.
#[derive(Debug, Default)]
pub struct Differences {
    /// By what differs, the places in the later copy, or in the earlier one of who is gone.
    pub lists: [Vec<u32>; 7],
}

/// What differs, in the order of [`Differences::lists`].
pub const DIFFERENCES: [&str; 7] =
    ["appeared", "gone", "returned", "idle", "awake", "gained", "lost"];

impl Snapshot {
    /// What differs between this run and a later one. An age is counted from each run's own
    /// beginning; `after` is when this run ended.
    #[must_use]
    pub fn differences(
        &self,
        later: &Self,
        (began, later_began): (i64, i64),
        after: i64,
        idle: i64,
    ) -> Differences {
        let before: HashMap<&str, (u32, &Compact)> = (0..)
            .zip(&self.members)
            .filter(|(_, member)| member.present)
            .map(|(place, member)| (&*member.id, (place, member)))
            .collect();
        let same: Vec<Option<u32>> = self
            .products
            .all
            .iter()
            .map(|product| later.products.places.get(product).copied())
            .collect();
        let is_idle = |member: &Compact, at: i64| {
            member.last_seen.is_some_and(|seen| seen <= at.saturating_sub(idle * DAY))
        };
        let mut found = Differences::default();
        let [appeared, gone, returned, slept, awoke, gained, lost] = &mut found.lists;
        let mut stayed = HashSet::new();
        for (place, now) in (0..).zip(&later.members).filter(|(_, member)| member.present) {
            let Some((_, old)) = before.get(&*now.id) else {
                let list = if now.first_seen <= after { &mut *returned } else { &mut *appeared };
                list.push(place);
                continue;
            };
            stayed.insert(&*now.id);
            let (was, is) = (is_idle(old, began), is_idle(now, later_began));
            if is && !was && old.last_seen.is_some() {
                slept.push(place);
            } else if was && !is && now.last_seen > old.last_seen {
                awoke.push(place);
            }
            let old_uses: Vec<Option<u32>> = old
                .uses
                .iter()
                .map(|(used, _)| same.get(usize::try_from(*used).ok()?).copied().flatten())
                .collect();
            if now.uses.iter().any(|(used, _)| !old_uses.contains(&Some(*used))) {
                gained.push(place);
            }
            let kept = |used: &Option<u32>| {
                used.is_some_and(|used| now.uses.iter().any(|(own, _)| *own == used))
            };
            if old_uses.iter().any(|used| !kept(used)) {
                lost.push(place);
            }
        }
        let mut left: Vec<u32> = before
            .values()
            .filter(|(_, member)| !stayed.contains(&*member.id))
            .map(|(place, _)| *place)
            .collect();
        left.sort_unstable();
        *gone = left;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{AT, snapshot};
    use super::*;

    #[test]
    fn two_runs_differ_by_who_came_went_slept_and_by_products() {
        let mut earlier = snapshot(&[Some(10), Some(10), Some(100), Some(10), Some(10)]);
        let mut later = snapshot(&[Some(10), Some(95), Some(1), Some(10), Some(10), Some(0), None]);
        earlier.members[3].present = false;
        later.members[4].present = false;
        later.members[3].first_seen = 1;
        later.members[5].first_seen = 9;
        later.members[6].first_seen = 9;
        later.members[0].uses = Box::new([(0, None)]);
        later.members[1].uses = Box::new([(0, None), (1, None)]);
        let found = earlier.differences(&later, (AT, AT), 5, 90);
        let names: Vec<Vec<String>> = DIFFERENCES
            .iter()
            .zip(&found.lists)
            .map(|(what, list)| if *what == "gone" { earlier.ids(list) } else { later.ids(list) })
            .collect();
        let expected: [&[&str]; 7] =
            [&["id5", "id6"], &["id4"], &["id3"], &["id1"], &["id2"], &["id1"], &["id0"]];
        assert_eq!(names, expected);
    }
}
