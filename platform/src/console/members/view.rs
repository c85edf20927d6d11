//! The page of the members: filters, charts, facets and the table. Each link is the address of what
//! it counts.

use maud::{Markup, html};
use serde_json::Value;

use super::super::charts::{self, Bar};
use super::super::form::{LONGEST, Query};
use super::super::page::{
    Frame, Pages, ago, bare, called, day, name, number, paging, part, said, time,
};
use super::super::words;
use super::{Base, PAGE, is_filter};
use crate::members::insights::{self, Choice, Found, Order, Stored, UNKNOWN};
use crate::runs::table::Run;
use crate::store::connections::Connection;

/// Bars and facets that are shown of many.
const SHOWN: usize = 12;
/// Products and runs that can be chosen of many.
const OFFERED: usize = 300;
/// What says which members are looked at; order, run and thresholds only say how.
const FILTERS: [&str; 11] = [
    "q",
    "product",
    "with",
    "seen",
    "idle_days",
    "status",
    "kind",
    "affiliation",
    "domain",
    "billable",
    "gone",
];
/// What the form keeps of the address, beside its own fields.
const KEPT: [&str; 9] =
    ["with", "idle_days", "status", "kind", "affiliation", "domain", "billable", "days", "sort"];

/// What the parts of the page share.
pub(super) struct Look<'a> {
    pub(super) frame: &'a Frame,
    pub(super) connection: &'a Connection,
    pub(super) query: &'a Query,
    pub(super) choice: &'a Choice,
    pub(super) base: &'a Base,
    pub(super) runs: &'a [Run],
}

/// A facet: its parameter, its title, its values with their counts, and the one that is chosen.
type Facet<'f> = (&'f str, &'f str, &'f [(String, usize)], &'f Option<String>);

/// What a status, a kind or the like is called.
fn label(word: &str) -> String {
    if word == UNKNOWN { "Unknown".to_owned() } else { words::word(word) }
}

/// Whether two names are the same to a filter.
fn is_same(own: Option<&String>, other: &str) -> bool {
    own.is_some_and(|own| own.to_lowercase() == other.to_lowercase())
}

