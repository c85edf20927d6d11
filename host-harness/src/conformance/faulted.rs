//! Every exchange of every case, one at a time, replaced by every fault.

use std::sync::Arc;

use super::bench::Bench;
use super::fault::{Class, Fault, faults, readable};
use super::fields::Known;
use super::judge::{self, Breach, Under};
use super::played::{Call, Played, play};
use super::rehearse::Rehearsed;
use super::rules::{ACCOUNT, DISCREET, Definition, ENDING, Findings, KEEPING, Outcomes, PATIENT, READY, ROWS, STANDING, WHOLE, WORDED};
use super::traffic::Planted;
use super::{Watcher, parallel};

/// Exchanges of one call that are replaced, at its beginning and at its end: the pages in between are like those around them.
const MOST_AT_THE_BEGINNING: usize = 8;
const MOST_AT_THE_END: usize = 2;

/// The rules that these runs are held to.
static RULES: [&Definition; 10] = [&STANDING, &ENDING, &KEEPING, &WORDED, &WHOLE, &ROWS, &READY, &ACCOUNT, &DISCREET, &PATIENT];

/// An exchange that is to be replaced.
struct Place {
    case: Arc<Rehearsed>,
    /// Number of the call among those of the case.
    call: usize,
    exchange: usize,
    /// Whether the largest answer is among the faults.
    with_large: bool,
}

/// A breach, and where it was seen.
struct Seen {
    breach: Breach,
    /// What is told once of breaches of the same kind.
    kind: String,
    sentence: String,
}

/// Plays every fault, and judges what came of it. Gives the number of exchanges that were replaced.
pub(super) async fn all(
    bench: &Arc<Bench>,
    cases: &[Arc<Rehearsed>],
    known: Known,
    watcher: &Arc<dyn Watcher>,
    outcomes: &mut Outcomes,
) -> usize {
    let places = places(bench, cases);
    let (exchanges, before) = (places.len(), bench.runs());
    watcher.begins("exchanges", exchanges);
    let (on, watching, known) = (Arc::clone(bench), Arc::clone(watcher), Arc::new(known));
    let seen = parallel::each(places, move |place| {
        let (bench, watcher, known) = (Arc::clone(&on), Arc::clone(&watching), Arc::clone(&known));
        async move {
            let seen = at(&bench, &place, &known).await;
            watcher.step();
            seen
        }
    })
    .await;
    let undisturbed = cases.iter().flat_map(|case| {
        let name = &case.case.name;
        case.breaches().map(move |(call, breach)| Seen {
            breach: breach.clone(),
            kind: format!("{call} {}", breach.what),
            sentence: format!("{name}: {call}, without a fault: {}", breach.what),
        })
    });
    let mut findings = RULES.map(Findings::of);
    for seen in undisturbed.chain(seen.into_iter().flatten()) {
        if let Some(findings) = findings.iter_mut().find(|findings| findings.rule() == seen.breach.rule) {
            findings.add_of_kind(seen.kind, seen.sentence);
        }
    }
    let runs = crate::terminal::grouped(bench.runs() - before);
    findings.into_iter().for_each(|findings| outcomes.add(findings.judged(format!("In {runs} runs."))));
    exchanges
}

/// Every exchange that is to be replaced, in the order of the cases.
fn places(bench: &Bench, cases: &[Arc<Rehearsed>]) -> Vec<Place> {
    let mut places = Vec::new();
    for case in cases {
        for (call, (_, played)) in case.calls.iter().enumerate() {
            let mut large = std::collections::BTreeSet::new();
            let last = played.exchanges.len().saturating_sub(MOST_AT_THE_END);
            for (exchange, what) in played.exchanges.iter().enumerate() {
                if !what.held || (exchange >= MOST_AT_THE_BEGINNING && exchange < last) {
                    continue;
                }
                // One of each endpoint: the others are as long.
                let with_large = large.insert(bench.endpoint(&what.request));
                places.push(Place { case: Arc::clone(case), call, exchange, with_large });
            }
        }
    }
    places
}

/// Plays every fault at one place.
async fn at(bench: &Bench, place: &Place, known: &Known) -> Vec<Seen> {
    let mut seen = Vec::new();
    let case = &place.case.case;
    let (Some(checked), Some((call, undisturbed))) = (&case.checked, place.case.calls.get(place.call)) else { return seen };
    let Some(exchange) = undisturbed.exchanges.get(place.exchange) else { return seen };
    let endpoint = bench.endpoint(&exchange.request);
    let was_readable = readable(&exchange.answer).is_some();
    let endpoint_named = endpoint.map(|number| bench.endpoint_named(number)).unwrap_or_default();
    for fault in faults(&exchange.answer, bench.limits.response_bytes, place.with_large) {
        let removed = match &fault.class {
            Class::Changed { removed: Some(pattern) } => Some(pattern.as_str()),
            _ => None,
        };
        let may_be_missing = removed.zip(endpoint).is_some_and(|(pattern, endpoint)| known.may_be_missing(endpoint, pattern));
        let under = Under { class: &fault.class, was_readable, may_be_missing };
        let planted = Planted { exchange: place.exchange, request: exchange.request.clone(), deed: fault.deed(&exchange.answer) };
        let breaches = match play(bench, case, checked, *call, Some(planted)).await {
            Ok(played) => judged(&under, *call, undisturbed, &played),
            // The fixture was played before.
            Err(_) => Vec::new(),
        };
        seen.extend(breaches.into_iter().map(|breach| tell(breach, *call, place, &endpoint_named, &fault, &case.name)));
        // Others get their turn, and a check that is not wanted any more ends here.
        tokio::task::yield_now().await;
    }
    seen
}

fn judged(under: &Under<'_>, call: Call, undisturbed: &Played, played: &Played) -> Vec<Breach> {
    let mut breaches = judge::always(played);
    breaches.extend(judge::under(under, call, &undisturbed.end, &played.end));
    breaches
}

fn tell(breach: Breach, call: Call, place: &Place, endpoint: &str, fault: &Fault, case: &str) -> Seen {
    let sentence = format!("{case}: {call}, exchange {} (`{endpoint}`), {}: {}", place.exchange + 1, fault.name, breach.what);
    Seen { kind: format!("{call} {endpoint} {:?}", fault.kind()), sentence, breach }
}
