//! Finds the changelog's entry of one version, in the form of Keep a Changelog.

use jiff::civil::Date;

use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;
use smp_host::text;

/// Largest changelog, in bytes: every release of ten years.
pub const LARGEST: usize = 1024 * 1024;

/// Title of the entry of unreleased changes.
const UNRELEASED: &str = "unreleased";

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry with its heading.
    pub text: String,
    /// Whether it is the version's own entry, not the one of unreleased changes.
    pub released: bool,
    /// Breaking changes for users who upgrade.
    pub breaking: Vec<Breaking>,
}

impl Entry {
    /// Its sections below the heading of the version: the title of each, and its text. What comes
    /// before the first title has none.
    #[must_use]
    pub fn sections(&self) -> Vec<(Option<&str>, String)> {
        let mut sections: Vec<(Option<&str>, String)> = vec![(None, String::new())];
        for line in self.text.lines().filter(|line| !line.starts_with("## ")) {
            if let Some(title) = line.strip_prefix("### ") {
                sections.push((Some(title), String::new()));
            } else if let Some((_, text)) = sections.last_mut() {
                text.extend([line, "\n"]);
            }
        }
        sections.retain(|(_, text)| !text.trim().is_empty());
        sections
    }
}

/// A change that needs action of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaking {
    /// The day until which the previous version keeps working.
    pub deadline: Date,
    /// The change, whom it affects, and what to do.
    pub message: String,
}

/// Title of the section of breaking changes.
const BREAKING: &str = "### Breaking";

/// Finds the entry of a version, or that of unreleased changes if there is none.
///
/// # Errors
/// `invalid-settings` if there is neither, or the entry has unreadable characters.
pub fn entry(changelog: &str, version: &str) -> Result<Entry, Failure> {
    let wanted = |title: &str| section(changelog, title).map(|text| (text, title != UNRELEASED));
    let Some((text, released)) = wanted(version).or_else(|| wanted(UNRELEASED)) else {
        return Err(Failure::new(
            Code::InvalidSettings,
            format!("the changelog has no entry for {version}"),
        )
        .with_remedy(Remedy::CorrectInput { input: "changelog" })
        .with_hint(format!(
            "Write one, below a heading `## {version}`, that says what changed for users."
        )));
    };
    if text.chars().any(|sign| sign != '\n' && text::is_active(sign)) {
        return Err(Failure::new(
            Code::InvalidSettings,
            "the changelog contains an unreadable character",
        )
        .with_remedy(Remedy::CorrectInput { input: "changelog" })
        .with_hint("Remove control and bidirectional characters from the entry."));
    }
    let breaking = breaking(&text)?;
    Ok(Entry { text, released, breaking })
}

/// The breaking changes of an entry: a list in which each item begins with its deadline.
fn breaking(entry: &str) -> Result<Vec<Breaking>, Failure> {
    let lines = entry
        .lines()
        .skip_while(|line| *line != BREAKING)
        .skip(1)
        .take_while(|line| !line.starts_with('#'));
    let mut items: Vec<String> = Vec::new();
    for line in lines {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(item), _) => items.push(item.trim().to_owned()),
            (None, Some(item)) if !line.trim().is_empty() => item.extend([" ", line.trim()]),
            _ => {}
        }
    }
    let dated = |item: String| {
        let (deadline, message) =
            item.strip_prefix("**Until ").and_then(|rest| rest.split_once(":** ")).unzip();
        match (deadline.and_then(|deadline| deadline.parse().ok()), message) {
            (Some(deadline), Some(message)) => {
                Ok(Breaking { deadline, message: message.to_owned() })
            }
            _ => Err(Failure::new(
                Code::InvalidSettings,
                format!(
                    "a breaking change in the changelog has no deadline: {}",
                    text::shortened(&item, 100)
                ),
            )
            .with_remedy(Remedy::CorrectInput { input: "changelog" })
            .with_hint(
                "Begin it with the day until which the previous version keeps working: `- **Until \
                 2030-01-31:** …`.",
            )),
        }
    };
    items.into_iter().map(dated).collect()
}

