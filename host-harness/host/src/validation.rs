//! A validation as a platform shows it: the connector's checks, the host's doubts about the
//! settings, and whether they are ready.

use serde_json::{Value, json};

use crate::component::session::Session;
use crate::contract::Instant;
use crate::explained::{Check, Outcome, Report};
use crate::failure::{Code, Failure};
use crate::instant::{DAY, rfc3339};
use crate::remedy::Remedy;
use crate::settings::Checked;

/// From how many days before its end on a secret is warned of.
const WARNED_DAYS: i64 = 31;

/// The result of a validation: whether a collection would work.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    checks: Vec<CheckResult>,
    ready: bool,
    failure: Option<Failure>,
    credential_expires: Option<Instant>,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Stable identifier.
    pub id: String,
    /// What was checked.
    pub title: String,
    /// Its outcome.
    pub outcome: CheckOutcome,
    /// What was found, or why it was skipped.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The setting concerned.
    pub setting: Option<String>,
    /// The failure's kind, if it failed.
    pub code: Option<Code>,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
    /// When to come back, in seconds from now.
    pub retry_after_s: Option<u64>,
    /// The remedy, if it failed.
    pub remedy: Option<Remedy>,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Nothing is wrong.
    Passed,
    /// It works, but an administrator should look at it.
    Warning,
    /// It does not work.
    Failed,
    /// It was not run.
    Skipped,
}

impl CheckOutcome {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Validation {
    /// Calls `validate`, and adds what the host knows.
    ///
    /// # Errors
    /// If there is no reliable report.
    pub async fn of(session: &mut Session) -> Result<Self, Failure> {
        let report = session.validate().await?;
        Ok(Self::new(report, session.settings()).on(session.date(), session.settings()))
    }

    /// The same with a warning where the secret ends soon.
    fn on(mut self, today: Instant, settings: &Checked) -> Self {
        let Some(ends) = self.credential_expires else { return self };
        let days = ends.seconds.saturating_sub(today.seconds).div_euclid(DAY);
        let (Some(written), true) = (rfc3339(&ends), days < WARNED_DAYS) else { return self };
        let (setting, label) = match &settings.known.secret {
            Some((key, label)) => (Some(key.clone()), label.as_str()),
            None => (None, "The key"),
        };
        let date = written.date();
        let message = match days {
            ..0 => format!("{label} ended on {date}, by what the service says."),
            0 => format!("{label} ends within a day: on {date}."),
            1 => format!("{label} ends on {date}, in one day."),
            days => format!("{label} ends on {date}, in {days} days."),
        };
        let hint = "Create a new key at the service now, with the same permissions. Check it \
                    here, and replace the old one when the check has passed: then no collection \
                    is missed. Remove the old key at the service last.";
        self.checks.push(CheckResult {
            id: "credential-expires".into(),
            title: format!("{label} lasts"),
            outcome: CheckOutcome::Warning,
            message,
            hint: Some(hint.into()),
            setting,
            code: None,
            vendor_code: None,
            retry_after_s: None,
            remedy: None,
        });
        self
    }

    /// The connector's report, with the host's doubts about settings that the connector cannot see
    /// or has no doubt about.
    #[must_use]
    pub fn new(report: impl Into<Report>, settings: &Checked) -> Self {
        let report = report.into();
        let skipped = report
            .checks
            .iter()
            .any(|check| check.required && matches!(check.outcome, Outcome::Skipped(_)));
        let mut failure = None;
        let mut checks = Vec::new();
        for check in report.checks {
            checks.push(check_result(check, &mut failure));
        }
        for doubt in settings.warnings.iter().rev() {
            if checks
                .iter()
                .any(|check: &CheckResult| check.setting.as_ref() == Some(&doubt.setting))
            {
                continue;
            }
            checks.insert(
                0,
                CheckResult {
                    id: format!("shape-of-{}", doubt.setting),
                    title: format!("{} looks right", doubt.label),
                    outcome: CheckOutcome::Warning,
                    message: doubt.message.clone(),
                    hint: Some(doubt.hint.clone()),
                    setting: Some(doubt.setting.clone()),
                    code: None,
                    vendor_code: None,
                    retry_after_s: None,
                    remedy: None,
                },
            );
        }
        if failure.is_none() && skipped {
            failure = Some(
                Failure::new(Code::Other, "a check that is needed could not be made").with_hint(
                    "See the skipped checks, and validate again once the reason for that is fixed.",
                ),
            );
        }
        Self {
            ready: failure.is_none(),
            checks,
            failure,
            credential_expires: report.credential_expires,
        }
    }

