//! Bars, a line and a matrix, drawn as SVG or as a table. Each has a caption, its numbers at the
//! marks, and the same numbers as a table; each mark is a link to the members that it counts.

use maud::{Markup, html};

use super::page::{Points, bare, number, precise, said};

/// A bar.
pub(super) struct Bar {
    /// What it counts.
    pub(super) label: String,
    /// How many.
    pub(super) count: usize,
    /// Of these, the ones that are drawn hatched.
    pub(super) idle: usize,
    /// Whether nothing is known of them: an outline, never a filled bar.
    pub(super) unknown: bool,
    /// The list behind it, if a filter can name it.
    pub(super) link: Option<String>,
    /// Whether it is what is shown.
    pub(super) own: bool,
}

/// Width of a drawing, in its own units.
const WIDTH: f64 = 420.0;

fn float(count: usize) -> f64 {
    precise(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A text that fits above a column.
fn fitted(text: &str) -> String {
    smp_host::text::shortened(text, 20).into_owned()
}

/// Horizontal bars. `idle` names what is hatched.
pub(super) fn bars(title: &str, bars: &[Bar], idle: Option<&str>) -> Markup {
    let most = float(bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1));
    let width =
        |count: usize| (float(count) / most * 100.0).max(if count == 0 { 0.0 } else { 1.0 });
    html! {
        figure {
            figcaption { (title) }
            @if bars.is_empty() { p { "No one." } }
            ul .bars {
                @for bar in bars {
                    @let drawn = drawn(bar, width(bar.count), width(bar.idle));
                    li {
                        @match &bar.link {
                            Some(to) => {
                                a href=(to) aria-current=[bar.own.then_some("true")]
                                    data-swap="list" { (drawn) }
                            }
                            None => span .plain { (drawn) },
                        }
                    }
                }
            }
            @if let Some(idle) = idle {
                p .sub { "Hatched: " (idle) "." }
                details {
                    summary { "As a table" }
                    table {
                        thead {
                            tr {
                                th scope="col" { (title) }
                                th scope="col" .num { "People" }
                                th scope="col" .num { (idle) }
                            }
                        }
                        tbody {
                            @for bar in bars {
                                tr {
                                    th scope="row" { (said(&bar.label)) }
                                    td .num { (number(bar.count)) }
                                    td .num { (number(bar.idle)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A bar, with its label and its number.
fn drawn(bar: &Bar, width: f64, idle: f64) -> Markup {
    let class = if bar.unknown { "unknown" } else { "fill" };
    html! {
        span .label { (said(&bar.label)) }
        " "
        svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect .(class) x="0" y="0" width=(Points(width)) height="10" {}
            @if bar.idle > 0 {
                rect .idle x="0" y="0" width=(Points(idle)) height="10" {}
                @for line in (1..100_u8).step_by(3) {
                    @let x = f64::from(line);
                    @if x + 1.0 < idle {
                        line .hatch x1=(Points(x)) y1="10" x2=(Points(x + 1.0)) y2="0" {}
                    }
                }
            }
        }
        " "
        span .num { (number(bar.count)) }
    }
}

/// How many use two products: a table, shaded.
pub(super) fn matrix(
    title: &str,
    (names, rows): (&[String], &[Vec<usize>]),
    link: impl Fn(&str, &str) -> Option<String>,
) -> Markup {
    let most = rows.iter().flatten().copied().max().unwrap_or(1).max(1);
    let shade = |count: usize| match count * 4 / most {
        0 if count == 0 => "m0",
        0 => "m1",
        1..3 => "m2",
        _ => "m3",
    };
    html! {
        figure .wide {
            figcaption { (title) }
            div .scroll tabindex="0" role="region" aria-label=(title) {
                table .matrix {
                    thead {
                        tr {
                            td {}
                            @for name in names { th scope="col" { (said(&fitted(name))) } }
                        }
                    }
                    tbody { @for (name, row) in names.iter().zip(rows) { tr {
                        th scope="row" { (said(&fitted(name))) }
                        @for (other, count) in names.iter().zip(row) {
                            td .(shade(*count)) { (cell(name, other, *count, link(name, other))) }
                        }
                    } } }
                }
            }
        }
    }
}

fn cell(name: &str, other: &str, count: usize, link: Option<String>) -> Markup {
    let label = format!("{} and {}: {}", bare(name), bare(other), number(count));
    html! {
        @match link.filter(|_| count > 0) {
            None => (number(count)),
            Some(to) => a href=(to) data-swap="list" aria-label=(label) { (number(count)) },
        }
    }
}

/// A number over the runs of a connection. A run that failed is a gap, told by a sign.
pub(super) fn line(title: &str, runs: &[(String, Option<u64>)]) -> Markup {
    let most = runs.iter().filter_map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let step = (WIDTH - 40.0) / float(runs.len().saturating_sub(1)).max(1.0);
    let point = |place: usize, count: u64| {
        let height = precise(i64::try_from(count).unwrap_or(i64::MAX))
            / precise(i64::try_from(most).unwrap_or(i64::MAX));
        (20.0 + float(place) * step, 110.0 - height * 80.0)
    };
    let points: Vec<_> = runs
        .iter()
        .enumerate()
        .map(|(place, (name, count))| (name, *count, point(place, count.unwrap_or(0))))
        .collect();
    html! {
        figure {
            figcaption { (title) }
            svg viewBox=(format!("0 0 {WIDTH} 130")) role="img" aria-label=(title) {
                line .axis x1="10" y1="112" x2=(Points(WIDTH - 10.0)) y2="112" {}
                @for pair in points.windows(2) {
                    @if let [(_, Some(_), from), (_, Some(_), to)] = pair {
                        line .trend x1=(Points(from.0)) y1=(Points(from.1))
                            x2=(Points(to.0)) y2=(Points(to.1)) {}
                    }
                }
                @for (place, (name, count, (x, y))) in points.iter().enumerate() {
                    @match count {
                        Some(count) => {
                            circle .dot cx=(Points(*x)) cy=(Points(*y)) r="4" {
                                title { (name) ": " (number(*count)) }
                            }
                            @if place == 0 || place + 1 == points.len() {
                                @let anchor = if place == 0 { "start" } else { "end" };
                                text x=(Points(*x)) y=(Points(*y - 9.0)) text-anchor=(anchor) {
                                    (number(*count))
                                }
                            }
                        }
                        None => text .gap x=(Points(*x - 4.0)) y="108" {
                            "✘" title { (name) ": no whole list" }
                        },
                    }
                }
            }
            details {
                summary { "As a table" }
                table {
                    thead { tr { th scope="col" { "Run" } th scope="col" .num { "Members" } } }
                    tbody {
                        @for (name, count) in runs {
                            @let count = count.map_or_else(|| "no whole list".to_owned(), number);
                            tr { th scope="row" { (name) } td .num { (count) } }
                        }
                    }
                }
            }
        }
    }
}
