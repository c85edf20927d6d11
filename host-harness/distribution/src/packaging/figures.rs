//! Performance figures in the form that `make bench` writes. A listing shows only figures that were
//! measured with the build that it lists.

use serde::Deserialize;
use serde_json::{Value, json};

use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;
use smp_host::text;
use smp_listing::LONGEST_NAME;

/// Largest file of figures, in bytes. Some hundred figures have less than 100 KiB.
pub const LARGEST: usize = 1024 * 1024;
/// Most figures that a listing shows.
const MOST: usize = 200;

/// Figures that a page for people shows, if there are so many: the size, the pace and the cost of a
/// long list. Others take their place in the order of the file.
const TELLING: [&str; 3] = ["size.component", "path.members", "million.cpu"];

/// The figures of one run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figures {
    /// `sha256:` and the digest of the component that was measured, if the file gives it.
    #[serde(default)]
    pub component: Option<String>,
    /// Processors of the machine.
    #[serde(default)]
    pub cores: Option<u32>,
    /// The figures.
    #[serde(rename = "figures")]
    pub all: Vec<Figure>,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figure {
    /// Stable name.
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
}

/// The figures of a build, or why there are none.
#[derive(Clone, Debug, PartialEq)]
pub enum Performance {
    /// None were given.
    NotGiven,
    /// They were measured with this build.
    OfThisBuild(Figures),
    /// They were measured with another build, or with one that they do not name.
    OfAnother(Option<String>),
}

impl Figures {
    /// The three that a page for people shows. All of them are in the listing for scripts.
    #[must_use]
    pub fn telling(&self) -> Vec<&Figure> {
        let of_key = |key: &&str| self.all.iter().find(|figure| figure.key == *key);
        let mut telling: Vec<_> = TELLING.iter().filter_map(of_key).collect();
        let others = self.all.iter().filter(|figure| !TELLING.contains(&figure.key.as_str()));
        telling.extend(others.take(TELLING.len() - telling.len()));
        telling
    }

    /// Reads a file of figures.
    ///
    /// # Errors
    /// `invalid-settings` if it is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let figures: Self =
            serde_json::from_slice(bytes).map_err(|error| refused(&error.to_string()))?;
        let texts = figures
            .all
            .iter()
            .flat_map(|figure| [&figure.key, &figure.name, &figure.unit])
            .chain(&figures.component);
        if figures.all.len() > MOST
            || !texts
                .into_iter()
                .all(|text| text.len() <= LONGEST_NAME && !text.chars().any(text::is_active))
        {
            return Err(refused("there are too many, or they are not readable"));
        }
        Ok(figures)
    }
}

impl Performance {
    /// Judges whether the figures belong to a build with one of these digests, or to another.
    #[must_use]
    pub fn new(figures: Option<Figures>, digests: &[&str]) -> Self {
        match figures {
            None => Self::NotGiven,
            Some(figures)
                if figures.component.as_deref().is_some_and(|of| digests.contains(&of)) =>
            {
                Self::OfThisBuild(figures)
            }
            Some(figures) => Self::OfAnother(figures.component),
        }
    }

    /// The figures as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::NotGiven => Value::Null,
            Self::OfAnother(of) => {
                json!({"of_this_build": false, "of": of, "cores": null, "figures": []})
            }
            Self::OfThisBuild(figures) => {
                let told = figures.all.iter().map(|figure| {
                    let Figure { key, name, unit, median, min, max } = figure;
                    json!({"key": key, "name": name, "unit": unit, "median": median, "min": min, "max": max})
                });
                json!({"of_this_build": true, "of": figures.component, "cores": figures.cores, "figures": told.collect::<Vec<_>>()})
            }
        }
    }
}

fn refused(why: &str) -> Failure {
    Failure::new(
        Code::InvalidSettings,
        format!("the figures cannot be used: {}", text::shortened(why, 200)),
    )
    .with_remedy(Remedy::CorrectInput { input: "figures" })
    .with_hint("Give the file that a measurement of this build wrote, or leave the figures out.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_people_shows_three_figures() {
        let telling = |keys: &[&str]| {
            let figure = |key: &&str| json!({"key": key, "name": key, "unit": "", "median": 1.0, "min": 1.0, "max": 1.0});
            let figures = keys.iter().map(figure).collect::<Vec<_>>();
            let figures = Figures::parse(json!({"figures": figures}).to_string().as_bytes());
            let figures = figures.unwrap();
            figures.telling().iter().map(|it| it.key.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            telling(&["a", "million.cpu", "b", "size.component", "c"]),
            "size.component million.cpu a"
        );
        assert_eq!(telling(&["a", "b", "c", "d"]), "a b c");
        assert_eq!(telling(&["a"]), "a");
    }

    fn figures(of: Option<&str>) -> Figures {
        let figure = json!({"key": "a.b", "name": "A page", "unit": "ms", "median": 2.0, "min": 1.0, "max": 3.5, "samples": 7, "kind": "told"});
        let file = json!({"component": of, "cores": 2, "load": [0, 0], "figures": [figure]});
        Figures::parse(file.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn figures_of_this_build_are_shown() {
        let performance =
            Performance::new(Some(figures(Some("sha256:01"))), &["sha256:00", "sha256:01"]);
        let told = performance.to_json();
        assert_eq!(
            (&told["of_this_build"], &told["figures"][0]["median"]),
            (&json!(true), &json!(2.0))
        );
    }

    #[test]
    fn figures_of_another_build_or_of_none_that_is_named_are_not_shown() {
        for of in [None, Some("sha256:02")] {
            let performance = Performance::new(Some(figures(of)), &["sha256:00"]);
            assert_eq!(
                performance.to_json(),
                json!({"of_this_build": false, "of": of, "cores": null, "figures": []})
            );
        }
        assert_eq!(Performance::new(None, &[]).to_json(), Value::Null);
    }

    #[test]
    fn what_are_no_figures_is_refused() {
        for file in [
            "",
            "{}",
            r#"{"figures": [{"key": "a"}]}"#,
            "{\"component\": \"\\u001b\", \"figures\": []}",
        ] {
            assert!(Figures::parse(file.as_bytes()).is_err(), "{file}");
        }
    }
}
