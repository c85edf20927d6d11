//! The traffic of fixture cases: exchange by exchange, what each became, and the heat map of
//! exchanges and faults.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};

use crate::check::traffic::{CallTraffic, CaseTraffic, Ended, ExchangeTraffic, FaultKind, Tally};
use smp_host::collect::report::Note;
use smp_host::text::counted;
use smp_listing::html::parts::{mark, more, number, outcome, scroll, state};
use smp_listing::html::text::{code, name, said};
use smp_listing::shown;

/// Faults by kind, of one exchange or of several.
type Faults = BTreeMap<FaultKind, Tally>;

/// Most exchanges of a call that are shown.
const MOST_EXCHANGES: usize = 100;

/// The heat map of all cases: a row for each call and endpoint.
pub(super) fn overview(cases: &[CaseTraffic]) -> Markup {
    let mut rows: Vec<(&'static str, &str, usize, Faults)> = Vec::new();
    for (call, exchange, faults) in replaced(cases) {
        let endpoint = exchange.endpoint.as_deref().unwrap_or("not declared");
        let place = rows.iter().position(|(other, known, ..)| *other == call && *known == endpoint);
        match place.and_then(|place| rows.get_mut(place)) {
            Some((_, _, count, sum)) => {
                *count = count.saturating_add(1);
                add(sum, faults);
            }
            None => rows.push((call, endpoint, 1, faults.clone())),
        }
    }
    let rows = rows.iter().map(|(call, endpoint, count, faults)| {
        let exchanges = format!("{call}, {}", counted(*count, "exchange"));
        (html! { (code(endpoint)) span .sub { (exchanges) } }, faults)
    });
    html! {
        p {
            "Each exchange of each case was replaced, one at a time, by each fault, and the call \
             was made again. A cell counts how these calls ended."
        }
        (legend())
        (heat("Exchanges and faults of all cases", rows))
    }
}

fn replaced(
    cases: &[CaseTraffic],
) -> impl Iterator<Item = (&'static str, &ExchangeTraffic, &Faults)> {
    cases.iter().flat_map(|case| &case.calls).flat_map(|call| {
        call.exchanges
            .iter()
            .filter_map(|exchange| Some((call.call, exchange, exchange.faults.as_ref()?)))
    })
}

fn add(sum: &mut Faults, faults: &Faults) {
    for (kind, tally) in faults {
        let known = sum.entry(*kind).or_default();
        *known = known.and(*tally);
    }
}

fn legend() -> Markup {
    let entries = [
        ("h-ends", "stop", "the call ended with a failure that says what to do, or not ready"),
        ("h-holds", "same", "it ended as without the fault"),
        ("h-differs", "other", "it ended with another result, as it may"),
        ("h-breaks", "✘ break", "it broke a rule"),
    ];
    html! {
        ul .legend {
            @for (class, word, meaning) in entries {
                li { code .(class) { (word) } " " (meaning) }
            }
        }
    }
}

fn heat<'f>(caption: &str, rows: impl Iterator<Item = (Markup, &'f Faults)>) -> Markup {
    let table = html! {
        table .heat {
            caption .hidden { (caption) }
            thead {
                tr {
                    th scope="col" { "Exchange" }
                    @for kind in FaultKind::ALL { th scope="col" { (kind.as_str()) } }
                }
            }
            tbody {
                @for (head, faults) in rows {
                    tr {
                        th scope="row" { (head) }
                        @for kind in FaultKind::ALL { (cell(faults.get(&kind).copied())) }
                    }
                }
            }
        }
    };
    scroll(caption, &table)
}

fn cell(tally: Option<Tally>) -> Markup {
    let Some(Tally { ends, same, differs, breaks }) = tally else { return html! { td { "–" } } };
    let class = match (breaks, differs, same) {
        (0, 0, 0) => "h-ends",
        (0, 0, _) => "h-holds",
        (0, ..) => "h-differs",
        _ => "h-breaks",
    };
    html! {
        td .(class) {
            @if breaks > 0 { span { "✘ " (number(breaks)) " break" } }
            @if ends > 0 { span { (number(ends)) " stop" } }
            @if same > 0 { span { (number(same)) " same" } }
            @if differs > 0 { span { (number(differs)) " other" } }
        }
    }
}

/// Each case, folded.
pub(super) fn cases(cases: &[CaseTraffic]) -> Markup {
    let (cases, hidden) = shown(cases);
    html! { @for one in cases { (case(one)) } (more(hidden)) }
}

