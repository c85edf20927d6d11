//! Adds what only the host knows to a component's failure: the one place for every call, and for
//! each check of a report.
//!
//! The host knows which answer was too large, which wait was too long, why a request was denied or
//! has no answer, the prefix of the key, which settings are missing and which scopes are declared.
//! This module does not end a run:
//! [`Capability::end`](crate::http::capability::Capability::end) does, whatever the component
//! reports.

use crate::contract::{self, Advice, FailureKind as Kind, Instant};
use crate::failure::{Code, Failure};
use crate::http::asked::{Asked, End};
use crate::http::capability::whole_seconds;
use crate::limits::{Bound, Limits};
use crate::remedy::Remedy;
use crate::settings::Known;

/// A connector's report, with failures as the host explains them.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The checks, in the connector's order.
    pub checks: Vec<Check>,
    /// When the secret ends, if the service states it.
    pub credential_expires: Option<Instant>,
}

/// A check of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Stable identifier.
    pub id: String,
    /// What was checked, for people.
    pub title: String,
    /// Whether the settings need it to be ready.
    pub required: bool,
    /// Key of the setting concerned.
    pub setting: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It passed; the text says what was found.
    Passed(String),
    /// It works, but needs attention.
    Warning(Advice),
    /// It does not work.
    Failed(Failure),
    /// It could not be made; the text says why.
    Skipped(String),
}

/// The host's knowledge at the end of a call.
pub(crate) struct Explainer<'a> {
    /// About the settings.
    pub(crate) known: &'a Known,
    /// The bounds that apply.
    pub(crate) limits: &'a Limits,
    /// About the call's requests. `None` if it could not send any.
    pub(crate) asked: Option<&'a Asked>,
}

impl Explainer<'_> {
    /// The failure, explained.
    pub(crate) fn failure(&self, mut failure: contract::Failure) -> Failure {
        let kind = failure.kind;
        let end = self.asked.and_then(|asked| asked.about(&failure.message));
        if let Some(End::Explained(host)) = end
            && !matches!(kind, Kind::InvalidSettings | Kind::NoMembers)
        {
            return host.clone();
        }
        self.known.explain(&mut failure);
        if let Some(origin) = self.known.named_origin.as_ref()
            && matches!(kind, Kind::UnexpectedResponse | Kind::Upstream)
        {
            let hint = failure.hint.trim();
            let asked = "was asked in place of the service: is it the right address?";
            failure.hint = format!("{hint} {origin} {asked}").trim().to_owned();
        }
        let mut failure = self.known.refined(failure.into());
        match (end, &mut *failure.remedy) {
            (Some(End::Overrun(enough)), Remedy::ComeBack { max_wait_s, .. }) => {
                *max_wait_s = Some(whole_seconds(*enough));
            }
            // No setting is to blame, and nothing is to be reported.
            (Some(End::BadPage), Remedy::ComeBackOrReport) => {
                failure = failure.with_remedy(Remedy::later());
            }
            (Some(End::InPart), Remedy::ComeBackOrReport) => {
                failure.code = Code::Incomplete;
                failure = failure.with_remedy(Remedy::later());
            }
            // A failure of another kind is about an answer that was read.
            (Some(End::TooLarge), _)
                if matches!(kind, Kind::UnexpectedResponse | Kind::Upstream | Kind::Other) =>
            {
                let most = self.limits.shown(Bound::Response);
                let hint = failure.hint.take().unwrap_or_default();
                let hint = format!("{hint} The limit `response` is {most}.").trim().to_owned();
                let limit = Bound::Response.name();
                failure =
                    failure.with_hint(hint).with_remedy(Remedy::RaiseLimit { limit, to: None });
            }
            _ => {}
        }
        failure
    }

    /// The report, with each of its failures explained.
    pub(crate) fn report(&self, report: contract::Report) -> Report {
        Report::of(report, |failure| self.failure(failure))
    }
}

