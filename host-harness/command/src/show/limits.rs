//! Renders the limits, for an operator who wonders why a run ended.

use crate::show::terminal::{Look, Style, padding, width};
use crate::show::words::hang;
use smp_host::limits::{Bound, Limits};

/// The limits, their values and their reasons.
#[must_use]
pub(crate) fn text(limits: &Limits, look: Look) -> String {
    let mut out = String::new();
    let values: Vec<String> = Bound::ALL.iter().map(|bound| limits.shown(*bound)).collect();
    let names = Bound::ALL.iter().map(|bound| width(bound.name())).max().unwrap_or(0);
    let widest = values.iter().map(|value| width(value)).max().unwrap_or(0);
    for (bound, value) in Bound::ALL.iter().zip(&values) {
        let first = format!(" {}  {}  ", padded(bound.name(), names), padded(value, widest));
        hang(&mut out, &first, bound.reason(), look, Style::Plain);
    }
    out.push('\n');
    let how = "Each is changed for one run with --limit NAME=VALUE, for example --limit \
               memory=128MiB or --limit cpu=30s.";
    hang(&mut out, " ", how, look, Style::Plain);
    out
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", padding(text, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_broken_by_a_narrow_terminal() {
        for columns in [40, 60, 80] {
            let shown = text(&Limits::default(), Look { width: columns, colour: false });
            for line in shown.lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
            }
            let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(Bound::ALL.iter().all(|bound| words.contains(bound.reason())), "{shown}");
        }
    }

    #[test]
    fn every_limit_is_shown_with_its_value_and_its_reason() {
        let shown = text(
            &Limits { memory: 3 << 20, ..Limits::default() },
            Look { width: 80, colour: false },
        );
        assert_eq!(
            Bound::ALL
                .iter()
                .filter(|bound| shown.contains(&format!("\n {} ", bound.name())))
                .count(),
            Bound::ALL.len() - 1
        );
        assert!(
            shown.starts_with(" component ")
                && shown.contains("\n memory              3 MiB    Linear memory, in bytes."),
            "{shown}"
        );
        assert!(shown.lines().all(|line| width(line) <= 110), "{shown}");
    }
}