fn case(case: &CaseTraffic) -> Markup {
    let exchanges: usize = case.calls.iter().map(|call| call.exchanges.len()).sum();
    let breaks: usize = replaced(std::slice::from_ref(case))
        .flat_map(|(_, _, faults)| faults.values())
        .map(|tally| tally.breaks)
        .sum();
    let expected = match case.as_expected {
        Some(true) => state("✔", "good", "as expected"),
        Some(false) => state("✘", "bad", "not as expected"),
        None => state("–", "still", "nothing is expected"),
    };
    html! {
        details .case {
            summary {
                strong { (name(&case.name)) }
                (expected)
                span .sub { (counted(exchanges, "exchange")) }
                @if breaks > 0 {
                    (state("✘", "bad", &format!("{} break a rule", number(breaks))))
                }
            }
            @if let Some(why) = &case.refused {
                p { "The form refuses the settings, so nothing is sent: " (said(why)) }
            }
            @for call in &case.calls { (one_call(case, call)) }
        }
    }
}

fn one_call(case: &CaseTraffic, call: &CallTraffic) -> Markup {
    let all = &call.exchanges;
    let first = all.get(..all.len().min(MOST_EXCHANGES)).unwrap_or_default();
    let caption = format!("Exchanges of {} in {}", call.call, smp_listing::name(&case.name));
    let rows: Vec<_> = call
        .exchanges
        .iter()
        .enumerate()
        .filter_map(|(place, exchange)| Some((place, exchange, exchange.faults.as_ref()?)))
        .collect();
    html! {
        h3 { code { (call.call) } }
        (ended(&call.ended))
        (notes(&call.notes))
        @if !first.is_empty() {
            (scroll(&caption, &table(&caption, first)))
            (more(all.len() - first.len()))
        }
        @if !rows.is_empty() {
            @let caption = format!("Faults of {} in {}", call.call, smp_listing::name(&case.name));
            details {
                summary { "Replaced by faults" }
                (heat(&caption, rows.iter().map(|(place, exchange, faults)| {
                    let head = format!("{}. ", place + 1);
                    (html! { (head) (code(&exchange.request)) }, *faults)
                })))
            }
        }
    }
}

fn table(caption: &str, exchanges: &[ExchangeTraffic]) -> Markup {
    html! {
        table {
            caption .hidden { (caption) }
            thead {
                tr {
                    th scope="col" .num { "#" }
                    th scope="col" { "Request" }
                    th scope="col" { "Answer" }
                    th scope="col" .num { "Tries" }
                    th scope="col" .num { "Waited" }
                    th scope="col" .num { "Size" }
                    th scope="col" { "What it became" }
                }
            }
            tbody {
                @for (place, exchange) in exchanges.iter().enumerate() {
                    tr {
                        td .num { (number(place + 1)) }
                        th scope="row" { (code(&exchange.request)) }
                        td { (answer(exchange)) }
                        td .num { (number(exchange.tries)) }
                        td .num { (waited(exchange.waited)) }
                        td .num { (bytes(exchange.bytes)) }
                        td { (became(exchange)) }
                    }
                }
            }
        }
    }
}

fn answer(exchange: &ExchangeTraffic) -> Markup {
    if !exchange.held {
        return state("?", "still", "not in the fixture");
    }
    match (exchange.status, exchange.fault) {
        (Some(status @ 200..=299), _) => state("✔", "good", &status.to_string()),
        (Some(status @ (429 | 500..)), _) => state("⚠", "warn", &status.to_string()),
        (Some(status), _) => state("✘", "bad", &status.to_string()),
        (None, fault) => state("✘", "bad", fault.unwrap_or("no answer")),
    }
}

fn waited(wait: Duration) -> String {
    match wait.as_millis() {
        0 => "–".to_owned(),
        ms @ 1..1_000 => format!("{ms} ms"),
        ms => smp_listing::wait(u64::try_from(ms.div_ceil(1_000)).unwrap_or(u64::MAX)),
    }
}

fn bytes(bytes: Option<usize>) -> String {
    match bytes {
        None => "–".to_owned(),
        Some(bytes @ 0..1_024) => format!("{bytes} B"),
        Some(bytes) => format!("{} kB", number(bytes.div_ceil(1_024))),
    }
}

fn became(exchange: &ExchangeTraffic) -> Markup {
    let Some(page) = &exchange.became else {
        return html! {
            @match exchange.page {
                Some(page) => span .fine { "for page " (number(page)) },
                None => "–",
            }
        };
    };
    html! {
        "Page " (number(page.number)) ": " (number(page.added)) " added"
        @if page.duplicates > 0 { ", " (number(page.duplicates)) " there before" }
        @if let Some(total) = page.total { ", of " (number(total)) " told" }
        @if page.restarted { span .sub { "The service forgot the cursor: the list began again." } }
        (notes(&page.notes))
    }
}

fn notes(notes: &[Note]) -> Markup {
    let (notes, hidden) = shown(notes);
    html! {
        @for note in notes {
            p .fine { "⚠ " (said(&note.message)) " → " (said(&note.hint)) }
        }
        (more(hidden))
    }
}

