//! Licences: used of purchased, where the service tells it, and what idle seats may cost at most,
//! only from a price that the reader types. Nothing of it is stored.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::html;
use serde_json::Value;

use super::connections::tabs;
use super::form::Query;
use super::page::{Page, name, number, time};
use super::{Console, Fault, Visit, members};
use crate::clock::{DAY, now};
use crate::problem::Problem;
use crate::runs::usage;

/// Days after which a seat is idle, unless the reader says otherwise.
const IDLE: i64 = 90;
/// The largest price, in hundredths.
const MOST: i64 = 100_000_000;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/c/{id}/licences", get(show))
}

/// A row: a product on a site.
struct Row {
    key: String,
    name: String,
    site: Option<String>,
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
    let idle = match query.get("idle") {
        None => IDLE,
        Some(text) => {
            let days = text.parse().ok().filter(|days| (1..=36_500).contains(days));
            days.ok_or_else(|| {
                Problem::invalid("the idle days are no number of days").hint("Give 1 to 36500.")
            })?
        }
    };
    let snapshot = members::snapshot(&console, &connection, base.run.seq).await?;
    let told = usage::list(&console.api.connections.store, &connection.id, base.run.seq).await?;
    let mut rows: Vec<Row> = told
        .rows
        .iter()
        .filter(|seat| seat.get("sandbox").and_then(Value::as_bool) != Some(true))
        .map(|seat| {
            let text = |key: &str| seat.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
            let count = |key: &str| seat.get(key).and_then(Value::as_u64);
            Row {
                key: text("key").unwrap_or_default(),
                name: text("name").unwrap_or_default(),
                site: text("site"),
                plan: text("plan"),
                purchased: count("purchased"),
                used: count("used"),
            }
        })
        .collect();
    for (key, name, site) in snapshot.products() {
        if !rows.iter().any(|row| row.key == *key && row.site == *site) {
            let (key, name, site) = (key.clone(), name.clone(), site.clone());
            rows.push(Row { key, name, site, plan: None, purchased: None, used: None });
        }
    }
    rows.truncate(500);
    let prices: BTreeMap<&str, Option<i64>> = query
        .pairs()
        .filter_map(|(key, text)| Some((key.strip_prefix("price.")?, price(text))))
        .collect();
    let currency: String = query.get("currency").unwrap_or("EUR").chars().take(8).collect();
    let at = now().saturating_sub(idle * DAY);
    let counted: Vec<_> =
        rows.iter().map(|row| snapshot.seats(&row.key, row.site.as_deref(), at)).collect();
    let sum: i64 = rows
        .iter()
        .zip(&counted)
        .filter_map(|(row, counts)| {
            let price = prices.get(row.key.as_str()).copied().flatten()?;
            Some(price.saturating_mul(i64::try_from(counts.1).unwrap_or(i64::MAX)))
        })
        .fold(0, i64::saturating_add);
    let wrong = prices.values().any(Option::is_none);
    let mut asked = Vec::new();
    let body = html! {
        (tabs(frame, &connection, "/licences"))
        h1 { "Licences of " (name(&connection.name)) }
        @if told.run.is_none() { p { "The service tells no seats, or the request that reads them is not approved. People are counted from the members." } }
        @if let Some(at) = told.at.filter(|_| told.run.as_ref() != Some(&base.run.id)) {
            p .note { "The last run told no seats: used and purchased are as of " (time(at)) "." }
        }
        form method="get" {
            div .bar {
                label { "Idle after days" input type="number" name="idle" min="1" max="36500" value=(idle); }
                label { "Currency" input name="currency" value=(currency) maxlength="8" size="4"; }
                button { "Count" }
            }
            @if wrong { p .error role="alert" { "✘ A price is a number with at most two decimals, as 8.15." } }
            div .scroll tabindex="0" role="region" aria-label="Licences" {
                table {
                    caption .hidden { "Seats by product and site" }
                    thead { tr { th scope="col" { "Product" } th scope="col" { "Site" } th scope="col" .num { "Used of purchased" }
                        th scope="col" .num { "People" } th scope="col" .num { "Billed for and idle" } th scope="col" { "Price a month" } th scope="col" .num { "At most" } } }
                    tbody {
                        @for (row, counts) in rows.iter().zip(&counted) {
                            tr {
                                th scope="row" { (name(&row.name)) @if let Some(plan) = &row.plan { span .sub { (name(plan)) } } }
                                td { @match &row.site { Some(site) => (name(site)), None => "–" } }
                                td .num { @match (row.used, row.purchased) {
                                    (None, None) => span .sub { "not told" },
                                    (used, purchased) => {
                                        (used.map_or("unknown".to_owned(), number)) " of " (purchased.map_or("unknown".to_owned(), number))
                                        @if let (Some(used), Some(purchased)) = (used, purchased) {
                                            span .sub { @if used > purchased { "⚠ " (number(used - purchased)) " too many" } @else { (number(purchased - used)) " free" } }
                                        }
                                    }
                                } }
                                td .num { (number(counts.0)) }
                                td .num { (number(counts.1)) @if counts.2 > 0 { span .sub { (number(counts.2)) " more of whom it is not told" } } }
                                td { @if !asked.contains(&row.key.as_str()) {
                                    @let field = format!("price.{}", row.key);
                                    input name=(field) inputmode="decimal" size="6" maxlength="12" value=(query.get(&field).unwrap_or_default()) aria-label=(format!("Price of {} a month", row.name));
                                    ({ asked.push(row.key.as_str()); "" })
                                } @else { span .sub { "as above" } } }
                                td .num { @match prices.get(row.key.as_str()).copied().flatten() {
                                    Some(price) => { (money(price.saturating_mul(i64::try_from(counts.1).unwrap_or(0)))) " " (name(&currency)) }
                                    None => "–",
                                } }
                            }
                        }
                    }
                }
            }
        }
        @if sum > 0 { p .lead role="status" { "At most " strong { (money(sum)) " " (name(&currency)) } " a month, if every idle seat that is billed for were given back." } }
        p .help { "Idle is who was active in the product, and not for " (idle) " days. Who was never told to be active there is unknown, and not counted. "
            "No price is known here: it is what you typed, times the seats, and nothing is stored. A service may bill a person once for several products." }
    };
    Ok(frame.page(&format!("Licences of {}", connection.name), body))
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
