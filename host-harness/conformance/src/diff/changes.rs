//! The changes of an upgrade from one build of a connector to another: findings with a class each,
//! and both outcomes of every recorded case.
//!
//! The same two files with the same fixtures give the same changes.

use serde_json::{Value, json};

use crate::check::verdict::Connector;
use smp_host::validation::CheckOutcome;

/// The result of a comparison: what changes with the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The build that is in use.
    pub old: Connector,
    /// The build that would replace it.
    pub new: Connector,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// What an operator must approve before the new build can do all of its work: an origin, or a
    /// method and a path.
    pub approvals: Vec<String>,
    /// The recorded cases that were played with both builds, in order.
    pub cases: Vec<CaseChange>,
}

/// What a finding means for the decision about the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Nothing needs to be done.
    Harmless,
    /// An operator must look before the upgrade.
    Look,
    /// Something that works today stops working: settings, a key, an approval, members.
    Blocking,
}

/// The effect of a finding on settings and a key that were stored for the old build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing.
    None,
    /// They may stop working: it depends on what is stored.
    MayStop,
    /// They stop working.
    Stops,
}

/// Whether settings and a key that were stored for the old build work with the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// They do: no declaration prevents it, and recorded traffic is ready with both builds.
    KeepWorking,
    /// No declaration prevents it, but no recorded traffic shows it.
    NotShown,
    /// It depends on what is stored.
    MayStop,
    /// They do not.
    StopWorking,
}

/// A difference between the builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable identifier.
    pub id: &'static str,
    /// Its subject, in a word or two.
    pub area: &'static str,
    /// What it means for the upgrade.
    pub class: Class,
    /// The effect on stored settings.
    pub effect: Effect,
    /// What the new build does, in a sentence without a subject.
    pub title: &'static str,
    /// What an operator does about it.
    pub action: Option<&'static str>,
    /// The details, a sentence each, up to a bound. They may contain text of both components.
    pub details: Vec<String>,
    /// Number of details beyond the bound.
    pub more: usize,
}

/// The outcomes of one recorded case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseChange {
    /// Name of the case.
    pub name: String,
    /// With the old build.
    pub old: Came,
    /// With the new build.
    pub new: Came,
    /// How the members differ, if both builds have a complete list.
    pub members: Option<MemberChanges>,
    /// The checks of `validate` with another outcome.
    pub checks: Vec<CheckChange>,
}

/// The outcome of a case with one build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Whether `validate` called the settings ready. `None` if it failed.
    pub ready: Option<bool>,
    /// The account that `connect` named.
    pub account: Option<String>,
    /// `complete`, or the code of the failure in which the collection ended.
    pub outcome: String,
    /// Members of the list, if it is complete.
    pub members: Option<usize>,
    /// Requests of all calls together, without retries.
    pub requests: usize,
    /// The first request to which the traffic has no answer. Whatever came after it shows nothing.
    pub unanswered: Option<String>,
}

/// How the members of two lists differ, by account id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChanges {
    /// Only in the new list.
    pub added: Vec<String>,
    /// Only in the old list.
    pub removed: Vec<String>,
    /// In both, with the names of the fields that differ.
    pub changed: Vec<(String, Vec<String>)>,
}

/// A check of `validate` with another outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckChange {
    /// Its identifier.
    pub id: String,
    /// Its outcome in the old build. `None` if that build does not make the check.
    pub old: Option<String>,
    /// Its outcome in the new build. `None` if that build does not make the check.
    pub new: Option<String>,
}

/// Most account ids of a list in JSON. To get all of them, collect with both builds.
const MOST_IDS: usize = 1_000;

impl Class {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::Look => "look",
            Self::Blocking => "blocking",
        }
    }

    /// What it comes to, in a sentence without a full stop.
    #[must_use]
    pub fn verdict(self) -> &'static str {
        match self {
            Self::Harmless => "No operator needs to look before this upgrade",
            Self::Look => "An operator must look before this upgrade",
            Self::Blocking => "An operator must act before this upgrade",
        }
    }

    /// The outcome with the same mark on a terminal.
    #[must_use]
    pub fn outcome(self) -> CheckOutcome {
        match self {
            Self::Harmless => CheckOutcome::Passed,
            Self::Look => CheckOutcome::Warning,
            Self::Blocking => CheckOutcome::Failed,
        }
    }
}

impl Stored {
    /// The name that scripts use for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeepWorking => "keep-working",
            Self::NotShown => "not-shown",
            Self::MayStop => "may-stop",
            Self::StopWorking => "stop-working",
        }
    }

    /// It in a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::KeepWorking => "The stored settings and key keep working.",
            Self::NotShown => {
                "No declaration stops the stored settings and key from working, but no recorded \
                 traffic shows that they work."
            }
            Self::MayStop => {
                "The stored settings and key may stop working: it depends on what is stored."
            }
            Self::StopWorking => "The stored settings and key stop working.",
        }
    }
}

impl Changes {
    /// The worst class of all findings.
    #[must_use]
    pub fn class(&self) -> Class {
        self.findings.iter().map(|finding| finding.class).max().unwrap_or(Class::Harmless)
    }

    /// Whether an operator must look before the upgrade.
    #[must_use]
    pub fn must_look(&self) -> bool {
        self.class() > Class::Harmless
    }

