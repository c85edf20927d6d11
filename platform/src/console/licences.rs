//! Licences: used of purchased, where the service tells it, and what idle seats may cost at most,
//! only from a price that the reader types. Nothing of it is stored.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;

use super::connection::tabs;
use super::form::Query;
use super::page::{Page, bare, name, number, time};
use super::{Console, Fault, Visit, members};
use crate::clock::{DAY, now};
use crate::members::insights::{Seat, Seats, Snapshot};
use crate::problem::Problem;
use crate::runs::usage;

/// Days after which a seat is idle, unless the reader says otherwise.
const IDLE: i64 = 90;
/// Rows of the table.
const ROWS: usize = 500;
/// The largest price, in hundredths.
const MOST: i64 = 100_000_000;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/c/{id}/licences", get(show))
}

/// A row: a product on a site.
struct Row {
    seat: Seat,
    name: String,
    plan: Option<String>,
    purchased: Option<u64>,
    used: Option<u64>,
}

/// A price in hundredths, as people write it.
fn price(text: &str) -> Option<i64> {
    let text = text.trim().replace(',', ".");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|sign| sign.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let hundredths: i64 = format!("{part:0<2}").parse().ok()?;
    let all = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
    (all <= MOST).then_some(all)
}

fn money(hundredths: i64) -> String {
    format!("{}.{:02}", number(hundredths / 100), hundredths % 100)
}

/// The rows: what the service tells, and then what people use beside it.
fn rows(told: &usage::Told, snapshot: &Snapshot) -> Vec<Row> {
    let mut rows: Vec<Row> = told
        .rows
        .iter()
        .filter(|seat| seat.get("sandbox").and_then(Value::as_bool) != Some(true))
        .map(|seat| {
            let text = |key: &str| seat.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
            let count = |key: &str| seat.get(key).and_then(Value::as_u64);
            Row {
                seat: Seat { key: text("key").unwrap_or_default(), site: text("site") },
                name: text("name").unwrap_or_default(),
                plan: text("plan"),
                purchased: count("purchased"),
                used: count("used"),
            }
        })
        .collect();
    for (key, name, site) in snapshot.products() {
        let seat = Seat { key: key.clone(), site: site.clone() };
        if !rows.iter().any(|row| row.seat == seat) {
            rows.push(Row { seat, name: name.clone(), plan: None, purchased: None, used: None });
        }
        if rows.len() >= ROWS {
            break;
        }
    }
    rows.truncate(ROWS);
    rows
}

/// What the reader typed.
struct Typed<'q> {
    query: &'q Query,
    prices: BTreeMap<&'q str, Option<i64>>,
    currency: String,
    idle: i64,
}

impl<'q> Typed<'q> {
    fn of(query: &'q Query) -> Result<Self, Problem> {
        let idle = match query.get("idle") {
            None => IDLE,
            Some(text) => {
                let days = text.parse().ok().filter(|days| (1..=36_500).contains(days));
                days.ok_or_else(|| {
                    Problem::invalid("the idle days are no number of days").hint("Give 1 to 36500.")
                })?
            }
        };
        let prices = query.pairs();
        let prices =
            prices.filter_map(|(key, text)| Some((key.strip_prefix("price.")?, price(text))));
        let currency = query.get("currency").unwrap_or("EUR").chars().take(8).collect();
        Ok(Self { query, prices: prices.collect(), currency, idle })
    }

    /// The price of a product, if it is one.
    fn price(&self, row: &Row) -> Option<i64> {
        self.prices.get(row.seat.key.as_str()).copied().flatten()
    }

    /// What idle seats cost at most.
    fn cost(&self, row: &Row, seats: &Seats) -> Option<i64> {
        let seats = i64::try_from(seats.idle).unwrap_or(i64::MAX);
        Some(self.price(row)?.saturating_mul(seats))
    }
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Page, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let frame = &visit.frame;
    let Some(base) = members::base(&console, &connection, None).await? else {
        return Ok(members::nothing(frame, &connection, "/licences"));
    };
    let typed = Typed::of(&query)?;
    let snapshot = members::snapshot(&console, &connection, base.run.seq).await?;
    let told = usage::list(&console.api.connections.store, &connection.id, base.run.seq).await?;
    let at = now().saturating_sub(typed.idle * DAY);
    let rows = rows(&told, &snapshot);
    let seats: Vec<Seat> = rows.iter().map(|row| row.seat.clone()).collect();
    let counts = members::counted(move || snapshot.seats(&seats, at)).await?;
    let costs = rows.iter().zip(&counts).filter_map(|(row, seats)| typed.cost(row, seats));
    let sum: i64 = costs.fold(0, i64::saturating_add);
    let body = html! {
        (tabs(frame, &connection, "/licences"))
        h1 { "Licences of " (name(&connection.name)) }
        @if told.run.is_none() {
            p {
                "The service tells no seats, or the request that reads them is not approved. \
                 People are counted from the members."
            }
        }
        @if let Some(at) = told.at.filter(|_| told.run.as_ref() != Some(&base.run.id)) {
            p .note {
                "The last run told no seats: used and purchased are as of " (time(at)) "."
            }
        }
        form method="get" {
            div .bar {
                label {
                    "Idle after days"
                    input type="number" name="idle" min="1" max="36500" value=(typed.idle);
                }
                label {
                    "Currency"
                    input name="currency" value=(typed.currency) maxlength="8" size="4";
                }
                button { "Count" }
            }
            @if typed.prices.values().any(Option::is_none) {
                p .error role="alert" {
                    "✘ A price is a number with at most two decimals, as 8.15."
                }
            }
            (table(&rows, &counts, &typed))
        }
        @if sum > 0 {
            p .lead role="status" {
                "At most " strong { (money(sum)) " " (name(&typed.currency)) } " a month, if \
                 every idle seat that is billed for were given back."
            }
        }
        p .help {
            "Idle is who was active in the product, and not for " (typed.idle) " days. Who was \
             never told to be active there is unknown, and not counted. No price is known here: \
             it is what you typed, times the seats, and nothing is stored. A service may bill a \
             person once for several products."
        }
    };
    Ok(frame.page(&format!("Licences of {}", connection.name), body))
}