impl Look<'_> {
    fn path(&self) -> String {
        self.frame.to(&format!("/c/{}/members", self.connection.id))
    }

    /// The address with these filters, on its first page.
    fn with(&self, set: &[(&str, Option<&str>)]) -> String {
        let all: Vec<_> = set.iter().copied().chain([("page", None)]).collect();
        self.query.with("members", &all)
    }

    /// The same with this value of a filter, if it can be one.
    fn filtered(&self, filter: &str, value: &str) -> Option<String> {
        is_filter(value).then(|| self.with(&[(filter, Some(value))]))
    }

    /// How many are left of how many, and the way back to all of them.
    pub(super) fn status(&self, found: &Found) -> Markup {
        let none: Vec<_> = FILTERS.iter().map(|filter| (*filter, None)).collect();
        html! {
            p role="status" {
                strong { (number(found.count)) } " of " (number(found.all)) " members"
                @if self.choice.gone { " who are gone" } ", as of " (time(self.base.run.started))
                ". "
                @if self.query.pairs().any(|(key, _)| FILTERS.contains(&key)) {
                    a href=(self.with(&none)) data-swap="list" { "Show all" }
                }
            }
        }
    }

    pub(super) fn filters(&self, labels: &[String]) -> Markup {
        let choice = self.choice;
        html! {
            form method="get" role="search" .bar data-live {
                label { "As of" (self.whole_runs()) }
                label {
                    "Search"
                    input type="search" name="q" value=(choice.q.as_deref().unwrap_or_default())
                        placeholder="Name or e-mail" maxlength=(LONGEST);
                }
                label { "Product" (self.products(labels)) }
                label {
                    "Last seen"
                    select name="seen" {
                        option value="" { "Any time" }
                        @for (place, text) in self.bars().iter().enumerate() {
                            option value=(bar(place)) selected[choice.seen == Some(place)] {
                                (text)
                            }
                        }
                    }
                }
                @for kept in KEPT {
                    @if let Some(value) = self.query.get(kept) {
                        input type="hidden" name=(kept) value=(value);
                    }
                }
                label .check {
                    span { "Who is gone" }
                    input type="checkbox" name="gone" value="true" checked[choice.gone];
                }
                button { "Show" }
            }
        }
    }

    /// The runs whose list is whole; also the one that is looked at, however old it is.
    fn whole_runs(&self) -> Markup {
        let own = &self.base.run;
        let last = self.connection.complete;
        let listed = self.runs.iter().filter(|run| run.state == "complete");
        let older = (!self.runs.iter().any(|run| run.id == own.id)).then_some(own);
        html! {
            select name="at_run" {
                @for run in listed.chain(older) {
                    @let value = if run.seq == last { "" } else { run.id.as_str() };
                    option value=(value) selected[run.seq == own.seq] {
                        "Run " (run.seq) @if run.seq == last { ", the last" }
                    }
                }
            }
        }
    }

    /// The products by name; also what was chosen, which may be a key.
    fn products(&self, labels: &[String]) -> Markup {
        let own = self.choice.product.as_ref();
        let mut names: Vec<&str> = labels.iter().map(String::as_str).collect();
        names.retain(|name| is_filter(name));
        names.sort_unstable();
        names.truncate(OFFERED);
        let other = own.filter(|own| !names.iter().any(|name| is_same(Some(own), name)));
        html! {
            select name="product" {
                option value="" { "All" }
                @if let Some(other) = other { option value=(other) selected { (bare(other)) } }
                @for name in names {
                    option value=(name) selected[is_same(own, name)] { (bare(name)) }
                }
            }
        }
    }

    /// The bars of the last activity.
    fn bars(&self) -> [String; 5] {
        let [a, b, c] = self.choice.days;
        [
            format!("Under {a} days"),
            format!("{a}–{} days", b - 1),
            format!("{b}–{} days", c - 1),
            format!("{c} days or more"),
            "Unknown".to_owned(),
        ]
    }

    pub(super) fn charts(&self, found: &Found) -> Markup {
        let idle = format!("not seen for {} days or more", self.choice.days[2]);
        let over: Vec<(String, Option<u64>)> = self
            .runs
            .iter()
            .rev()
            .filter(|run| !matches!(run.state.as_str(), "open" | "waiting"))
            .map(|run| {
                let is_whole = run.state == "complete";
                (format!("Run {}", run.seq), is_whole.then_some(run.counts.members))
            })
            .collect();
        let together = (found.together.0.as_slice(), found.together.1.as_slice());
        let both = |a: &str, b: &str| {
            let with = (a != b).then_some(b);
            let is_there = is_filter(a) && is_filter(b);
            is_there.then(|| self.with(&[("product", Some(a)), ("with", with)]))
        };
        html! {
            div .grid {
                (charts::bars("People by product", &self.product_bars(found), Some(&idle)))
                (charts::bars("Last seen", &self.seen_bars(found), None))
                @if over.len() > 1 { (charts::line("Members over runs", &over)) }
                @if found.together.0.len() > 1 {
                    (charts::matrix("Used together", together, both))
                }
            }
        }
    }

    fn product_bars(&self, found: &Found) -> Vec<Bar> {
        let bar = |(label, count, idle): &(String, usize, usize)| Bar {
            label: label.clone(),
            count: *count,
            idle: *idle,
            unknown: false,
            link: self.filtered("product", label),
            own: is_same(self.choice.product.as_ref(), label),
        };
        found.products.iter().take(SHOWN).map(bar).collect()
    }

    fn seen_bars(&self, found: &Found) -> Vec<Bar> {
        let bars = self.bars().into_iter().zip(found.seen).enumerate();
        bars.map(|(place, (label, count))| Bar {
            label,
            count,
            idle: if place == 3 { count } else { 0 },
            unknown: place == 4,
            link: Some(self.with(&[("seen", Some(&bar(place))), ("idle_days", None)])),
            own: self.choice.seen == Some(place),
        })
        .collect()
    }

    pub(super) fn facets(&self, found: &Found) -> Markup {
        let choice = self.choice;
        let facets: [Facet<'_>; 5] = [
            ("status", "Status", found.statuses.as_slice(), &choice.status),
            ("kind", "Kind", found.kinds.as_slice(), &choice.kind),
            ("affiliation", "Affiliation", found.affiliations.as_slice(), &choice.affiliation),
            ("domain", "E-mail domain", found.domains.as_slice(), &choice.domain),
            ("billable", "Billed for", found.billable.as_slice(), &choice.billable),
        ];
        html! {
            div .facets {
                @for (key, title, values, own) in facets {
                    @if values.len() > 1 || own.is_some() {
                        h2 .sub { (title) }
                        ul .chips {
                            @for (value, count) in values.iter().take(SHOWN) {
                                li { (self.chip(key, value, *count, own.as_ref())) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn chip(&self, key: &str, value: &str, count: usize, own: Option<&String>) -> Markup {
        let is_own = own.is_some_and(|own| own == value);
        let is_word = key != "domain" || value == UNKNOWN;
        let text = html! {
            (said(&if is_word { label(value) } else { value.to_owned() })) " " (number(count))
            @if is_own { " ✕" }
        };
        let to = if is_own { Some(self.with(&[(key, None)])) } else { self.filtered(key, value) };
        html! {
            @match to {
                Some(to) => {
                    a href=(to) aria-current=[is_own.then_some("true")] data-swap="list" { (text) }
                }
                None => span { (text) },
            }
        }
    }

    pub(super) fn table(&self, found: &Found, records: &[Stored], page: usize) -> Markup {
        let export = |format: &str| {
            let path = self.frame.to(&format!("/c/{}/export", self.connection.id));
            self.query.with(&path, &[("format", Some(format)), ("page", None)])
        };
        let pages = Pages::Last(found.count.div_ceil(PAGE).max(1));
        let to = |page: Option<&str>| self.query.with(&self.path(), &[("page", page)]);
        let (oldest, latest) = (("-seen", Order::Oldest), ("seen", Order::Latest));
        html! {
            p .actions {
                a .button href=(export("csv")) { "Export as CSV" }
                a .button href=(export("xlsx")) { "Export as XLSX" }
                button type="button" data-print data-script { "Print" }
            }
            div #list .scroll tabindex="-1" role="region" aria-label="Members" {
                table {
                    caption .hidden { "Members" }
                    thead {
                        tr {
                            (self.sorted("Name", ("name", Order::Name), ("-name", Order::NameBack)))
                            th scope="col" { "E-mail" }
                            th scope="col" { "Products" }
                            (self.sorted("Last seen", oldest, latest))
                            th scope="col" { "Status" }
                            th scope="col" { "Kind" }
                        }
                    }
                    tbody {
                        @for stored in records { (self.row(stored)) }
                        @if records.is_empty() { tr { td colspan="6" { "No member matches." } } }
                    }
                }
            }
            (paging(("Pages of members", "list"), page, pages, to))
        }
    }

    /// The head of a column that can be sorted: upwards and downwards, each with its value in the
    /// address.
    fn sorted(&self, title: &str, up: (&str, Order), down: (&str, Order)) -> Markup {
        let order = self.choice.order;
        let sorted = match order {
            order if order == up.1 => "ascending",
            order if order == down.1 => "descending",
            _ => "none",
        };
        // The first click on a name goes upwards, on an instant to the latest.
        let (first, second) = if up.0 == "name" { (up, down) } else { (down, up) };
        let next = if order == first.1 { second.0 } else { first.0 };
        let to = self.with(&[("sort", Some(next).filter(|next| *next != "name"))]);
        html! {
            th scope="col" aria-sort=(sorted) { a href=(to) data-swap="list" { (title) } }
        }
    }

    fn row(&self, stored: &Stored) -> Markup {
        let record = insights::read(&stored.record);
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let products = record.get("products").and_then(Value::as_array);
        let mut names: Vec<&str> = products
            .into_iter()
            .flatten()
            .filter_map(|product| product.get("name")?.as_str())
            .collect();
        names.dedup();
        let seen = text("last_seen").and_then(|at| at.parse::<jiff::Timestamp>().ok());
        // Beside this page: a hundred whole addresses would be a tenth of it.
        let run = self.query.get("at_run").map(|run| format!("&at_run={}", part(run)));
        let path = format!("person?id={}{}", part(&stored.id), run.unwrap_or_default());
        let word = |key: &str| {
            html! {
                @match text(key) {
                    Some(word) => (said(&label(word))),
                    None => span .sub { "not told" },
                }
            }
        };
        html! {
            tr {
                th scope="row" { a href=(path) { (name(called(&record))) } }
                td {
                    @match text("email") {
                        Some(email) => (name(email)),
                        None => span .sub { "not told" },
                    }
                }
                td {
                    @for (place, product) in names.iter().take(3).enumerate() {
                        @if place > 0 { ", " } (name(product))
                    }
                    @if names.len() > 3 { " +" (names.len() - 3) }
                }
                td {
                    @match seen {
                        Some(at) => {
                            (day(at.as_millisecond()))
                            span .sub { (ago(at.as_millisecond())) }
                        }
                        None => span .sub { "unknown" },
                    }
                }
                td {
                    @match stored.gone {
                        Some(at) => { "Gone since " (day(at)) }
                        None => (word("status")),
                    }
                }
                td { (word("kind")) }
            }
        }
    }
}

/// A bar of the last activity, in an address.
fn bar(place: usize) -> String {
    if place == 4 { "unknown".to_owned() } else { place.to_string() }
}
