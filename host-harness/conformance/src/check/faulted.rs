//! Replaces every exchange of every case, one at a time, by every fault.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::{Class, faults, readable, word_for};
use super::fields::Known;
use super::judge::{self, Breach, Under};
use super::recorded::PlayedCase;
use super::rules::{
    ACCOUNT, DISCREET, Definition, ENDING, Findings, KEEPING, Outcomes, PATIENT, READY, ROWS,
    STANDING, WHOLE, WORDED,
};
use super::tally::{FaultKind, Tally};
use super::{Watcher, parallel};
use smp_host::text::grouped;
use smp_replay::player::Player;
use smp_replay::player::call::End;
use smp_replay::player::traffic::Injection;

/// Exchanges of one call that are replaced, at its beginning and at its end: the pages between are
/// like their neighbours.
const MOST_AT_THE_BEGINNING: usize = 8;
const MOST_AT_THE_END: usize = 2;

/// Hanging runs after which the check stops injecting faults: each takes as long as a run may.
const MOST_HUNG: usize = 3;

/// The rules that these runs must keep.
static RULES: [&Definition; 10] =
    [&STANDING, &ENDING, &KEEPING, &WORDED, &WHOLE, &ROWS, &READY, &ACCOUNT, &DISCREET, &PATIENT];

/// An exchange to replace.
struct Place {
    /// Its number, in the order of the cases.
    number: usize,
    case: Arc<PlayedCase>,
    /// Number of the call within the case.
    call: usize,
    exchange: usize,
    /// Whether the largest answer is among the faults.
    with_large: bool,
}

/// What became of the calls in which one exchange was replaced.
pub(super) struct Replaced {
    pub(super) case: Arc<PlayedCase>,
    /// Number of the call within the case, and of the exchange within the call.
    pub(super) at: (usize, usize),
    pub(super) faults: BTreeMap<FaultKind, Tally>,
}

/// What was found at one place.
#[derive(Default)]
struct Sight {
    seen: Vec<Seen>,
    faults: BTreeMap<FaultKind, Tally>,
    /// Whether any unreadable success changed the outcome of the call. `None` if no such fault was
    /// played.
    moved: Option<bool>,
}

/// The places of the hanging runs that are known so far.
#[derive(Default)]
struct Hung(Mutex<Vec<usize>>);

/// A breach, and its place.
struct Seen {
    hung: bool,
    breach: Breach,
    /// The kind of the breach. Breaches of one kind are reported once.
    kind: String,
    sentence: String,
}

/// Plays every fault, and judges the outcomes. Returns the number of exchanges that were replaced,
/// and what became of the calls, up to the last permitted hang.
pub(super) async fn all(
    player: &Arc<Player>,
    cases: &[Arc<PlayedCase>],
    known: Known,
    watcher: &Arc<dyn Watcher>,
    outcomes: &mut Outcomes,
) -> (usize, Vec<Replaced>) {
    let places = places(player, cases);
    let (exchanges, before) = (places.len(), player.runs());
    let of_calls: Vec<_> =
        places.iter().map(|place| (Arc::clone(&place.case), place.call)).collect();
    let of_exchanges: Vec<_> = places.iter().map(|place| place.exchange).collect();
    watcher.begins("exchanges", exchanges);
    let undisturbed: Vec<_> = cases.iter().flat_map(undisturbed).collect();
    let hung = Arc::new(Hung::default());
    // These come before every place.
    undisturbed.iter().filter(|seen| seen.hung).for_each(|_| hung.add(0));
    let (on, watching, known) = (Arc::clone(player), Arc::clone(watcher), Arc::new(known));
    let hung_at = Arc::clone(&hung);
    let sights = parallel::each(places, move |place| {
        let (player, watcher, known, hung) =
            (Arc::clone(&on), Arc::clone(&watching), Arc::clone(&known), Arc::clone(&hung));
        async move {
            let sight = at(&player, &place, &known, &hung).await;
            watcher.step();
            sight
        }
    })
    .await;
    let (mut seen, mut moved) = (undisturbed, BTreeMap::new());
    let (mut replaced, last) = (Vec::new(), hung_at.last());
    for (place, (sight, (case, call))) in sights.into_iter().zip(&of_calls).enumerate() {
        seen.extend(sight.seen);
        if let Some(exchange) = of_exchanges.get(place)
            && last.is_none_or(|last| place <= last)
        {
            let (case, at) = (Arc::clone(case), (*call, *exchange));
            replaced.push(Replaced { case, at, faults: sight.faults });
        }
        if let Some(here) = sight.moved {
            let (_, _, moved) =
                moved.entry((Arc::as_ptr(case), *call)).or_insert((case, *call, false));
            *moved |= here;
        }
    }
    let is_cut = cut(&mut seen);
    if !is_cut {
        // In the order of the cases, not of their addresses.
        let mut unmoved: Vec<_> = moved
            .into_values()
            .filter(|(_, _, moved)| !moved)
            .map(|(case, call, _)| (case, call))
            .collect();
        unmoved.sort_by_key(|(case, call)| {
            of_calls.iter().position(|(other, number)| Arc::ptr_eq(case, other) && number == call)
        });
        seen.extend(unmoved.into_iter().filter_map(|(case, call)| unmoved_seen(case, call)));
    }
    let mut findings = RULES.map(Findings::of);
    for seen in seen {
        if let Some(findings) =
            findings.iter_mut().find(|findings| findings.rule() == seen.breach.rule)
        {
            findings.add_of_kind(seen.kind, seen.sentence);
        }
    }
    let runs = if is_cut {
        "Until it hung for the third time.".to_owned()
    } else {
        format!("In {} runs.", grouped(player.runs() - before))
    };
    for mut findings in findings {
        if is_cut && *findings.rule() == ENDING {
            findings.add(format!("it hung {MOST_HUNG} times: the faults after that were left out"));
        }
        outcomes.add(findings.judged(runs.clone()));
    }
    (exchanges, replaced)
}

