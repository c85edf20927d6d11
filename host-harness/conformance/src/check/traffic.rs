//! The traffic of the fixture cases, for a report: each exchange, what it became, and what became
//! of the calls in which it was replaced by a fault.
//!
//! It judges nothing: that is the verdict. Texts are those of the connector and of the fixture.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::faulted::Replaced;
use super::recorded::PlayedCase;
pub use super::tally::{FaultKind, Tally};
use smp_host::collect::report::Note;
use smp_host::validation::CheckOutcome;
use smp_replay::player::Player;
use smp_replay::player::call::{Call, End, Played};
use smp_replay::player::trace::{Paged, Tried};
use smp_replay::player::traffic::Exchange;

/// The traffic of a fixture case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseTraffic {
    /// The name of the case.
    pub name: String,
    /// Why the form refuses its settings. Nothing is sent then.
    pub refused: Option<String>,
    /// Whether the outcome is the expected one. `None` if none is expected.
    pub as_expected: Option<bool>,
    /// The calls, in the order in which a platform makes them.
    pub calls: Vec<CallTraffic>,
}

/// The traffic of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTraffic {
    /// The call.
    pub call: &'static str,
    /// How it ended without a fault.
    pub ended: Ended,
    /// What the connector noted on a list.
    pub notes: Vec<Note>,
    /// The exchanges, in order.
    pub exchanges: Vec<ExchangeTraffic>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The settings were checked.
    Checked {
        /// Whether they are ready.
        ready: bool,
        /// The checks.
        checks: Vec<CheckTraffic>,
    },
    /// With an account, by its id.
    Account(String),
    /// With a complete list of so many records.
    List(usize),
    /// With a failure: its code, its message and its hint.
    Failed {
        /// The code.
        code: &'static str,
        /// What happened.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

/// A check of `validate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckTraffic {
    /// What was checked.
    pub title: String,
    /// The outcome.
    pub outcome: CheckOutcome,
    /// What was found.
    pub message: String,
}

/// A request with its last answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeTraffic {
    /// The declared endpoint, as `GET /v1/users`.
    pub endpoint: Option<String>,
    /// The method, the path and the query.
    pub request: String,
    /// The status of the last answer. `None` if there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub fault: Option<&'static str>,
    /// How often it was sent.
    pub tries: usize,
    /// How long it was waited between the tries.
    pub waited: Duration,
    /// The bytes of the answer's body.
    pub bytes: Option<usize>,
    /// Whether the fixture has an answer.
    pub held: bool,
    /// The page of the list that it was sent for.
    pub page: Option<u64>,
    /// What the page became, at its last exchange.
    pub became: Option<Paged>,
    /// What became of the calls in which it was replaced, by kind of fault. `None` if it was not
    /// replaced.
    pub faults: Option<BTreeMap<FaultKind, Tally>>,
}

/// The traffic of these cases.
pub(super) fn of(
    player: &Player,
    cases: &[Arc<PlayedCase>],
    replaced: &[Replaced],
) -> Vec<CaseTraffic> {
    let mut places: BTreeMap<_, _> =
        replaced.iter().map(|it| ((Arc::as_ptr(&it.case), it.at), &it.faults)).collect();
    let mut case = |case: &Arc<PlayedCase>| {
        let calls = case.calls.iter().enumerate().map(|(number, (call, played))| {
            let mut exchanges = exchanges(player, played);
            for (place, exchange) in exchanges.iter_mut().enumerate() {
                exchange.faults = places.remove(&(Arc::as_ptr(case), (number, place))).cloned();
            }
            let notes = played.trace.notes.clone();
            CallTraffic { call: named(*call), ended: ended(&played.end), notes, exchanges }
        });
        let calls = calls.collect();
        let refused = case.case.checked.as_ref().err().map(|failure| failure.message.clone());
        let (name, as_expected) = (case.case.name.clone(), case.is_as_expected());
        CaseTraffic { name, refused, as_expected, calls }
    };
    cases.iter().map(&mut case).collect()
}

fn named(call: Call) -> &'static str {
    match call {
        Call::Validate => "validate",
        Call::Connect => "connect",
        Call::Collect => "collect",
        Call::Usage => "usage",
    }
}

