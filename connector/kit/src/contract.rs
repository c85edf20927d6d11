//! The contract's types as a connector uses them, with short constructors.
//!
//! They are generated from `wit/`: nothing is converted between a connector and its host. The
//! constructors added here fill in only required fields; set the others by name, for example
//! `Member { name, ..Member::new(id) }`.

use std::cmp::Ordering;

pub use crate::bindings::exports::smp::connector::connector::{
    Account, Advice, Affiliation, Api, Attachment, BasicHalf, BasicUse, Check, Choice, Condition,
    DataField, DataSet, Descriptor, Endpoint, Failure, FailureKind, GuideSection, HeaderUse,
    Instant, Member, MemberKind, MemberPage, MemberStatus, Origins, OtherHalf, Outcome, Product,
    ProductUse, Question, RateLimit, Report, SecretPrefix, SecretUse, Setting, SettingField,
    SettingValue,
};
#[cfg(feature = "usage")]
pub use crate::bindings::exports::smp::connector::usage::{Entry, UsagePage};
pub use crate::bindings::smp::connector::http::{
    Error as HttpError, Exhausted, Method, Request, Response,
};
pub use crate::bindings::smp::connector::log::Level;

impl Failure {
    /// Makes a failure that concerns no setting and has no code and no time to come back.
    pub fn new(kind: FailureKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: hint.into(),
            setting: None,
            vendor_code: None,
            retry_after_seconds: None,
        }
    }

    /// Sets the setting to correct.
    #[must_use]
    pub fn at(mut self, setting: &str) -> Self {
        self.setting = Some(setting.to_owned());
        self
    }

    /// Adds the vendor's code, if there is one.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.vendor_code = code;
        self
    }

    /// Adds when to come back, if it is known.
    #[must_use]
    pub fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }
}

impl Request {
    /// Makes a GET request for a path with its query.
    pub fn get(path_with_query: impl Into<String>) -> Self {
        Self { method: Method::Get, path_with_query: path_with_query.into(), body: None }
    }

    /// Makes a request that reads with a body, which is JSON.
    pub fn post(path_with_query: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            method: Method::Post,
            path_with_query: path_with_query.into(),
            body: Some(body.into().into_bytes()),
        }
    }
}

impl Response {
    /// The value of the first header with that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Account {
    /// Makes an account from its identifier and its name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), attributes: Vec::new() }
    }
}

impl Check {
    /// Makes a check without which the settings are not ready.
    pub fn required(id: &str, title: &str, outcome: Outcome) -> Self {
        Self { id: id.to_owned(), title: title.to_owned(), required: true, setting: None, outcome }
    }

    /// Names the setting that it concerns.
    #[must_use]
    pub fn at(mut self, setting: &str) -> Self {
        self.setting = Some(setting.to_owned());
        self
    }

    /// Makes a check that may be skipped when the settings are ready.
    pub fn optional(id: &str, title: &str, outcome: Outcome) -> Self {
        Self { required: false, ..Self::required(id, title, outcome) }
    }
}

impl Outcome {
    /// The outcome of a check: passed, or failed.
    pub fn of(result: Result<String, Failure>) -> Self {
        match result {
            Ok(text) => Self::Passed(text),
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl Report {
    /// Makes a report of its checks, of a secret whose end was not told.
    pub fn new(checks: Vec<Check>) -> Self {
        Self { checks, credential_expires: None }
    }
}

impl Member {
    /// Makes a member of which only the identifier is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            email: None,
            name: String::new(),
            nickname: None,
            role: String::new(),
            uses: Vec::new(),
            last_seen: None,
            status: None,
            kind: None,
            affiliation: None,
            billable: None,
            attributes: Vec::new(),
        }
    }
}

impl Default for MemberPage {
    /// A last page without members, of a list with an unknown total.
    fn default() -> Self {
        Self {
            products: Vec::new(),
            members: Vec::new(),
            next: None,
            total: None,
            notes: Vec::new(),
        }
    }
}

#[cfg(feature = "usage")]
impl Entry {
    /// Makes an entry for a product of which no plan and no number is known.
    pub fn new(id: impl Into<String>, product: Product) -> Self {
        let (plan, purchased, used, sandbox) = (None, None, None, None);
        Self { id: id.into(), product, plan, purchased, used, sandbox }
    }
}

#[cfg(feature = "usage")]
impl Default for UsagePage {
    /// A last page without entries, of a list with an unknown total.
    fn default() -> Self {
        Self { entries: Vec::new(), next: None, total: None, notes: Vec::new() }
    }
}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By time.
impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanoseconds).cmp(&(other.seconds, other.nanoseconds))
    }
}

/// The value of a setting without surrounding white space; empty if it was not entered.
pub fn setting<'a>(settings: &'a [Setting], key: &str) -> &'a str {
    settings.iter().find(|setting| setting.key == key).map_or("", |setting| setting.value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_in_the_order_of_time() {
        let at = |seconds, nanoseconds| Instant { seconds, nanoseconds };
        let mut instants = [at(1, 0), at(0, 999_999_999), at(-1, 5), at(0, 0)];
        instants.sort_unstable();
        assert_eq!(instants, [at(-1, 5), at(0, 0), at(0, 999_999_999), at(1, 0)]);
    }

    #[test]
    fn a_header_is_found_by_its_name_the_first_of_several() {
        let headers = [("a", "1"), ("b", "2"), ("b", "3")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let response = Response { status: 200, headers, body: Vec::new() };
        assert_eq!((response.header("b"), response.header("c")), (Some("2"), None));
    }

    #[test]
    fn a_setting_is_handed_over_without_the_space_around_it() {
        let settings = [Setting { key: "team".to_owned(), value: " acme\n".to_owned() }];
        assert_eq!((setting(&settings, "team"), setting(&settings, "other")), ("acme", ""));
    }
}
