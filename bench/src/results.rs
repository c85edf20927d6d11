//! The figures of one run: stored as JSON, and compared with those of another.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::figure::{Figure, Kind};

/// The base for comparing processor times.
pub const YARDSTICK: &str = "path.native";

/// The results of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// `sha256:` and the digest of the measured component: a listing shows only figures of its own
    /// build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Processors of the machine.
    pub cores: usize,
    /// Its load in the minute before the run, and in the last minute of it. A load above zero means
    /// that something else was running.
    pub load: [f64; 2],
    /// The figures, in the order in which they were measured.
    pub figures: Vec<Figure>,
}

/// The difference between a figure and the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// There is no last one, or it is not compared.
    Incomparable,
    /// By this part, which is within the usual variation.
    Same(f64),
    /// By this part, for the better.
    Better(f64),
    /// By this part, for the worse.
    Worse(f64),
}

impl Results {
    /// Reads stored results.
    ///
    /// # Errors
    /// If the file does not exist, or has no results.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("`{}` holds no results", path.display()))
    }

    /// Stores the results.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.rounded())?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// The figure of this key.
    #[must_use]
    pub fn figure(&self, key: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.key == key)
    }

    /// How a figure of this run differs from that of another one.
    #[must_use]
    pub fn change(&self, figure: &Figure, last: &Self) -> Change {
        let before = last
            .figure(&figure.key)
            .filter(|before| before.kind == figure.kind && before.unit == figure.unit);
        let (now, before) = match (figure.kind, before) {
            (Kind::Told, _) | (_, None) => return Change::Incomparable,
            (Kind::Cpu, Some(before)) => (self.multiple(figure), last.multiple(before)),
            (_, Some(before)) => (figure.median, before.median),
        };
        let change = now / before - 1.0;
        let for_the_worse = if figure.kind == Kind::Ratio { -change } else { change };
        match figure.kind.tolerance() {
            _ if !change.is_finite() => Change::Incomparable,
            tolerance if for_the_worse > tolerance => Change::Worse(change),
            tolerance if for_the_worse < -tolerance => Change::Better(change),
            _ => Change::Same(change),
        }
    }

    /// A time as a multiple of the native core's.
    fn multiple(&self, figure: &Figure) -> f64 {
        figure.median / self.figure(YARDSTICK).map_or(f64::NAN, |native| native.median)
    }

    /// With four digits each, or whole: more digits would only add noise to the differences between
    /// two files.
    fn rounded(&self) -> Self {
        let round = |value: f64| format!("{value:.3e}").parse().unwrap_or(value);
        // Counts are nearly reproducible, so all their digits are kept.
        let whole = |value: f64| {
            if value >= 1e4 || value.fract() == 0.0 { value.round() } else { round(value) }
        };
        let mut rounded = self.clone();
        for figure in &mut rounded.figures {
            (figure.median, figure.min, figure.max) =
                (whole(figure.median), whole(figure.min), whole(figure.max));
        }
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(native: f64, figures: &[(&str, Kind, f64)]) -> Results {
        let figure = |key: &str, kind, value| Figure::of(key, key, "x", kind, vec![value]);
        let mut all = vec![figure(YARDSTICK, Kind::Told, native)];
        all.extend(figures.iter().map(|(key, kind, value)| figure(key, *kind, *value)));
        Results { component: None, cores: 2, load: [0.0, 0.0], figures: all }
    }

    fn change(kind: Kind, before: (f64, f64), now: (f64, f64)) -> Change {
        let (last, this) =
            (results(before.0, &[("a", kind, before.1)]), results(now.0, &[("a", kind, now.1)]));
        this.change(this.figure("a").expect("it was measured"), &last)
    }

    #[test]
    fn a_regression_is_flagged() {
        assert!(
            matches!(change(Kind::Cpu, (10.0, 20.0), (10.0, 24.0)), Change::Worse(by) if (by - 0.2).abs() < 1e-9)
        );
        assert!(matches!(change(Kind::Ratio, (10.0, 0.8), (10.0, 0.7)), Change::Worse(_)));
        assert!(matches!(change(Kind::Exact, (10.0, 1000.0), (10.0, 1011.0)), Change::Worse(_)));
        assert!(matches!(change(Kind::Memory, (10.0, 100.0), (10.0, 111.0)), Change::Worse(_)));
        assert!(matches!(change(Kind::Wall, (10.0, 1.0), (10.0, 1.4)), Change::Worse(_)));
    }

    #[test]
    fn an_improvement_is_told_and_noise_is_not() {
        assert!(matches!(change(Kind::Cpu, (10.0, 20.0), (10.0, 16.0)), Change::Better(_)));
        assert!(matches!(change(Kind::Ratio, (10.0, 0.7), (10.0, 0.8)), Change::Better(_)));
        assert!(matches!(change(Kind::Cpu, (10.0, 20.0), (10.0, 21.0)), Change::Same(_)));
    }

    #[test]
    fn a_slower_machine_is_no_regression() {
        assert!(matches!(change(Kind::Cpu, (10.0, 20.0), (30.0, 60.0)), Change::Same(_)));
        assert!(matches!(change(Kind::Cpu, (30.0, 60.0), (10.0, 60.0)), Change::Worse(_)));
    }

    #[test]
    fn what_was_not_there_before_is_not_compared() {
        let (last, this) = (results(10.0, &[]), results(10.0, &[("a", Kind::Cpu, 1.0)]));
        assert_eq!(
            this.change(this.figure("a").expect("it was measured"), &last),
            Change::Incomparable
        );
        assert_eq!(change(Kind::Told, (10.0, 1.0), (10.0, 9.0)), Change::Incomparable);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results.json");
        let results = Results {
            component: Some("sha256:00".into()),
            ..results(10.0, &[("a", Kind::Cpu, 1.5)])
        };
        results.write(&path).expect("it can be written");
        assert_eq!(Results::read(&path).expect("it can be read"), results);
    }
}
