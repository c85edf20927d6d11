//! What sections are made of: states with a sign and a word, facts, and tables that a screen reader
//! can follow and a narrow screen can scroll.

use maud::{Markup, html};
use smp_host::text::grouped;
use smp_host::validation::CheckOutcome;

/// A sign, a colour and words: never colour alone.
pub fn state(sign: &str, class: &str, words: &str) -> Markup {
    html! { span .state .(class) { span .sign aria-hidden="true" { (sign) } " " (words) } }
}

/// The outcome of a check. What was not looked at is never a tick.
pub fn outcome(outcome: CheckOutcome) -> Markup {
    let (sign, class) = mark(outcome);
    let words = match outcome {
        CheckOutcome::Passed => "Passed",
        CheckOutcome::Warning => "Warning",
        CheckOutcome::Failed => "Failed",
        CheckOutcome::Skipped => "Not looked at",
    };
    state(sign, class, words)
}

/// The sign and the class of an outcome.
#[must_use]
pub fn mark(outcome: CheckOutcome) -> (&'static str, &'static str) {
    match outcome {
        CheckOutcome::Passed => ("✔", "good"),
        CheckOutcome::Warning => ("⚠", "warn"),
        CheckOutcome::Failed => ("✘", "bad"),
        CheckOutcome::Skipped => ("–", "still"),
    }
}

/// Facts, each with its name.
pub fn facts<'f>(facts: impl IntoIterator<Item = (&'f str, Markup)>) -> Markup {
    html! {
        dl .facts {
            @for (name, fact) in facts { div { dt { (name) } dd { (fact) } } }
        }
    }
}

/// A table in a region that scrolls by itself, also by the keyboard.
pub fn scroll(label: &str, table: &Markup) -> Markup {
    html! { div .scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// A table. The first cell of a row is its heading.
pub fn table<const N: usize>(
    caption: &str,
    titles: [&str; N],
    rows: impl IntoIterator<Item = [Markup; N]>,
) -> Markup {
    let table = html! {
        table {
            caption .hidden { (caption) }
            thead { tr { @for title in titles { th scope="col" { (title) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (number, cell) in row.into_iter().enumerate() {
                            @if number == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        }
                    }
                }
            }
        }
    };
    scroll(caption, &table)
}

/// How many entries are not shown.
pub fn more(hidden: usize) -> Markup {
    html! { @if hidden > 0 { p .fine { "… and " (number(hidden)) " more." } } }
}

/// A number with separated thousands.
pub fn number(number: impl TryInto<u64>) -> String {
    number.try_into().map_or_else(|_| "0".to_owned(), grouped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_its_columns_and_rows() {
        let cells = |cells: [&str; 2]| cells.map(|cell| html! { (cell) });
        assert_eq!(
            table("T", ["A", "B"], [cells(["1", "<2>"])]).into_string(),
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"T\"><table><caption \
             class=\"hidden\">T</caption><thead><tr><th scope=\"col\">A</th><th \
             scope=\"col\">B</th></tr></thead><tbody><tr><th \
             scope=\"row\">1</th><td>&lt;2&gt;</td></tr></tbody></table></div>"
        );
    }

    #[test]
    fn what_was_not_looked_at_is_never_a_tick() {
        use CheckOutcome::{Failed, Passed, Skipped, Warning};
        assert_eq!([Passed, Warning, Failed, Skipped].map(|it| mark(it).0), ["✔", "⚠", "✘", "–"]);
    }
}
