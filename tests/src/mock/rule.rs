//! Rules: the requests that a fault applies to, and the armed faults.
//!
//! A rule is written `CALL[:WHEN]:FAULT`, for example `users:3:status-429;retry-after=2`:
//!
//! ```text
//! CALL  orgs | org | users | domains | count | search | workspaces | keys | any
//! WHEN  always | N (only the N-th) | N-M (from the N-th to the M-th) | N- (from the N-th on); always when left out
//! ```
//! Requests are counted from 1, per call, from the moment at which the rule is armed; every request
//! counts, retried and refused ones too.

use std::fmt;
use std::str::FromStr;

use super::{Fault, GrammarError};

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// `GET /admin/v1/orgs`.
    Orgs,
    /// `GET /admin/v1/orgs/{orgId}`.
    Org,
    /// `GET /admin/v1/orgs/{orgId}/users`.
    Users,
    /// `GET /admin/v1/orgs/{orgId}/domains`.
    Domains,
    /// `GET /admin/v2/orgs/{orgId}/directories/-/users/count`.
    Count,
    /// `POST /admin/v2/orgs/{orgId}/directories/-/users/search`.
    Search,
    /// `POST /admin/v2/orgs/{orgId}/workspaces`.
    Workspaces,
    /// `GET /admin/api-access/v1/orgs/{orgId}/api-keys`.
    Keys,
    /// In a rule any call, in the log a path outside the API.
    Any,
}

/// Which requests, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// Only this one.
    Nth(u64),
    /// The first ones, up to this number.
    First(u64),
    /// From the first number to the second, both included.
    Between(u64, u64),
    /// From this one on.
    From(u64),
}

/// A fault and the requests that it applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Kind of call.
    pub call: Call,
    /// Which of them.
    pub when: When,
    /// What goes wrong.
    pub fault: Fault,
}

impl Rule {
    /// A rule.
    pub fn new(call: Call, when: When, fault: impl Into<Fault>) -> Rule {
        Rule { call, when, fault: fault.into() }
    }
}

impl Call {
    const ALL: [Call; 9] = [
        Call::Orgs,
        Call::Org,
        Call::Users,
        Call::Domains,
        Call::Count,
        Call::Search,
        Call::Workspaces,
        Call::Keys,
        Call::Any,
    ];

    /// Whether it is asked with `POST` and a body.
    pub(super) fn has_body(self) -> bool {
        matches!(self, Call::Search | Call::Workspaces)
    }

    fn word(self) -> &'static str {
        match self {
            Call::Orgs => "orgs",
            Call::Org => "org",
            Call::Users => "users",
            Call::Domains => "domains",
            Call::Count => "count",
            Call::Search => "search",
            Call::Workspaces => "workspaces",
            Call::Keys => "keys",
            Call::Any => "any",
        }
    }
}

impl When {
    /// Whether the `n`-th request is included.
    pub fn includes(self, n: u64) -> bool {
        match self {
            When::Always => true,
            When::Nth(number) => n == number,
            When::First(number) => n <= number,
            When::Between(first, last) => (first..=last).contains(&n),
            When::From(first) => n >= first,
        }
    }
}

impl FromStr for Rule {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Rule, GrammarError> {
        let (call, rest) = text.split_once(':').ok_or_else(|| {
            GrammarError(format!("`{text}` is not a rule: `CALL[:WHEN]:FAULT` is expected"))
        })?;
        let call = Call::ALL.into_iter().find(|known| known.word() == call).ok_or_else(|| {
            GrammarError(format!(
                "`{call}` is not a call: it must be one of {}",
                Call::ALL.map(Call::word).join(", ")
            ))
        })?;
        // No name of a fault begins with a digit, so a part that does is a count.
        let counted =
            rest.starts_with(|first: char| first.is_ascii_digit()) || rest.starts_with("always:");
        let (when, fault) = match rest.split_once(':') {
            Some((when, fault)) if counted => (when.parse()?, fault),
            _ => (When::Always, rest),
        };
        Ok(Rule { call, when, fault: fault.parse()? })
    }
}

