//! One request to the registry, and its answer: what it says, and its failure if it is not wanted.

use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// One request to the registry.
pub(in crate::registry) struct Ask<'a> {
    pub(in crate::registry) method: Method,
    pub(in crate::registry) path: String,
    pub(in crate::registry) accept: &'a str,
    /// Its media type and content.
    pub(in crate::registry) body: Option<(&'a str, &'a [u8])>,
    /// Largest answer, in bytes.
    pub(in crate::registry) most: u64,
}

/// One answer, with any status.
pub(in crate::registry) struct Answer {
    pub(in crate::registry) status: u16,
    pub(super) headers: HeaderMap,
    pub(in crate::registry) body: Vec<u8>,
}

impl Ask<'_> {
    /// Whether it changes nothing.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

impl Answer {
    /// The wait that it asks for, in seconds.
    pub(super) fn retry_after(&self) -> Option<u64> {
        self.header(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok())
    }

    /// A header's text.
    pub(in crate::registry) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The failure of an unwanted answer.
    pub(super) fn refused(&self, who: &str, with_login: bool) -> Failure {
        let says = self.says();
        let failure = |code, message: &str, hint: &str| Failure {
            vendor_code: says.clone(),
            ..Failure::new(code, format!("{who} {message}")).with_hint(hint)
        };
        match self.status {
            401 if with_login => failure(
                Code::Credentials,
                "does not accept your login",
                "It may have ended, or belong to another account: log in again, or log out.",
            )
            .with_remedy(Remedy::LogIn),
            401 => failure(
                Code::Credentials,
                "requires a login",
                "There is no login for it. Check the name of the repository too: some registries \
                 ask for a login in place of saying that there is none of this name.",
            )
            .with_remedy(Remedy::LogIn),
            403 => failure(
                Code::Permission,
                "does not permit you to do this",
                "Ask its owner for the right to read or write this repository.",
            ),
            404 => failure(
                Code::NotFound,
                "has no such repository or artifact",
                "Check the reference: host, name, tag and digest.",
            )
            .with_remedy(Remedy::CorrectInput { input: "reference" }),
            429 => failure(Code::RateLimited, "gets too many requests", "Come back later.")
                .with_retry_after(self.retry_after()),
            500..=599 => failure(
                Code::Upstream,
                &format!("does not work properly (status {})", self.status),
                "Try again later.",
            ),
            status => failure(
                Code::UnexpectedResponse,
                &format!("gives an unexpected answer (status {status})"),
                "Check that the reference names a registry of OCI artifacts.",
            )
            .with_remedy(Remedy::CorrectInput { input: "reference" }),
        }
    }

    /// The registry's own error code, such as `MANIFEST_INVALID`.
    fn says(&self) -> Option<String> {
        let value: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let code = value.pointer("/errors/0/code")?.as_str()?;
        (code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
            .then(|| code.to_owned())
    }
}