fn exchanges(player: &Player, played: &Played) -> Vec<ExchangeTraffic> {
    let mut tries = played.trace.tries.iter();
    let endpoint = |exchange: &Exchange| {
        player.endpoint(&exchange.request).map(|number| player.endpoint_named(number))
    };
    let told = |exchange: &Exchange| told(exchange, endpoint(exchange), &mut tries);
    let mut exchanges: Vec<_> = played.exchanges.iter().map(told).collect();
    for page in &played.trace.pages {
        let last = exchanges.iter_mut().rev().find(|exchange| exchange.page == Some(page.number));
        if let Some(exchange) = last {
            exchange.became = Some(page.clone());
        }
    }
    exchanges
}

fn told<'t>(
    exchange: &Exchange,
    endpoint: Option<String>,
    tries: &mut impl Iterator<Item = &'t Tried>,
) -> ExchangeTraffic {
    let own: Vec<&Tried> = tries.take(exchange.tries).collect();
    let response = exchange.answer.as_ref().ok();
    ExchangeTraffic {
        endpoint,
        request: format!("{} {}", exchange.request.method, exchange.request.path_and_query),
        status: response.map(|response| response.status),
        fault: exchange.answer.as_ref().err().map(|error| error.fault().as_str()),
        tries: exchange.tries,
        waited: own.iter().filter_map(|tried| tried.waited).sum(),
        bytes: response.map(|response| response.body.len()),
        held: exchange.held,
        page: own.first().and_then(|tried| tried.page),
        became: None,
        faults: None,
    }
}

fn ended(end: &End) -> Ended {
    match end {
        End::Checked { ready, report, .. } => {
            Ended::Checked { ready: *ready, checks: checks(report) }
        }
        End::Account(id) => Ended::Account(id.clone()),
        End::List { ids, .. } => Ended::List(ids.len()),
        End::Failed(failure) => Ended::Failed {
            code: failure.code.as_str(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        },
    }
}

/// The checks of a report as it is written for scripts.
fn checks(report: &Value) -> Vec<CheckTraffic> {
    let checks = report.get("checks").and_then(Value::as_array);
    let text =
        |check: &Value, key| check.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let told = |check: &Value| {
        use CheckOutcome::{Failed, Passed, Skipped, Warning};
        let outcomes = [Passed, Warning, Failed, Skipped];
        let said = text(check, "outcome");
        let outcome = outcomes.into_iter().find(|outcome| outcome.as_str() == said);
        CheckTraffic {
            title: text(check, "title"),
            outcome: outcome.unwrap_or(Skipped),
            message: text(check, "message"),
        }
    };
    checks.into_iter().flatten().map(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use smp_host::http::transport::{Method, Request, Response, TransportError};

    fn exchange(status: u16, tries: usize) -> Exchange {
        let request = Request {
            method: Method::Get,
            path_and_query: "/a?b=1".into(),
            body: None,
            headers: Arc::default(),
        };
        let body = b"12345".to_vec();
        let answer = match status {
            0 => Err(TransportError::TimedOut),
            status => Ok(Response { status, body, ..Response::default() }),
        };
        Exchange { request, answer, held: true, tries }
    }

    fn tried(page: u64, waited: Option<u64>) -> Tried {
        let waited = waited.map(Duration::from_secs);
        Tried { page: Some(page), status: None, fault: None, bytes: None, waited }
    }

    #[test]
    fn the_tries_of_an_exchange_are_told_with_their_waits() {
        let tries = [tried(1, Some(2)), tried(1, Some(3)), tried(1, None), tried(2, None)];
        let mut tries = tries.iter();
        let first = told(&exchange(200, 3), Some("GET /a".into()), &mut tries);
        let second = told(&exchange(0, 1), None, &mut tries);
        assert_eq!(
            (first.waited.as_secs(), first.page, first.status, first.bytes, first.request.as_str()),
            (5, Some(1), Some(200), Some(5), "GET /a?b=1")
        );
        assert_eq!((second.page, second.status, second.fault), (Some(2), None, Some("timed-out")));
    }

    #[test]
    fn a_check_without_a_known_outcome_was_not_looked_at() {
        let report = json!({"checks": [
            {"title": "A", "outcome": "failed", "message": "b"},
            {"title": "C", "outcome": "odd"},
        ]});
        let told = checks(&report);
        assert_eq!((told[0].outcome, told[0].message.as_str()), (CheckOutcome::Failed, "b"));
        assert_eq!((told[1].outcome, told[1].title.as_str()), (CheckOutcome::Skipped, "C"));
    }
}