impl Report {
    fn of(report: contract::Report, explain: impl Fn(contract::Failure) -> Failure) -> Self {
        let checks = report.checks.into_iter().map(|check| {
            let contract::Check { id, title, required, setting, outcome } = check;
            let outcome = match outcome {
                contract::Outcome::Passed(text) => Outcome::Passed(text),
                contract::Outcome::Warning(advice) => Outcome::Warning(advice),
                contract::Outcome::Failed(failure) => Outcome::Failed(explain(failure)),
                contract::Outcome::Skipped(text) => Outcome::Skipped(text),
            };
            Check { id, title, required, setting, outcome }
        });
        Self { checks: checks.collect(), credential_expires: report.credential_expires }
    }

    /// The failure of the first check that failed.
    #[must_use]
    pub fn failure(self) -> Option<Failure> {
        self.checks.into_iter().find_map(|check| match check.outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        })
    }
}

/// A report to which the host has nothing to add.
impl From<contract::Report> for Report {
    fn from(report: contract::Report) -> Self {
        Self::of(report, Failure::from)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const USERS: &str = "GET /v1/orgs/{organization-id}/users";
    const OTHER: &str = "GET /v1/orgs";

    fn said(kind: Kind, message: &str) -> contract::Failure {
        contract::Failure {
            kind,
            message: message.into(),
            hint: "Do this.".into(),
            setting: None,
            vendor_code: None,
            retry_after_seconds: Some(7),
        }
    }

    fn explained(end: End, kind: Kind, message: &str) -> Failure {
        let (mut asked, limits) = (Asked::default(), Limits { response: 200, ..Limits::default() });
        asked.note(USERS.into(), end);
        asked.note(OTHER.into(), End::Told);
        let known = Known { scopes: vec!["read:users".into()], ..Known::default() };
        Explainer { known: &known, limits: &limits, asked: Some(&asked) }
            .failure(said(kind, message))
    }

    #[test]
    fn what_the_host_knows_of_a_request_explains_the_failures_that_are_about_it() {
        let raise = Remedy::RaiseLimit { limit: "response", to: None };
        let back = |max_wait_s| Remedy::ComeBack { after_s: Some(7), max_wait_s };
        let denied = Failure::new(Code::Denied, "it was not let out")
            .with_remedy(Remedy::Grant { method: "POST", path: "/v1/search".into() });
        let word = || End::Explained(denied.clone());
        let overrun = || End::Overrun(Duration::from_millis(7_100));
        let scopes = || Remedy::MorePermissions { scopes: vec!["read:users".into()] };
        for (end, kind, about, remedy) in [
            (End::TooLarge, Kind::UnexpectedResponse, USERS, raise.clone()),
            (End::TooLarge, Kind::Upstream, USERS, raise.clone()),
            (End::TooLarge, Kind::Other, USERS, raise.clone()),
            (End::TooLarge, Kind::UnexpectedResponse, OTHER, Remedy::ComeBackOrReport),
            (End::TooLarge, Kind::UnexpectedResponse, "none", Remedy::ComeBackOrReport),
            (End::TooLarge, Kind::NoMembers, USERS, Remedy::ChangeAtService),
            (End::TooLarge, Kind::Permission, USERS, scopes()),
            (overrun(), Kind::RateLimited, USERS, back(Some(8))),
            (overrun(), Kind::Upstream, USERS, back(Some(8))),
            (overrun(), Kind::RateLimited, OTHER, back(None)),
            (overrun(), Kind::Credentials, USERS, Remedy::NewKey { setting: None }),
            (word(), Kind::Other, USERS, (*denied.remedy).clone()),
            (word(), Kind::Permission, USERS, (*denied.remedy).clone()),
            (word(), Kind::Permission, OTHER, scopes()),
            (word(), Kind::NoMembers, USERS, Remedy::ChangeAtService),
            (End::Told, Kind::Upstream, USERS, back(None)),
            (End::BadPage, Kind::UnexpectedResponse, USERS, Remedy::later()),
            (End::BadPage, Kind::UnexpectedResponse, OTHER, Remedy::ComeBackOrReport),
            (End::InPart, Kind::UnexpectedResponse, USERS, Remedy::later()),
            (End::BadPage, Kind::Credentials, USERS, Remedy::NewKey { setting: None }),
        ] {
            let row = format!("{end:?} {kind:?} {about}");
            let failure = explained(end, kind, &format!("It failed at {about}."));
            assert_eq!(*failure.remedy, remedy, "{row}");
        }
    }

    #[test]
    fn an_answer_that_may_lack_a_part_makes_a_list_incomplete() {
        for (end, kind, code) in [
            (End::InPart, Kind::UnexpectedResponse, Code::Incomplete),
            (End::InPart, Kind::Credentials, Code::Credentials),
            (End::BadPage, Kind::UnexpectedResponse, Code::UnexpectedResponse),
        ] {
            let failure = explained(end, kind, &format!("It failed at {USERS}."));
            assert_eq!(failure.code, code);
        }
    }

    #[test]
    fn the_limit_that_an_answer_is_too_large_for_is_named_with_its_value() {
        let failure = explained(End::TooLarge, Kind::UnexpectedResponse, USERS);
        assert_eq!(
            (failure.hint.as_deref(), failure.retryable()),
            (Some("Do this. The limit `response` is 200 bytes."), false)
        );
    }

    #[test]
    fn an_origin_that_the_operator_named_is_told_where_an_answer_makes_no_sense() {
        let limits = Limits::default();
        let named_origin = Some("http://127.0.0.1:8080".to_owned());
        let known = Known { named_origin, ..Known::default() };
        let explainer = Explainer { known: &known, limits: &limits, asked: None };
        let hint = |kind| explainer.failure(said(kind, "It failed.")).hint.unwrap();
        for kind in [Kind::UnexpectedResponse, Kind::Upstream] {
            assert_eq!(
                hint(kind),
                "Do this. http://127.0.0.1:8080 was asked in place of the service: is it the right \
                 address?"
            );
        }
        assert_eq!(hint(Kind::Credentials), "Do this.");
    }

    #[test]
    fn a_failure_that_names_no_endpoint_is_about_the_last_request() {
        let (mut asked, limits) = (Asked::default(), Limits::default());
        asked.note(USERS.into(), End::TooLarge);
        let explainer =
            Explainer { known: &Known::default(), limits: &limits, asked: Some(&asked) };
        let failure = explainer.failure(said(Kind::Other, "It is too much."));
        assert_eq!(*failure.remedy, Remedy::RaiseLimit { limit: "response", to: None });
    }

    #[test]
    fn each_check_of_a_report_is_explained_by_its_own_request() {
        let (mut asked, limits) = (Asked::default(), Limits::default());
        asked.note(USERS.into(), End::TooLarge);
        asked.note(OTHER.into(), End::Overrun(Duration::from_secs(30)));
        let failed = |kind, about: &str| contract::Check {
            id: "a".into(),
            title: "A".into(),
            required: true,
            setting: None,
            outcome: contract::Outcome::Failed(said(kind, about)),
        };
        let checks =
            vec![failed(Kind::UnexpectedResponse, USERS), failed(Kind::RateLimited, OTHER)];
        let known = Known::default();
        let explainer = Explainer { known: &known, limits: &limits, asked: Some(&asked) };
        let report = explainer.report(contract::Report { checks, credential_expires: None });
        let remedies = report.checks.into_iter().map(|check| match check.outcome {
            Outcome::Failed(failure) => *failure.remedy,
            other => panic!("{other:?}"),
        });
        let raise = Remedy::RaiseLimit { limit: "response", to: None };
        let back = Remedy::ComeBack { after_s: Some(7), max_wait_s: Some(30) };
        assert_eq!(remedies.collect::<Vec<_>>(), [raise, back]);
    }
}