    /// The findings of a class.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.class == class)
    }

    /// Whether settings and a key that were stored for the old build work with the new one.
    #[must_use]
    pub fn stored(&self) -> Stored {
        let is_same_file = self.old.digest == self.new.digest;
        let is_shown = self
            .cases
            .iter()
            .any(|case| case.old.ready == Some(true) && case.new.ready == Some(true));
        match self.findings.iter().map(|finding| finding.effect).max().unwrap_or(Effect::None) {
            Effect::Stops => Stored::StopWorking,
            Effect::MayStop => Stored::MayStop,
            Effect::None if is_same_file || is_shown => Stored::KeepWorking,
            Effect::None => Stored::NotShown,
        }
    }

    /// The changes as JSON: every key is present, absent values are null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "id": finding.id,
                "area": finding.area,
                "class": finding.class.as_str(),
                "title": finding.title,
                "action": finding.action,
                "details": finding.details,
                "more": finding.more,
            })
        });
        json!({
            "old": connector(&self.old),
            "new": connector(&self.new),
            "class": self.class().as_str(),
            "must_look": self.must_look(),
            "stored_settings": self.stored().as_str(),
            "must_approve": self.approvals,
            "findings": findings.collect::<Vec<_>>(),
            "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
        })
    }
}

fn connector(connector: &Connector) -> Value {
    json!({
        "id": connector.id,
        "name": connector.name,
        "version": connector.version,
        "digest": connector.digest,
        "size": connector.size,
        "contract_version": connector.contract_version,
    })
}

fn case(case: &CaseChange) -> Value {
    let came = |came: &Came| {
        json!({
            "ready": came.ready,
            "account": came.account,
            "outcome": came.outcome,
            "members": came.members,
            "requests": came.requests,
            "unanswered": came.unanswered,
        })
    };
    let checks =
        case.checks.iter().map(|check| json!({"id": check.id, "old": check.old, "new": check.new}));
    let ids = |ids: &[String]| ids.iter().take(MOST_IDS).cloned().collect::<Vec<_>>();
    let members = case.members.as_ref().map(|members| {
        let changed = members
            .changed
            .iter()
            .take(MOST_IDS)
            .map(|(id, fields)| json!({"id": id, "fields": fields}));
        let hidden = [members.added.len(), members.removed.len(), members.changed.len()]
            .map(|all| all.saturating_sub(MOST_IDS));
        json!({
            "added": ids(&members.added),
            "removed": ids(&members.removed),
            "changed": changed.collect::<Vec<_>>(),
            "more": hidden.iter().sum::<usize>(),
        })
    });
    json!({
        "name": case.name,
        "old": came(&case.old),
        "new": came(&case.new),
        "members": members,
        "checks": checks.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(effects: &[(Class, Effect)], ready: &[(bool, bool)]) -> Changes {
        let side = |digest: &str| Connector {
            id: "a".into(),
            name: "A".into(),
            version: "1.0.0".into(),
            digest: digest.into(),
            size: 1,
            contract_version: "0.1.0".into(),
        };
        let came = |ready| Came { ready: Some(ready), ..Came::default() };
        let findings = effects.iter().map(|(class, effect)| Finding {
            id: "x",
            area: "",
            class: *class,
            effect: *effect,
            title: "",
            action: None,
            details: vec![],
            more: 0,
        });
        let case = |(old, new): &(bool, bool)| CaseChange {
            name: "case".into(),
            old: came(*old),
            new: came(*new),
            members: Some(MemberChanges {
                added: (0..1_002).map(|id| id.to_string()).collect(),
                ..MemberChanges::default()
            }),
            checks: vec![],
        };
        Changes {
            old: side("sha256:00"),
            new: side("sha256:01"),
            findings: findings.collect(),
            approvals: vec![],
            cases: ready.iter().map(case).collect(),
        }
    }

    #[test]
    fn an_operator_must_look_unless_everything_is_harmless() {
        assert!(!changes(&[], &[]).must_look());
        assert!(!changes(&[(Class::Harmless, Effect::None)], &[]).must_look());
        assert!(
            changes(&[(Class::Harmless, Effect::None), (Class::Look, Effect::None)], &[])
                .must_look()
        );
        assert_eq!(
            changes(&[(Class::Blocking, Effect::None), (Class::Look, Effect::None)], &[]).class(),
            Class::Blocking
        );
    }

    #[test]
    fn stored_settings_are_said_to_work_only_where_traffic_shows_it_and_nothing_speaks_against_it()
    {
        let (fine, depends, stops) = (
            (Class::Look, Effect::None),
            (Class::Blocking, Effect::MayStop),
            (Class::Blocking, Effect::Stops),
        );
        assert_eq!(changes(&[fine], &[(true, true)]).stored(), Stored::KeepWorking);
        assert_eq!(
            changes(&[fine], &[(false, true), (true, false), (false, false)]).stored(),
            Stored::NotShown
        );
        assert_eq!(changes(&[fine], &[]).stored(), Stored::NotShown);
        assert_eq!(changes(&[fine, depends], &[(true, true)]).stored(), Stored::MayStop);
        assert_eq!(changes(&[stops, depends], &[(true, true)]).stored(), Stored::StopWorking);
        let mut same = changes(&[fine], &[]);
        same.new.digest.clone_from(&same.old.digest);
        assert_eq!(same.stored(), Stored::KeepWorking);
    }

    #[test]
    fn scripts_are_told_a_bounded_number_of_members_and_how_many_more_there_are() {
        let told = changes(&[], &[(true, true)]).to_json();
        let members = &told["cases"][0]["members"];
        assert_eq!(
            (members["added"].as_array().unwrap().len(), &members["more"]),
            (MOST_IDS, &json!(2))
        );
    }
}