/// The titles of the columns. On a narrow screen each row is a block, and its cells have them.
const COLUMNS: [&str; 7] = [
    "Product",
    "Site",
    "Used of purchased",
    "People",
    "Billed for and idle",
    "Price a month",
    "At most",
];

fn table(rows: &[Row], counts: &[Seats], typed: &Typed<'_>) -> Markup {
    let mut asked = Vec::new();
    let rows = rows.iter().zip(counts).map(|(row, counts)| {
        let is_first = !asked.contains(&row.seat.key.as_str());
        asked.push(row.seat.key.as_str());
        line(row, counts, typed, is_first)
    });
    html! {
        div .scroll tabindex="0" role="region" aria-label="Licences" {
            // A block is no row to a screen reader, unless it is told so.
            table .stacks role="table" {
                caption .hidden { "Seats by product and site" }
                thead role="rowgroup" {
                    tr role="row" {
                        @for (place, title) in COLUMNS.iter().enumerate() {
                            th scope="col" role="columnheader" .num[is_number(place)] { (title) }
                        }
                    }
                }
                tbody role="rowgroup" { @for row in rows { (row) } }
            }
        }
    }
}

/// Whether a column has numbers.
fn is_number(place: usize) -> bool {
    matches!(place, 2..=4 | 6)
}

fn line(row: &Row, counts: &Seats, typed: &Typed<'_>, is_first: bool) -> Markup {
    let cells = [
        html! { @match &row.seat.site { Some(site) => (name(site)), None => "–" } },
        purchased(row),
        html! { (number(counts.people)) },
        html! {
            (number(counts.idle))
            @if counts.untold > 0 {
                span .sub { (number(counts.untold)) " more of whom it is not told" }
            }
        },
        if is_first {
            price_field(row, typed)
        } else {
            html! { span .sub { "as above" } }
        },
        html! {
            @match typed.cost(row, counts) {
                Some(cost) => { (money(cost)) " " (name(&typed.currency)) }
                None => "–",
            }
        },
    ];
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                (name(&row.name))
                @if let Some(plan) = &row.plan { span .sub { (name(plan)) } }
            }
            @for (place, (title, cell)) in (1..).zip(COLUMNS.iter().skip(1).zip(cells)) {
                td role="cell" data-title=(title) .num[is_number(place)] { (cell) }
            }
        }
    }
}

fn purchased(row: &Row) -> Markup {
    let known = |count: Option<u64>| count.map_or("unknown".to_owned(), number);
    html! {
        @match (row.used, row.purchased) {
            (None, None) => span .sub { "not told" },
            (used, purchased) => {
                (known(used)) " of " (known(purchased))
                @if let (Some(used), Some(purchased)) = (used, purchased) {
                    span .sub {
                        @if used > purchased { "⚠ " (number(used - purchased)) " too many" }
                        @else { (number(purchased - used)) " free" }
                    }
                }
            }
        }
    }
}

/// One price a product, whatever its sites.
fn price_field(row: &Row, typed: &Typed<'_>) -> Markup {
    let field = format!("price.{}", row.seat.key);
    html! {
        input name=(field) inputmode="decimal" size="6" maxlength="12"
            value=(typed.query.get(&field).unwrap_or_default())
            aria-label=(format!("Price of {} a month", bare(&row.name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_as_people_write_it_and_kept_in_hundredths() {
        for (text, hundredths) in [
            ("8.15", Some(815)),
            (" 8,1 ", Some(810)),
            ("8", Some(800)),
            ("0.05", Some(5)),
            ("1000000", Some(100_000_000)),
            ("1000001", None),
            ("", None),
            (".5", None),
            ("8.155", None),
            ("-1", None),
            ("1e3", None),
        ] {
            assert_eq!(price(text), hundredths, "{text}");
        }
        assert_eq!(money(123_456_705), "1,234,567.05");
    }
}
