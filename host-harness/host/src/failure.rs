//! The one error of the library: what went wrong, in a form that a platform can act on and a person can read.
//!
//! A failure holds no secret, no personal data and no part of an answer. Its text may come from a component: whoever shows it to
//! a person escapes it first (see [`crate::text`]).

use std::fmt;

use crate::contract;

/// What the caller does next. The first ten are the contract's kinds, the others are the host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// Correct a setting. No request was made.
    InvalidSettings,
    /// Get a new key.
    Credentials,
    /// Get a key that may do more.
    Permission,
    /// Correct what names the organization.
    NotFound,
    /// Come back later: too many requests.
    RateLimited,
    /// Come back later: the service does not answer as it should.
    Upstream,
    /// Report it: the answer is none that the connector knows.
    UnexpectedResponse,
    /// Do at the service what makes members visible.
    NoMembers,
    /// The service forgot where the collection was, also after a restart.
    CursorExpired,
    /// Read the message.
    Other,
    /// The list is shorter than the service says it is.
    Incomplete,
    /// A bound of the host was reached.
    Limit,
    /// The component asked for what it was not granted.
    Denied,
    /// The component crashed.
    Trap,
    /// The component broke the contract.
    Contract,
    /// The file is no component that this host can run.
    Component,
    /// Nobody whom this machine trusts vouches for the file, or it is not the one that was vouched for.
    Untrusted,
    /// The checkpoint does not belong to this run, or cannot be read.
    Checkpoint,
    /// The fixture is malformed, or the traffic is not the recorded one.
    Fixture,
    /// The run was stopped from outside.
    Interrupted,
    /// The output could not be written.
    Output,
}

impl Code {
    /// The code as scripts know it.
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

    /// Whether the same run may succeed later with nothing changed.
    #[must_use]
    pub fn retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Upstream | Self::Interrupted)
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
    /// What a person does about it.
    pub hint: Option<String>,
    /// The setting concerned.
    pub setting: Option<String>,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
    /// When it is worth coming back, in seconds from now.
    pub retry_after_s: Option<u64>,
}

impl Failure {
    /// A failure with a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, setting: None, vendor_code: None, retry_after_s: None }
    }

    /// Adds what a person does about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the setting concerned.
    #[must_use]
    pub fn with_setting(mut self, setting: impl Into<String>) -> Self {
        self.setting = Some(setting.into());
        self
    }

    /// The failure as scripts read it: every key there, absent values null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "code": self.code.as_str(),
            "message": self.message,
            "hint": self.hint,
            "retryable": self.code.retryable(),
            "setting": self.setting,
            "vendor_code": self.vendor_code,
            "retry_after_s": self.retry_after_s,
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
        Self {
            code: failure.kind.into(),
            message: failure.message,
            hint: (!failure.hint.is_empty()).then_some(failure.hint),
            setting: failure.setting,
            vendor_code: failure.vendor_code,
            retry_after_s: failure.retry_after_seconds,
        }
    }
}
