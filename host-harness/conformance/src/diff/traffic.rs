//! Plays both builds on the same recorded traffic, case by case.

use std::path::PathBuf;

use super::ends::{self, Lists};
use super::kinds::{Found, MANY_REQUESTS, MEMORY, NOT_PLAYED, NOT_SHOWN, REQUESTS};
use super::side::Side;
use crate::diff::changes::CaseChange;
use smp_host::component::plugin::Plugin;
use smp_host::failure::Failure;
use smp_host::text::shortened;
use smp_host::text::{counted, grouped};
use smp_replay::player::Player;
use smp_replay::player::case::name_of;

/// Calls that may hang before the remaining cases are left out: each takes seconds, and a build
/// that hangs is no upgrade.
const MOST_HANGS: usize = 3;
/// Most characters of a failure's message in a finding.
const SHOWN: usize = 200;

/// Plays every case with the old build and with the new one, and compares the outcomes.
///
/// # Errors
/// `contract` if a build names no origin.
pub(super) async fn compare(
    [old, new]: [&Plugin; 2],
    folders: &[PathBuf],
    found: &mut Found,
) -> Result<Vec<CaseChange>, Failure> {
    let players = [Player::new(old)?, Player::new(new)?];
    let (mut cases, mut lists, mut hung) = (Vec::new(), Lists::default(), 0);
    for (number, folder) in folders.iter().enumerate() {
        if hung >= MOST_HANGS {
            let left = counted(folders.len() - number, "case");
            found.add(&NOT_PLAYED, format!("calls hung {hung} times: {left} left out"));
            break;
        }
        let name = shortened(&name_of(folder), SHOWN).into_owned();
        let [old, new] = &players;
        match (Side::played(old, folder).await, Side::played(new, folder).await) {
            (Ok(before), Ok(now)) => {
                hung += before.hung() + now.hung();
                cases.push(ends::compare(name, &before, &now, &mut lists, found));
            }
            (Err(failure), _) => found.add(
                &NOT_PLAYED,
                format!("{name}, with the old build: {}", shortened(&failure.message, SHOWN)),
            ),
            (_, Err(failure)) => found.add(
                &NOT_PLAYED,
                format!("{name}, with the new build: {}", shortened(&failure.message, SHOWN)),
            ),
        }
        // Yields, so that a caller can end it here.
        tokio::task::yield_now().await;
    }
    match lists.compared {
        0 if folders.is_empty() => found.add(&NOT_SHOWN, "no recorded traffic was given"),
        0 => found.add(
            &NOT_SHOWN,
            format!(
                "none of {} shows the outcome of a complete list",
                counted(folders.len(), "case")
            ),
        ),
        _ => {}
    }
    lists.tell(found);
    requests(&cases, found);
    let limit = players.iter().map(|player| player.limits().memory).min().unwrap_or_default();
    memory(players.map(|player| player.used().most.memory), limit, found);
    Ok(cases)
}

/// Compares the number of requests, over cases whose every request was answered in both builds.
fn requests(cases: &[CaseChange], found: &mut Found) {
    let (mut before, mut now) = (0, 0);
    for case in
        cases.iter().filter(|case| case.old.unanswered.is_none() && case.new.unanswered.is_none())
    {
        let (old, new) = (case.old.requests, case.new.requests);
        (before, now) = (before + old, now + new);
        if old > 0 && new > 2 * old {
            found.add(
                &MANY_REQUESTS,
                format!("{}: {} became {new}", case.name, counted(old, "request")),
            );
        }
    }
    if before != now {
        found.add(
            &REQUESTS,
            format!("{} for all of the traffic became {now}", counted(before, "request")),
        );
    }
}

fn memory([before, now]: [usize; 2], limit: usize, found: &mut Found) {
    let kibibytes = |bytes: usize| grouped(u64::try_from(bytes.div_ceil(1024)).unwrap_or(u64::MAX));
    if before <= limit / 2 && now > limit / 2 {
        found.add(
            &MEMORY,
            format!("{} KiB became {} of {}", kibibytes(before), kibibytes(now), kibibytes(limit)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::changes::Came;
    use crate::diff::testing::lines;

    #[test]
    fn requests_are_compared_where_the_traffic_answers_them_all() {
        let case = |old, new, unanswered: Option<&str>| CaseChange {
            name: "case".into(),
            old: Came { requests: old, ..Came::default() },
            new: Came { requests: new, unanswered: unanswered.map(Into::into), ..Came::default() },
            members: None,
            checks: vec![],
        };
        let said = |cases: &[CaseChange]| {
            let mut found = Found::default();
            requests(cases, &mut found);
            lines(found)
        };
        assert_eq!(
            said(&[case(3, 3, None), case(0, 0, None), case(1, 9, Some("GET /a"))]),
            [""; 0]
        );
        assert_eq!(
            said(&[case(3, 6, None), case(2, 2, None)]),
            ["harmless requests: 5 requests for all of the traffic became 8"]
        );
        let many = [
            "look many-requests: case: 1 request became 3",
            "harmless requests: 1 request for all of the traffic became 3",
        ];
        assert_eq!(said(&[case(1, 3, None)]), many);
    }

    #[test]
    fn memory_is_told_when_it_comes_near_the_limit() {
        let said = |before, now| {
            let mut found = Found::default();
            memory([before, now], 64 * 1024, &mut found);
            lines(found)
        };
        assert_eq!(said(10_000, 32 * 1024), [""; 0]);
        assert_eq!(said(40_000, 50_000), [""; 0], "that is no news");
        assert_eq!(said(10_240, 32 * 1024 + 1), ["look memory: 10 KiB became 33 of 64"]);
    }
}
