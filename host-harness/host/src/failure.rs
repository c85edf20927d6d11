//! The error type of the library: what went wrong, in a form that a platform can act on and a
//! person can read.
//!
//! A failure holds no secret, no personal data and no part of an answer. Its text may come from a
//! component: escape it before you show it (see [`crate::text`]).

use std::fmt;

use crate::contract;
use crate::remedy::{Place, Remedy};

/// What the caller does next. The first ten are the contract's kinds, the others the host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// Correct a setting. No request was made.
    InvalidSettings,
    /// Get a new key.
    Credentials,
    /// Get a key with more permissions.
    Permission,
    /// Correct the setting that names the organization.
    NotFound,
    /// Come back later: too many requests.
    RateLimited,
    /// Come back later: the service does not work properly.
    Upstream,
    /// Report it: the connector does not recognize the response.
    UnexpectedResponse,
    /// Change at the service what keeps members from being visible.
    NoMembers,
    /// The service forgot the cursor, also after a restart.
    CursorExpired,
    /// Read the message.
    Other,
    /// The list is shorter than the total that the service states.
    Incomplete,
    /// A bound of the host was reached.
    Limit,
    /// Come back when another run has ended: this host has no place for one more now.
    Busy,
    /// The component sent a request that was not granted.
    Denied,
    /// The component crashed.
    Trap,
    /// The component broke the contract.
    Contract,
    /// This host cannot run the file as a component.
    Component,
    /// No trusted publisher signed the file, or it was changed after signing.
    Untrusted,
    /// The checkpoint does not belong to this run, or cannot be read.
    Checkpoint,
    /// The fixture is malformed, or the traffic differs from the recorded one.
    Fixture,
    /// The run was stopped from outside.
    Interrupted,
    /// The output could not be written.
    Output,
}