    /// The result for settings that were refused before the connector was called.
    #[must_use]
    pub fn refused(failure: Failure) -> Self {
        let check = failed_check("settings".into(), "The settings are complete".into(), &failure);
        Self { checks: vec![check], ready: false, failure: Some(failure), credential_expires: None }
    }

    /// The result of a validation that ended before the connector's checks: one failed check, with
    /// the reason.
    #[must_use]
    pub fn stopped(failure: Failure) -> Self {
        let check = failed_check("run".into(), "The settings can be checked".into(), &failure);
        Self { checks: vec![check], ready: false, failure: Some(failure), credential_expires: None }
    }

    /// The validation with hints in the caller's words: a hint and a remedy are made into the hint
    /// that is shown.
    #[must_use]
    pub fn worded(mut self, word: impl Fn(Option<&str>, &Remedy) -> Option<String>) -> Self {
        for check in &mut self.checks {
            if let Some(remedy) = &check.remedy {
                check.hint = word(check.hint.as_deref(), remedy);
            }
        }
        self
    }

    /// The checks, in order.
    #[must_use]
    pub fn checks(&self) -> &[CheckResult] {
        &self.checks
    }

    /// Whether a collection would work: no check failed and no required one was skipped.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready
    }

    /// The first check that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// When the secret ends, where the service tells it.
    #[must_use]
    pub fn credential_expires(&self) -> Option<Instant> {
        self.credential_expires
    }

    /// The validation as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "id": check.id,
                "title": check.title,
                "outcome": check.outcome.as_str(),
                "message": check.message,
                "hint": check.hint,
                "setting": check.setting,
                "code": check.code.map(Code::as_str),
                "retryable": check.remedy.as_ref().is_some_and(Remedy::retryable),
            })
        });
        json!({
            "ready": self.ready,
            "credential_expires": self.credential_expires.as_ref().and_then(rfc3339).map(|written| written.as_str().to_owned()),
            "checks": checks.collect::<Vec<_>>(),
        })
    }
}

fn check_result(check: Check, first: &mut Option<Failure>) -> CheckResult {
    let Check { id, title, setting, outcome, .. } = check;
    let plain = |outcome, message| CheckResult {
        id: id.clone(),
        title: title.clone(),
        outcome,
        message,
        hint: None,
        setting: setting.clone(),
        code: None,
        vendor_code: None,
        retry_after_s: None,
        remedy: None,
    };
    match outcome {
        Outcome::Passed(message) => plain(CheckOutcome::Passed, message),
        Outcome::Skipped(message) => plain(CheckOutcome::Skipped, message),
        Outcome::Warning(advice) => CheckResult {
            hint: Some(advice.hint),
            setting: advice.setting.or_else(|| setting.clone()),
            ..plain(CheckOutcome::Warning, advice.message)
        },
        Outcome::Failed(mut failure) => {
            failure.setting = failure.setting.or(setting);
            let check = failed_check(id, title, &failure);
            first.get_or_insert(failure);
            check
        }
    }
}

