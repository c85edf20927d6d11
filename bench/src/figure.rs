//! One figure: its values, its format, its target, and its comparison with the last one.

use serde::{Deserialize, Serialize};

/// A figure of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Stable name, `group.what`.
    pub key: String,
    /// What it is, for people.
    pub name: String,
    /// The unit.
    pub unit: String,
    /// The median of the measured values.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// Number of measured values.
    pub samples: usize,
    /// The target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// How it is compared.
    pub kind: Kind,
}

/// The target of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
}

/// The kind of a figure. It decides the base of a comparison, and how large a change must be to
/// count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Processor time: machines differ, so it is compared as a multiple of the native core's in the
    /// same run.
    Cpu,
    /// A ratio of two times of one run; more is better.
    Ratio,
    /// Elapsed time. It depends on what else the machine does.
    Wall,
    /// Memory.
    Memory,
    /// A size or a count that is the same each time.
    Exact,
    /// A base for others, or an explanation; it is not compared.
    Told,
}

impl Kind {
    /// The relative change beyond which it counts.
    #[must_use]
    pub fn tolerance(self) -> f64 {
        match self {
            Self::Cpu => 0.15,
            Self::Ratio => 0.07,
            Self::Wall => 0.30,
            Self::Memory => 0.10,
            Self::Exact => 0.01,
            Self::Told => f64::INFINITY,
        }
    }
}

impl Figure {
    /// A figure from its measured values.
    #[must_use]
    pub fn of(key: &str, name: &str, unit: &str, kind: Kind, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        let (last, middle) = (values.len().saturating_sub(1), values.len() / 2);
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        } else {
            at(middle)
        };
        let (key, name, unit) = (key.to_owned(), name.to_owned(), unit.to_owned());
        Self {
            key,
            name,
            unit,
            median,
            min: at(0),
            max: at(last),
            samples: values.len(),
            target: None,
            kind,
        }
    }

    /// Sets the target.
    #[must_use]
    pub fn at_most(self, target: f64) -> Self {
        Self { target: Some(Target::AtMost(target)), ..self }
    }

    /// Sets the target.
    #[must_use]
    pub fn at_least(self, target: f64) -> Self {
        Self { target: Some(Target::AtLeast(target)), ..self }
    }

    /// Whether it meets its target, if it has one.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        self.target.map(|target| match target {
            Target::AtMost(most) => self.median <= most,
            Target::AtLeast(least) => self.median >= least,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64]) -> Figure {
        Figure::of("a.b", "A", "s", Kind::Cpu, values.to_vec())
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        for (values, median) in [(&[3.0, 1.0, 2.0][..], 2.0), (&[4.0, 1.0], 2.5), (&[7.0], 7.0)] {
            assert_eq!(figure(values).median, median);
        }
        assert!(figure(&[]).median.is_nan());
    }

    #[test]
    fn a_target_is_met_or_not() {
        assert_eq!(figure(&[2.0]).met(), None);
        assert_eq!(figure(&[2.0]).at_most(2.0).met(), Some(true));
        assert_eq!(figure(&[2.0]).at_least(2.1).met(), Some(false));
        assert_eq!(figure(&[]).at_most(2.0).met(), Some(false), "what was not measured is not met");
    }
}
