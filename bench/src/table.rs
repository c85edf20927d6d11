//! Figures as a table in Markdown that is also readable on a terminal.

use crate::figure::{Figure, Target};
use crate::results::{Change, Results};

/// What a row shows in addition to the figure.
#[derive(Clone, Copy, Debug)]
pub enum Versus<'a> {
    /// Nothing: for a document.
    Nothing,
    /// The change since these.
    Last(&'a Results),
}

/// A table of the figures of these groups, or of all groups if none is named.
#[must_use]
pub fn table(results: &Results, groups: &[&str], versus: Versus<'_>) -> String {
    let wanted = |figure: &&Figure| {
        groups.is_empty() || groups.iter().any(|group| group_of(&figure.key) == *group)
    };
    let mut rows = vec![header(versus)];
    rows.extend(results.figures.iter().filter(wanted).map(|figure| row(results, figure, versus)));
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text += &line(row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")));
        if number == 0 {
            text += &line(widths.iter().map(|width| "-".repeat(*width)));
        }
    }
    text
}

/// The group of a key: the part before the first dot.
#[must_use]
pub fn group_of(key: &str) -> &str {
    key.split('.').next().unwrap_or(key)
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn header(versus: Versus<'_>) -> Vec<String> {
    let mut header = vec!["figure", "measured", "smallest to largest", "target", "met"];
    header.extend(matches!(versus, Versus::Last(_)).then_some("change"));
    header.into_iter().map(str::to_owned).collect()
}

fn row(results: &Results, figure: &Figure, versus: Versus<'_>) -> Vec<String> {
    let target = figure.target.map(|target| match target {
        Target::AtMost(most) => format!("≤ {}", number(most)),
        Target::AtLeast(least) => format!("≥ {}", number(least)),
    });
    let spread = if figure.samples > 1 {
        format!("{} to {}", number(figure.min), number(figure.max))
    } else {
        String::new()
    };
    let met = figure.met().map_or("", |met| if met { "yes" } else { "**no**" });
    let measured = format!("{} {}", number(figure.median), figure.unit).trim_end().to_owned();
    let mut row =
        vec![figure.name.clone(), measured, spread, target.unwrap_or_default(), met.to_owned()];
    if let Versus::Last(last) = versus {
        row.push(match results.change(figure, last) {
            Change::Incomparable => String::new(),
            Change::Same(by) => percent(by),
            Change::Better(by) => format!("{} better", percent(by)),
            Change::Worse(by) => format!("{} WORSE", percent(by)),
        });
    }
    row
}

fn percent(part: f64) -> String {
    format!("{:+.1} %", part * 100.0)
}

/// A number with three significant digits, and blanks between thousands.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "not measured".into();
    }
    let decimals = match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0
            && digit.is_ascii_digit()
            && (whole.len() - place).is_multiple_of(3)
            && !grouped.ends_with('-')
        {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Kind;

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, text) in [
            (1_234_567.0, "1,234,567"),
            (123.4, "123"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.1234, "0.123"),
            (40.0, "40"),
            (-1234.0, "-1,234"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(f64::NAN), "not measured");
    }

    #[test]
    fn a_row_tells_target_and_change() {
        let results = |value: f64| {
            let figure = Figure::of("size.component", "Size", "KiB", Kind::Exact, vec![value])
                .at_most(160.0);
            Results { component: None, cores: 2, load: [0.0, 0.0], figures: vec![figure] }
        };
        let text = table(&results(170.0), &[], Versus::Last(&results(150.0)));
        assert!(text.contains("| Size   | 170 KiB  |"), "{text}");
        assert!(text.contains("| ≤ 160  | **no** | +13.3 % WORSE |"), "{text}");
        assert_eq!(table(&results(1.0), &["path"], Versus::Nothing).lines().count(), 2);
    }
}