fn failed_check(id: String, title: String, failure: &Failure) -> CheckResult {
    CheckResult {
        id,
        title,
        outcome: CheckOutcome::Failed,
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        setting: failure.setting.clone(),
        code: Some(failure.code),
        vendor_code: failure.vendor_code.clone(),
        retry_after_s: failure.retry_after_s,
        remedy: Some((*failure.remedy).clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Advice, Check, FailureKind, Outcome, Report};
    use crate::settings::Warning;

    fn check(id: &str, required: bool, outcome: Outcome) -> Check {
        Check { id: id.into(), title: id.to_uppercase(), required, setting: None, outcome }
    }

    fn failed(kind: FailureKind) -> Outcome {
        Outcome::Failed(crate::contract::Failure {
            kind,
            message: "it failed".into(),
            hint: "Do this.".into(),
            setting: None,
            vendor_code: Some("V-1".into()),
            retry_after_seconds: Some(7),
        })
    }

    fn no_doubts() -> Checked {
        Checked::default()
    }

    fn ready(checks: Vec<Check>) -> bool {
        Validation::new(Report { checks, credential_expires: None }, &no_doubts()).ready()
    }

    #[test]
    fn ready_means_nothing_failed_and_nothing_that_is_needed_was_skipped() {
        let warning =
            || Outcome::Warning(Advice { message: "m".into(), hint: "h".into(), setting: None });
        assert!(ready(vec![
            check("a", true, Outcome::Passed("x".into())),
            check("b", true, warning())
        ]));
        assert!(ready(vec![
            check("a", true, Outcome::Passed("x".into())),
            check("b", false, Outcome::Skipped("y".into()))
        ]));
        assert!(!ready(vec![check("a", true, Outcome::Skipped("y".into()))]));
        assert!(!ready(vec![check("a", false, failed(FailureKind::Permission))]));
    }

    #[test]
    fn a_secret_that_ends_soon_is_warned_of_and_stays_ready() {
        let today = Instant { seconds: 1_767_225_600, nanoseconds: 0 };
        let told = |seconds: i64| {
            let ends = Instant { seconds: today.seconds + seconds, nanoseconds: 0 };
            let checks = vec![check("a", true, Outcome::Passed("x".into()))];
            let report = Report { checks, credential_expires: Some(ends) };
            let mut settings = no_doubts();
            settings.known.secret = Some(("api-key".into(), "Api Key".into()));
            let validation = Validation::new(report, &settings).on(today, &settings);
            assert!(validation.ready());
            let json = validation.to_json();
            assert_eq!(json["credential_expires"].as_str().map(str::len), Some(20));
            validation.checks().get(1).map(|check| {
                assert_eq!(check.setting.as_deref(), Some("api-key"));
                assert!(check.hint.as_ref().is_some_and(|hint| hint.contains("replace")));
                check.message.clone()
            })
        };
        for (seconds, message) in [
            (31 * DAY, None),
            (31 * DAY - 1, Some("Api Key ends on 2026-01-31, in 30 days.")),
            (30 * DAY, Some("Api Key ends on 2026-01-31, in 30 days.")),
            (DAY, Some("Api Key ends on 2026-01-02, in one day.")),
            (DAY - 1, Some("Api Key ends within a day: on 2026-01-01.")),
            (0, Some("Api Key ends within a day: on 2026-01-01.")),
            (-1, Some("Api Key ended on 2025-12-31, by what the service says.")),
        ] {
            assert_eq!(told(seconds).as_deref(), message, "{seconds}");
        }
    }

    #[test]
    fn the_first_failure_is_the_reason_with_all_that_is_known() {
        let checks = vec![
            check("a", true, failed(FailureKind::Upstream)),
            check("b", true, failed(FailureKind::Other)),
        ];
        let validation = Validation::new(Report { checks, credential_expires: None }, &no_doubts());
        let failure = validation.failure().unwrap();
        assert_eq!(
            (failure.code, failure.retry_after_s, failure.vendor_code.as_deref()),
            (Code::Upstream, Some(7), Some("V-1"))
        );
        assert_eq!(
            validation.to_json()["checks"][0],
            json!({"id": "a", "title": "A", "outcome": "failed", "message": "it failed", "hint": "Do this.", "setting": null,
                   "code": "upstream", "retryable": true})
        );
    }

    #[test]
    fn a_doubt_is_a_warning_unless_a_check_speaks_of_the_setting() {
        let doubt = Warning {
            setting: "key".into(),
            label: "Key".into(),
            message: "m".into(),
            hint: "h".into(),
        };
        let settings = Checked { warnings: vec![doubt], ..no_doubts() };
        let validation = Validation::new(
            Report {
                checks: vec![check("a", true, Outcome::Passed("x".into()))],
                credential_expires: None,
            },
            &settings,
        );
        assert_eq!(
            (validation.checks()[0].id.as_str(), validation.ready()),
            ("shape-of-key", true)
        );
        let spoken = Outcome::Warning(Advice {
            message: "m".into(),
            hint: "h".into(),
            setting: Some("key".into()),
        });
        let validation = Validation::new(
            Report { checks: vec![check("a", true, spoken)], credential_expires: None },
            &settings,
        );
        assert_eq!(validation.checks().len(), 1);
    }

    #[test]
    fn a_failed_check_says_what_mends_it_as_data() {
        let checks = vec![
            check("a", true, failed(FailureKind::Upstream)),
            check("b", true, Outcome::Passed("x".into())),
        ];
        let validation = Validation::new(Report { checks, credential_expires: None }, &no_doubts());
        let after = Remedy::ComeBack { after_s: Some(7), max_wait_s: None };
        assert_eq!(
            (validation.checks()[0].remedy.as_ref(), validation.checks()[1].remedy.as_ref()),
            (Some(&after), None)
        );
        let worded =
            validation.worded(|hint, remedy| Some(format!("{} {}", hint?, remedy.retryable())));
        assert_eq!(
            (worded.checks()[0].hint.as_deref(), worded.checks()[1].hint.as_deref()),
            (Some("Do this. true"), None)
        );
    }
}