/// Breaches of a case without a fault.
fn undisturbed(case: &Arc<PlayedCase>) -> impl Iterator<Item = Seen> + '_ {
    let name = &case.case.name;
    case.breaches().map(move |(call, breach)| Seen {
        hung: case.hung(call),
        breach: breach.clone(),
        kind: format!("{call} {}", breach.what),
        sentence: format!("{name}: {call}, without a fault: {}", breach.what),
    })
}

/// The breach of a call whose outcome no unreadable answer changed.
fn unmoved_seen(case: &Arc<PlayedCase>, call: usize) -> Option<Seen> {
    let (call, undisturbed) = case.calls.get(call)?;
    let breach = judge::unmoved(*call, &undisturbed.end)?;
    let sentence = format!("{}: {call}, every exchange: {}", case.case.name, breach.what);
    Some(Seen { hung: false, kind: format!("{call} unmoved"), sentence, breach })
}

/// Drops what was found after the last permitted hang. It goes by the order of the places, so that
/// the result is the same at any number of threads.
fn cut(seen: &mut Vec<Seen>) -> bool {
    let last = seen
        .iter()
        .enumerate()
        .filter(|(_, seen)| seen.hung)
        .map(|(index, _)| index)
        .nth(MOST_HUNG - 1);
    last.inspect(|last| seen.truncate(last + 1)).is_some()
}

impl Hung {
    fn add(&self, place: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }

    /// The place of the last permitted hang, after which nothing counts.
    fn last(&self) -> Option<usize> {
        let mut hung = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hung.sort_unstable();
        hung.get(MOST_HUNG - 1).copied()
    }

    /// Whether enough runs hung up to this place that later ones do not count.
    fn ends(&self, place: usize) -> bool {
        let hung = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hung.iter().filter(|at| **at <= place).count() >= MOST_HUNG
    }
}

/// Every exchange to replace, in the order of the cases.
fn places(player: &Player, cases: &[Arc<PlayedCase>]) -> Vec<Place> {
    let mut places = Vec::new();
    for case in cases {
        for (call, (_, played)) in case.calls.iter().enumerate() {
            let mut large = std::collections::BTreeSet::new();
            let last = played.exchanges.len().saturating_sub(MOST_AT_THE_END);
            for (exchange, what) in played.exchanges.iter().enumerate() {
                if !what.held || (exchange >= MOST_AT_THE_BEGINNING && exchange < last) {
                    continue;
                }
                // One for each endpoint: the others are as long.
                let with_large = large.insert(player.endpoint(&what.request));
                places.push(Place {
                    number: places.len(),
                    case: Arc::clone(case),
                    call,
                    exchange,
                    with_large,
                });
            }
        }
    }
    places
}

/// Plays every fault at one place.
async fn at(player: &Player, place: &Place, known: &Known, hung: &Hung) -> Sight {
    let mut sight = Sight::default();
    let case = &place.case.case;
    let (Ok(checked), Some((call, undisturbed))) =
        (&case.checked, place.case.calls.get(place.call))
    else {
        return sight;
    };
    let Some(exchange) = undisturbed.exchanges.get(place.exchange) else { return sight };
    let endpoint = player.endpoint(&exchange.request);
    let was_readable = readable(&exchange.answer).is_some();
    let endpoint_named = endpoint.map(|number| player.endpoint_named(number)).unwrap_or_default();
    let word = word_for(&player.plugin().info().digest);
    for fault in faults(&exchange.answer, &word, player.limits().response, place.with_large) {
        if hung.ends(place.number) {
            break;
        }
        let removed = match &fault.class {
            Class::Changed { removed: Some(pattern) } => Some(pattern.as_str()),
            _ => None,
        };
        let may_be_missing = removed
            .zip(endpoint)
            .is_some_and(|(pattern, endpoint)| known.may_be_missing(endpoint, pattern));
        let under = Under { class: &fault.class, was_readable, may_be_missing };
        let injection = Injection {
            exchange: place.exchange,
            request: exchange.request.clone(),
            fault: fault.injected(&exchange.answer),
        };
        // The fixture has been played before, so it can be played.
        if let Ok(played) = player.play(case, checked, *call, Some(injection)).await {
            if fault.is_unreadable_success() {
                sight.moved =
                    Some(sight.moved.unwrap_or_default() || played.end != undisturbed.end);
            }
            let hangs = played.end.hung();
            if hangs {
                hung.add(place.number);
            }
            let mut breaches = judge::always(&played, &word);
            breaches.extend(judge::under(&under, *call, &undisturbed.end, &played.end));
            let tally = sight.faults.entry(fault.column()).or_default();
            match &played.end {
                _ if !breaches.is_empty() => tally.breaks += 1,
                end if *end == undisturbed.end => tally.same += 1,
                End::Failed(_) | End::Checked { ready: false, .. } => tally.ends += 1,
                _ => tally.differs += 1,
            }
            sight.seen.extend(breaches.into_iter().map(|breach| {
                let hung = hangs && *breach.rule == ENDING;
                let sentence = format!(
                    "{}: {call}, exchange {} (`{endpoint_named}`), {}: {}",
                    case.name,
                    place.exchange + 1,
                    fault.name,
                    breach.what
                );
                Seen {
                    hung,
                    kind: format!("{call} {endpoint_named} {:?}", fault.kind()),
                    sentence,
                    breach,
                }
            }));
        }
        // Yields to other tasks, so that a check that is dropped ends here.
        tokio::task::yield_now().await;
    }
    sight
}
