//! The frame of a page and what all pages are made of: texts of strangers, instants, numbers,
//! states. The only file that may make markup of a string.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value;
use smp_host::text::{grouped, shortened};

use super::Console;
use super::form::Query;
use super::guard::WAY_IN;
use super::words;
use crate::clock::{DAY, HOUR, now, rfc3339};
use crate::problem::Problem;
use crate::store::tokens::{Holder, Role};

/// A key that ends within so many days is to be renewed.
pub(super) const ENDING: i64 = 30 * DAY;
/// Characters of a stranger's text that are shown.
const LONGEST: usize = 600;
/// Characters of a stranger's name that are shown.
const LONGEST_NAME: usize = 120;

/// What stands for itself in no part of an address.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a page is set in.
#[derive(Clone)]
pub(super) struct Frame {
    /// The secret path.
    pub(super) prefix: String,
    /// Who looks.
    pub(super) holder: Holder,
    /// The path that is shown, without the prefix.
    path: String,
}

/// A page, in its frame.
pub(super) struct Page {
    frame: Frame,
    title: String,
    body: Markup,
    status: StatusCode,
}

impl Frame {
    pub(super) fn new(console: &Console, holder: &Holder, path: &str) -> Self {
        let prefix = console.guard.prefix.clone();
        let path = path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        Self { prefix, holder: holder.clone(), path }
    }

    /// The address of a page of the console, from its path.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Whether the visitor may change anything.
    pub(super) fn is_admin(&self) -> bool {
        self.holder.role == Role::Admin
    }

    /// A page in this frame.
    pub(super) fn page(&self, title: &str, body: Markup) -> Page {
        let (frame, title) = (self.clone(), bare(title));
        Page { frame, title, body, status: StatusCode::OK }
    }
}

impl Page {
    pub(super) fn with(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).unwrap_or(self.status);
        self
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let Self { frame, title, body, status } = self;
        let link = |path: &str, text: &str| {
            let own = frame.path.split('/').nth(1) == path.split('/').nth(1);
            html! { a href=(frame.to(path)) aria-current=[own.then_some("page")] { (text) } }
        };
        let whose = match &frame.holder.tenant {
            Some(tenant) => html! { "Tenant " (name(tenant)) },
            None => html! { "All tenants" },
        };
        let body = html! {
            a .skip href="#main" { "Skip to the content" }
            header {
                nav aria-label="Console" {
                    (link("/connections", "Connections"))
                    @if frame.is_admin() { (link("/connect", "Connect")) }
                    (link("/plugins", "Plugins"))
                }
                div .who {
                    span { (whose) @if !frame.is_admin() { ", read only" } }
                    form method="post" action=(frame.to("/leave")) { button .link { "Leave" } }
                }
            }
            main #main tabindex="-1" { (body) }
        };
        (status, document(&title, &body)).into_response()
    }
}

/// A whole document.
fn document(title: &str, body: &Markup) -> Response {
    let title = format!("{title} · smp-platform");
    let head = html! {
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        script src=(format!("{WAY_IN}/script.js")) defer {}
    };
    whole(&title, &head, body)
}

/// What every page has: a browser that is told of no icon asks for one at the root of the host.
fn whole(title: &str, head: &Markup, body: &Markup) -> Response {
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
                // Before what the browser fetches: a rule for the referrer holds from here on.
                (head)
                link rel="stylesheet" href=(format!("{WAY_IN}/style.css"));
                link rel="icon" href=(format!("{WAY_IN}/icon.svg"));
            }
            body { (body) }
        }
    };
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text.into_string()).into_response()
}

/// A page without a session.
pub(super) fn plain(title: &str, text: &str) -> Response {
    outside(title, &html! { p { (text) } p { a href=(WAY_IN) { "Enter the console" } } })
}