/// The section below the heading of this title.
fn section(changelog: &str, title: &str) -> Option<String> {
    let lines: Vec<&str> = changelog.lines().map(|line| line.trim_end()).collect();
    let begin = lines
        .iter()
        .position(|line| titled(line).is_some_and(|found| found.eq_ignore_ascii_case(title)))?;
    let length = lines
        .iter()
        .skip(begin + 1)
        .take_while(|line| !line.starts_with("## ") && !is_reference(line))
        .count();
    let section = lines.get(begin..=begin + length)?.join("\n");
    Some(format!("{}\n", section.trim_end()))
}

/// The version in a heading: `## 1.2.3`, `## [1.2.3] - 2026-01-02` and the like.
fn titled(line: &str) -> Option<&str> {
    let word = line.strip_prefix("## ")?.split_whitespace().next()?;
    let word = word.trim_start_matches('[').split(']').next()?;
    Some(
        word.strip_prefix('v')
            .filter(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit()))
            .unwrap_or(word),
    )
}

/// Whether the line defines the link of a heading. Such lines are at the end of a changelog.
fn is_reference(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_sections_below_its_heading() {
        let text =
            "## 1.0.0\n\nIn short.\n\n### Added\n\n- a\n  b\n\n### Empty\n\n### Fixed\n- c\n";
        let entry = Entry { text: text.into(), released: true, breaking: vec![] };
        let sections = entry.sections();
        let sections: Vec<_> = sections.iter().map(|(title, text)| (*title, text.trim())).collect();
        let expected = [(None, "In short."), (Some("Added"), "- a\n  b"), (Some("Fixed"), "- c")];
        assert_eq!(sections, expected);
    }

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n- new\n\n## [1.2.0] - 2026-01-02\n\n### Added\n\n- two\n\n## v1.1.0\n\n- one\n\n\
        [1.2.0]: https://example.test\n";

    #[test]
    fn the_entry_of_a_version_is_cut_out() {
        let found = |version| entry(CHANGELOG, version).unwrap();
        assert_eq!(
            found("1.2.0"),
            Entry {
                text: "## [1.2.0] - 2026-01-02\n\n### Added\n\n- two\n".into(),
                released: true,
                breaking: vec![]
            }
        );
        assert_eq!(
            found("1.1.0"),
            Entry { text: "## v1.1.0\n\n- one\n".into(), released: true, breaking: vec![] }
        );
    }

    #[test]
    fn what_is_not_released_yet_stands_in_and_says_so() {
        assert_eq!(
            entry(CHANGELOG, "1.3.0").unwrap(),
            Entry { text: "## [Unreleased]\n\n- new\n".into(), released: false, breaking: vec![] }
        );
        assert!(!entry(CHANGELOG, "1.1").unwrap().released);
    }

    #[test]
    fn a_breaking_change_has_a_deadline() {
        let entry = |item: &str| {
            super::entry(
                &format!("## 2.0.0\n\n### Breaking\n\n{item}\n\n### Added\n\n- this\n"),
                "2.0.0",
            )
        };
        let found =
            entry("- **Until 2030-01-31:** Keys without\n  scopes.\n- **Until 2030-02-28:** Two.")
                .unwrap()
                .breaking;
        let of = |year, month, day, message: &str| Breaking {
            deadline: jiff::civil::date(year, month, day),
            message: message.into(),
        };
        assert_eq!(found, [of(2030, 1, 31, "Keys without scopes."), of(2030, 2, 28, "Two.")]);
        for item in
            ["- Keys without scopes.", "- **Until soon:** Keys.", "- **Until 2030-02-30:** Keys."]
        {
            let failure = entry(item).unwrap_err();
            assert!(
                failure.message.starts_with("a breaking change in the changelog has no deadline: "),
                "{failure}"
            );
        }
    }

    #[test]
    fn without_an_entry_it_says_where_to_write_one() {
        let failure = entry("# Changelog\n\n## 1.0.0\n", "2.0.0").unwrap_err();
        assert_eq!(failure.message, "the changelog has no entry for 2.0.0");
        assert!(failure.hint.unwrap().contains("`## 2.0.0`"));
        assert!(entry("## 1.0.0\n\u{1b}[31m", "1.0.0").is_err());
    }
}