impl Code {
    /// All codes, the contract's first.
    pub const ALL: &'static [Self] = &[
        Self::InvalidSettings,
        Self::Credentials,
        Self::Permission,
        Self::NotFound,
        Self::RateLimited,
        Self::Upstream,
        Self::UnexpectedResponse,
        Self::NoMembers,
        Self::CursorExpired,
        Self::Other,
        Self::Incomplete,
        Self::Limit,
        Self::Busy,
        Self::Denied,
        Self::Trap,
        Self::Contract,
        Self::Component,
        Self::Untrusted,
        Self::Checkpoint,
        Self::Fixture,
        Self::Interrupted,
        Self::Output,
    ];

    /// The code's name for scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSettings => "invalid-settings",
            Self::Credentials => "credentials",
            Self::Permission => "permission",
            Self::NotFound => "not-found",
            Self::RateLimited => "rate-limited",
            Self::Upstream => "upstream",
            Self::UnexpectedResponse => "unexpected-response",
            Self::NoMembers => "no-members",
            Self::CursorExpired => "cursor-expired",
            Self::Other => "other",
            Self::Incomplete => "incomplete",
            Self::Limit => "limit",
            Self::Busy => "busy",
            Self::Denied => "denied",
            Self::Trap => "trap",
            Self::Contract => "contract",
            Self::Component => "component",
            Self::Untrusted => "untrusted",
            Self::Checkpoint => "checkpoint",
            Self::Fixture => "fixture",
            Self::Interrupted => "interrupted",
            Self::Output => "output",
        }
    }

    /// The usual remedy for a failure with this code. If more is known, the failure has a better
    /// one.
    #[must_use]
    pub fn remedy(self) -> Remedy {
        match self {
            Self::InvalidSettings | Self::NotFound => Remedy::CorrectSetting { setting: None },
            Self::Credentials => Remedy::NewKey { setting: None },
            Self::Permission => Remedy::MorePermissions { scopes: Vec::new() },
            Self::RateLimited | Self::Upstream | Self::CursorExpired | Self::Incomplete => {
                Remedy::later()
            }
            Self::UnexpectedResponse => Remedy::ComeBackOrReport,
            Self::NoMembers => Remedy::ChangeAtService,
            Self::Busy => Remedy::WaitForPlace,
            Self::Interrupted => Remedy::RunAgain,
            Self::Denied | Self::Trap | Self::Contract => Remedy::ReportConnector,
            Self::Component => Remedy::OtherComponent { contract: None },
            Self::Untrusted => Remedy::TrustedPackage,
            Self::Checkpoint => Remedy::StartOver,
            Self::Fixture => Remedy::MendFixture,
            Self::Output => Remedy::MakeRoom { of: Place::Output },
            Self::Other | Self::Limit => Remedy::Other,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl From<contract::FailureKind> for Code {
    fn from(kind: contract::FailureKind) -> Self {
        use contract::FailureKind as Kind;
        match kind {
            Kind::InvalidSettings => Self::InvalidSettings,
            Kind::Credentials => Self::Credentials,
            Kind::Permission => Self::Permission,
            Kind::NotFound => Self::NotFound,
            Kind::RateLimited => Self::RateLimited,
            Kind::Upstream => Self::Upstream,
            Kind::UnexpectedResponse => Self::UnexpectedResponse,
            Kind::NoMembers => Self::NoMembers,
            Kind::CursorExpired => Self::CursorExpired,
            Kind::Other => Self::Other,
        }
    }
}

/// Why a run gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the caller does next.
    pub code: Code,
    /// What happened, in one sentence.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// The setting concerned.
    pub setting: Option<String>,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
    /// When to come back, in seconds from now.
    pub retry_after_s: Option<u64>,
    /// The remedy as data; the hint says the same in words.
    pub remedy: Box<Remedy>,
}

impl Failure {
    /// A failure with a message, and the usual remedy for its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            setting: None,
            vendor_code: None,
            retry_after_s: None,
            remedy: Box::new(code.remedy()),
        }
    }

    /// Sets a remedy other than the usual one.
    #[must_use]
    pub fn with_remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Box::new(remedy);
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the setting concerned.
    #[must_use]
    pub fn with_setting(mut self, setting: impl Into<String>) -> Self {
        let setting = setting.into();
        self.remedy.about(&setting);
        self.setting = Some(setting);
        self
    }

    /// Adds when to come back, in seconds from now.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        self.remedy.after(seconds);
        self.retry_after_s = seconds;
        self
    }

    /// Whether the same run may succeed later with nothing changed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.remedy.retryable()
    }

    /// The failure as JSON: every key is present, absent values are null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "code": self.code.as_str(),
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable(),
            "setting": self.setting,
            "vendor_code": self.vendor_code,
            "retry_after_s": self.retry_after_s,
            "remedy": self.remedy,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<contract::Failure> for Failure {
    fn from(failure: contract::Failure) -> Self {
        let hint = (!failure.hint.is_empty()).then_some(failure.hint);
        let mut from = Self {
            hint,
            vendor_code: failure.vendor_code,
            ..Self::new(failure.kind.into(), failure.message)
        };
        if let Some(setting) = failure.setting {
            // An answer that a setting is to blame for stays as it is until that is corrected.
            if from.code == Code::UnexpectedResponse {
                from = from.with_remedy(Remedy::CorrectSetting { setting: None });
            }
            from = from.with_setting(setting);
        }
        from.with_retry_after(failure.retry_after_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mends_a_connectors_failure_follows_from_kind_setting_and_time() {
        use contract::FailureKind as Kind;
        let key = || Some("api-key".to_owned());
        for (kind, setting, retry_after_seconds, remedy, retryable) in [
            (Kind::InvalidSettings, key(), None, Remedy::CorrectSetting { setting: key() }, false),
            (Kind::Credentials, key(), None, Remedy::NewKey { setting: key() }, false),
            (Kind::Permission, key(), None, Remedy::MorePermissions { scopes: vec![] }, false),
            (Kind::NotFound, None, None, Remedy::CorrectSetting { setting: None }, false),
            (
                Kind::RateLimited,
                None,
                Some(9),
                Remedy::ComeBack { after_s: Some(9), max_wait_s: None },
                true,
            ),
            (Kind::Upstream, None, None, Remedy::later(), true),
            (Kind::UnexpectedResponse, None, None, Remedy::ComeBackOrReport, true),
            (
                Kind::UnexpectedResponse,
                key(),
                None,
                Remedy::CorrectSetting { setting: key() },
                false,
            ),
            (Kind::NoMembers, None, None, Remedy::ChangeAtService, false),
            (Kind::CursorExpired, None, None, Remedy::later(), true),
            (Kind::Other, None, None, Remedy::Other, false),
        ] {
            let (message, hint, vendor_code) =
                ("It failed.".to_owned(), "Do this.".to_owned(), None);
            let failure = contract::Failure {
                kind,
                message,
                hint,
                setting,
                vendor_code,
                retry_after_seconds,
            };
            let failure = Failure::from(failure);
            assert_eq!(
                (&*failure.remedy, failure.retryable()),
                (&remedy, retryable),
                "{}",
                failure.code
            );
            assert_eq!(failure.to_json()["retryable"], retryable);
            assert_eq!(failure.to_json()["remedy"], serde_json::to_value(&remedy).unwrap());
        }
    }

    #[test]
    fn each_code_is_retryable_where_its_usual_hint_says_so() {
        for code in Code::ALL {
            let expected = match code {
                Code::RateLimited
                | Code::Upstream
                | Code::UnexpectedResponse
                | Code::CursorExpired
                | Code::Incomplete
                | Code::Busy
                | Code::Interrupted => true,
                Code::InvalidSettings
                | Code::Credentials
                | Code::Permission
                | Code::NotFound
                | Code::NoMembers
                | Code::Other
                | Code::Limit
                | Code::Denied
                | Code::Trap
                | Code::Contract
                | Code::Component
                | Code::Untrusted
                | Code::Checkpoint
                | Code::Fixture
                | Code::Output => false,
            };
            assert_eq!(code.remedy().retryable(), expected, "{code}");
        }
    }
}