/// A page outside of the console.
pub(super) fn outside(title: &str, body: &Markup) -> Response {
    document(title, &html! { main .outside #main { h1 { (title) } (body) } })
}

/// A page that leads on to another one. A redirect would not do: where the link was opened from a
/// file or another program, the browser counts the whole chain as coming from there, and sends no
/// cookie that is strict.
pub(super) fn onwards(to: &str) -> Response {
    let head = html! {
        // The address that led here may hold a code of an issuer.
        meta name="referrer" content="no-referrer";
        meta http-equiv="refresh" content=(format!("0; url={to}"));
    };
    let body = html! { main .outside { p { a href=(to) { "Go on to the console" } } } };
    whole("smp-platform", &head, &body)
}

/// A problem as a page.
pub(super) fn problem(frame: Option<&Frame>, problem: &Problem) -> Response {
    let title = match problem.status {
        403 => "Not permitted",
        404 => "Not found",
        405 => "This address is not a page",
        408 | 413 => "The form did not arrive",
        409 => "That is there already",
        503 => "Not available now",
        500 => "A fault of the platform",
        _ => "That cannot be done",
    };
    let body = html! {
        h1 { (title) }
        p { (sentence(&problem.detail)) }
        @if let Some(hint) = &problem.hint { p { (said(hint)) } }
        p .code { (problem.code) }
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match frame {
        Some(frame) => frame.page(title, body).with(problem.status).into_response(),
        None => {
            let way_in = html! { p { a href=(WAY_IN) { "Enter the console" } } };
            let body = html! { main .outside { (body) (way_in) } };
            (status, document(title, &body)).into_response()
        }
    }
}

/// A text of a plugin or a service, at a length that can be read. Characters that steer the eye
/// are written out.
pub(super) fn said(text: &str) -> Markup {
    html! { bdi { (shortened(text, LONGEST)) } }
}

/// The same as a sentence: it begins with a capital letter and ends with a full stop.
pub(super) fn sentence(text: &str) -> Markup {
    let mut signs = text.chars();
    let first: String =
        signs.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let text = format!("{first}{}", signs.as_str());
    let ends = text.ends_with(['.', '!', '?', ':']) || text.chars().count() > LONGEST;
    html! { (said(&text)) @if !ends { "." } }
}

/// A name, whichever way it is written. What is ASCII alone turns no text around it.
pub(super) fn name(text: &str) -> Markup {
    let text = shortened(text, LONGEST_NAME);
    html! { @if text.is_ascii() { (text) } @else { bdi { (text) } } }
}

/// A text of a stranger where no markup is possible: a title, an option, an attribute. It has no
/// direction of its own there, so characters that steer the eye are written out.
pub(super) fn bare(text: &str) -> String {
    shortened(text, LONGEST_NAME).into_owned()
}

/// What a member is called: its name, or else its e-mail address.
pub(super) fn called(record: &Value) -> &str {
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let named = [text("name"), text("email")].into_iter().flatten();
    named.map(str::trim).find(|text| !text.is_empty()).unwrap_or("No name")
}

/// Links to the pages before and after this one. `last` is told where it is known, and otherwise
/// whether there are more. `focus` is what has the focus after a turn.
pub(super) fn paging(
    (what, focus): (&str, &str),
    page: usize,
    pages: Pages,
    to: impl Fn(Option<&str>) -> String,
) -> Markup {
    let (more, last) = match pages {
        Pages::Last(last) => (page < last, Some(last)),
        Pages::More(more) => (more, None),
    };
    let link = |page: usize, rel: &str, text: &str| {
        let number = page.to_string();
        let address = to(Some(number.as_str()).filter(|_| page > 1));
        html! { a href=(address) rel=(rel) data-swap=(focus) { (text) } }
    };
    html! {
        @if page > 1 || more {
            nav .paging aria-label=(what) {
                @if page > 1 { (link(page - 1, "prev", "‹ Previous 100")) }
                span { "Page " (number(page)) @if let Some(last) = last { " of " (number(last)) } }
                @if more { (link(page + 1, "next", "Next 100 ›")) }
            }
        }
    }
}

/// What is known of the pages of a list.
#[derive(Clone, Copy)]
pub(super) enum Pages {
    /// The last one.
    Last(usize),
    /// Whether there are more.
    More(bool),
}

/// The page that an address asks for.
pub(super) fn page_of(query: &Query) -> usize {
    let page = query.get("page").and_then(|page| page.parse().ok());
    page.unwrap_or(1_usize).clamp(1, 100_000)
}

/// A number with separated thousands.
pub(super) fn number(number: impl TryInto<u64>) -> String {
    number.try_into().map_or_else(|_| "0".to_owned(), grouped)
}

/// A counted noun.
pub(super) fn counted(count: impl TryInto<u64>, thing: &str, things: &str) -> String {
    let count = count.try_into().unwrap_or(0);
    format!("{} {}", grouped(count), if count == 1 { thing } else { things })
}

/// An instant in UTC, which the script writes in the reader's language and zone.
pub(super) fn time(at: i64) -> Markup {
    let Some(exact) = rfc3339(at) else { return html! { "–" } };
    html! { time datetime=(exact) title=(exact) { (utc(at, "%-d %b %Y, %H:%M UTC")) } }
}

/// The day of an instant.
pub(super) fn day(at: i64) -> Markup {
    let Some(exact) = rfc3339(at) else { return html! { "–" } };
    html! { time datetime=(exact) data-day { (utc(at, "%-d %b %Y")) } }
}

/// The time of day of an instant.
pub(super) fn clock(at: i64) -> Markup {
    let Some(exact) = rfc3339(at) else { return html! { "–" } };
    html! { time datetime=(exact) title=(exact) data-clock { (utc(at, "%H:%M:%S")) } }
}

fn utc(at: i64, format: &str) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|at| at.strftime(format).to_string())
        .unwrap_or_default()
}

/// How far an instant is, as `3 days ago` or `in 2 hours`.
pub(super) fn ago(at: i64) -> String {
    let apart = now().saturating_sub(at);
    let (size, past) = (apart.saturating_abs(), apart >= 0);
    let text = match size {
        ..60_000 => return if past { "just now".into() } else { "in a moment".into() },
        60_000..HOUR => format!("{} min", size / 60_000),
        HOUR..DAY => counted(size / HOUR, "hour", "hours"),
        _ => counted(size / DAY, "day", "days"),
    };
    if past { format!("{text} ago") } else { format!("in {text}") }
}

/// A duration in milliseconds.
pub(super) fn duration(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", precise(ms) / 1_000.0),
        60_000..HOUR => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / HOUR, ms % HOUR / 60_000),
    }
}

/// A number for a drawing.
#[expect(clippy::cast_precision_loss, reason = "a drawing has far fewer points than a float")]
pub(super) fn precise(number: i64) -> f64 {
    number as f64
}

/// A word for a state with its sign: never colour alone.
pub(super) fn state(word: &str) -> Markup {
    let (sign, class, text) = words::state(word);
    html! { span .state .(class) { span .sign aria-hidden="true" { (sign) } " " (text) } }
}

/// When a key ends, with a sign if that is soon.
pub(super) fn ends(at: Option<i64>) -> Markup {
    html! {
        @match at {
            None => "not told",
            Some(at) if at < now() => { (state("failed")) span .sub { "ended " (day(at)) } }
            Some(at) if at < now() + ENDING => {
                (state("ending")) span .sub { (day(at)) ", " (ago(at)) }
            }
            Some(at) => (day(at)),
        }
    }
}

/// An attribute's text that is part of an address.
pub(super) fn part(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, RESERVED).to_string()
}

/// Numbers of a drawing with one decimal.
pub(super) struct Points(pub(super) f64);

impl Render for Points {
    fn render(&self) -> Markup {
        PreEscaped(format!("{:.1}", self.0))
    }
}