impl FromStr for When {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<When, GrammarError> {
        let refused = || {
            GrammarError(format!(
                "`{text}` is not a count: `always`, `N`, `N-M` or `N-` is expected"
            ))
        };
        let number = |digits: &str| {
            digits.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(refused)
        };
        match text.split_once('-') {
            None if text == "always" => Ok(When::Always),
            None => Ok(When::Nth(number(text)?)),
            Some((first, "")) => Ok(When::From(number(first)?)),
            Some((first, last)) => match (number(first)?, number(last)?) {
                (1, last) => Ok(When::First(last)),
                (first, last) if first <= last => Ok(When::Between(first, last)),
                _ => Err(refused()),
            },
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.call.word(), self.when, self.fault)
    }
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Always => out.write_str("always"),
            When::Nth(number) => write!(out, "{number}"),
            When::First(number) => write!(out, "1-{number}"),
            When::Between(first, last) => write!(out, "{first}-{last}"),
            When::From(first) => write!(out, "{first}-"),
        }
    }
}

/// The armed rules, each with its number of requests so far.
#[derive(Debug, Default)]
pub(super) struct Armed(Vec<(Rule, u64)>);

impl Armed {
    pub(super) fn arm(&mut self, rule: Rule) {
        self.0.push((rule, 0));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts a request and returns the faults that apply to it, in the order in which they were
    /// armed.
    pub(super) fn strike(&mut self, call: Call) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (rule, seen) in &mut self.0 {
            if rule.call == Call::Any || rule.call == call {
                *seen += 1;
                if rule.when.includes(*seen) {
                    faults.push(rule.fault.clone());
                }
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        for text in [
            "users:3:status-429;body=gateway;retry-after=2",
            "any:always:drop",
            "domains:1-4:endless",
            "orgs:2-:html",
            "org:2-5:redirect;to=https://x.invalid:8443/",
        ] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn without_a_count_a_rule_always_applies() {
        let rule: Rule = "users:redirect;to=http://x.invalid/".parse().unwrap();
        assert_eq!(
            rule,
            Rule::new(
                Call::Users,
                When::Always,
                Fault::Redirect { to: "http://x.invalid/".into() }
            )
        );
    }

    #[test]
    fn counts_are_read() {
        for (text, when) in [
            ("always", When::Always),
            ("3", When::Nth(3)),
            ("1-4", When::First(4)),
            ("2-4", When::Between(2, 4)),
            ("2-", When::From(2)),
        ] {
            assert_eq!(text.parse::<When>().unwrap(), when);
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_reason() {
        for (text, message) in [
            ("users", "`users` is not a rule: `CALL[:WHEN]:FAULT` is expected"),
            (
                "people:drop",
                "`people` is not a call: it must be one of orgs, org, users, domains, count, \
                 search, workspaces, keys, any",
            ),
            ("users:0:drop", "`0` is not a count: `always`, `N`, `N-M` or `N-` is expected"),
            ("users:4-2:drop", "`4-2` is not a count: `always`, `N`, `N-M` or `N-` is expected"),
            ("users:often:drop", "`often:drop` is not a fault"),
            ("users:3", "`3` is not a fault"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn each_rule_counts_its_own_calls_from_when_it_is_armed() {
        let mut armed = Armed::default();
        armed.arm(Rule::new(Call::Users, When::Nth(2), Fault::Drop));
        assert!(armed.strike(Call::Users).is_empty());
        armed.arm(Rule::new(Call::Any, When::First(2), Fault::Html));
        assert_eq!(armed.strike(Call::Domains), [Fault::Html]);
        assert_eq!(armed.strike(Call::Users), [Fault::Drop, Fault::Html]);
        assert!(armed.strike(Call::Users).is_empty());
    }
}