fn ended(ended: &Ended) -> Markup {
    html! {
        @match ended {
            Ended::Checked { ready, checks } => {
                p {
                    @if *ready { (state("✔", "good", "Ready")) }
                    @else { (state("✘", "bad", "Not ready")) }
                }
                @let (checks, hidden) = shown(checks);
                ul .checks {
                    @for check in checks {
                        li {
                            (outcome(check.outcome)) " · " (said(&check.title)) ": "
                            (said(&check.message))
                        }
                    }
                }
                (more(hidden))
            }
            Ended::Account(id) => p { (state("✔", "good", "Account")) " " (code(id)) },
            Ended::List(count) => {
                p { (state("✔", "good", "Complete")) ", " (counted(*count, "record")) }
            }
            Ended::Failed { code: kind, message, hint } => {
                @let (sign, class) = mark(smp_host::validation::CheckOutcome::Failed);
                p { (state(sign, class, "Failed")) " as " code { (kind) } ": " (said(message)) }
                @if let Some(hint) = hint { p .fine { "→ " (said(hint)) } }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::check::traffic::CheckTraffic;
    use smp_host::validation::CheckOutcome;
    use smp_listing::testing::assert_is_harmless;
    use smp_replay::player::trace::Paged;

    /// Cases with this text wherever the fixture or the connector has one.
    pub(in crate::page) fn cases(text: &str) -> Vec<CaseTraffic> {
        let note = || Note { message: text.into(), hint: text.into(), setting: None };
        let page = Paged {
            number: 2,
            added: 1_200,
            duplicates: 3,
            total: Some(1_300),
            notes: vec![note()],
            restarted: true,
        };
        let exchange = |status: Option<u16>, became: Option<Paged>| ExchangeTraffic {
            endpoint: Some(text.into()),
            request: text.into(),
            status,
            fault: status.is_none().then_some("timed-out"),
            tries: 3,
            waited: Duration::from_millis(2_500),
            bytes: status.map(|_| 5_000),
            held: true,
            page: Some(2),
            became,
            faults: Some(BTreeMap::from([
                (FaultKind::NoAnswer, Tally { ends: 4, ..Tally::default() }),
                (FaultKind::Field, Tally { ends: 1, same: 2, differs: 3, breaks: 4 }),
            ])),
        };
        let call =
            |call, ended, exchanges| CallTraffic { call, ended, notes: vec![note()], exchanges };
        let check = CheckTraffic {
            title: text.into(),
            outcome: CheckOutcome::Skipped,
            message: text.into(),
        };
        let failed =
            Ended::Failed { code: "upstream", message: text.into(), hint: Some(text.into()) };
        let checked = Ended::Checked { ready: false, checks: vec![check] };
        let one = CaseTraffic {
            name: text.into(),
            refused: None,
            as_expected: Some(true),
            calls: vec![
                call("validate", checked, vec![exchange(None, None)]),
                call("connect", Ended::Account(text.into()), vec![exchange(Some(429), None)]),
                call("collect", Ended::List(1_200), vec![exchange(Some(200), Some(page))]),
                call("usage", failed, vec![exchange(Some(200), None)]),
            ],
        };
        let other = CaseTraffic {
            name: text.into(),
            refused: Some(text.into()),
            as_expected: None,
            calls: vec![],
        };
        vec![one, other]
    }

    #[test]
    fn an_exchange_says_what_it_became() {
        let page = super::cases(&cases("said")).into_string();
        assert_is_harmless(&page);
        for expected in [
            "Page 2: 1,200 added, 3 there before, of 1,300 told",
            "The service forgot the cursor: the list began again.",
            "⚠ <bdi>said</bdi> → <bdi>said</bdi>",
            "<td class=\"num\">3 seconds</td>",
            "<td class=\"num\">5 kB</td>",
            "timed-out</span>",
            "</span> 429</span>",
            "4 exchanges",
            "16 break a rule",
            "The form refuses the settings, so nothing is sent: <bdi>said</bdi>",
            "</span> Not looked at</span> · <bdi>said</bdi>: <bdi>said</bdi>",
            "as <code>upstream</code>: <bdi>said</bdi>",
        ] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }

    #[test]
    fn the_map_counts_calls_by_endpoint_and_kind_of_fault() {
        let cases = cases("GET /a");
        let map = overview(&cases).into_string();
        assert_eq!(map.matches("<tr>").count(), 1 + 4, "a row for each call: {map}");
        assert!(map.contains("<td class=\"h-ends\"><span>4 stop</span></td><td>–</td>"), "{map}");
        let mixed = "<td class=\"h-breaks\"><span>✘ 4 break</span><span>1 stop</span><span>2 \
                     same</span><span>3 other</span></td>";
        assert!(map.contains(mixed), "{map}");
        let twice = overview(&[cases.clone(), cases].concat()).into_string();
        assert!(twice.contains("collect, 2 exchanges") && twice.contains("8 stop"), "{twice}");
    }
}
