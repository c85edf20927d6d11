//! Why there is no result: one record, told apart by what the caller does next.
//!
//! Holds no text of an answer's body but the vendor's code, no secret, no personal data. The hint is never empty.

use std::borrow::Cow;

/// What the caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Correct a setting; no request was made.
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
    /// Start from the beginning.
    CursorExpired,
    /// Read the message.
    Other,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the caller does next.
    pub kind: FailureKind,
    /// What happened, in one sentence.
    pub message: String,
    /// What an administrator who is no engineer does about it.
    pub hint: String,
    /// The key of the setting concerned.
    pub setting: Option<&'static str>,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
    /// When it is worth coming back, in seconds from now.
    pub retry_after_seconds: Option<u64>,
}

impl Failure {
    /// Makes a failure that concerns no setting and has no code and no time to come back.
    pub fn new(kind: FailureKind, message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into().into_owned(),
            hint: hint.into().into_owned(),
            setting: None,
            vendor_code: None,
            retry_after_seconds: None,
        }
    }

    /// Names the setting that is to be corrected.
    #[must_use]
    pub fn at(mut self, setting: &'static str) -> Self {
        self.setting = Some(setting);
        self
    }

    /// Adds the vendor's code, where there is one.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.vendor_code = code;
        self
    }

    /// Adds when to come back, where it is known.
    #[must_use]
    pub fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }
}
