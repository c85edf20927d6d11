//! A client for what the operator names and no connector does: an issuer of people's tokens, a
//! Vault, a collector of traces.

use std::time::Duration;

use smp_host::http::transport::TransportError;
use smp_host::live::{ClientError, LiveClient, LiveOptions};

use crate::problem::Problem;

/// This program, for services.
pub(crate) const USER_AGENT: &str = concat!("smp-platform/", env!("CARGO_PKG_VERSION"));

/// A client whose requests take so long at most, and whose answers have so many bytes. It may reach
/// private addresses, because the operator named them.
///
/// # Errors
/// If a proxy variable cannot be read, or the client cannot be set up.
pub(crate) fn client(
    timeout: Duration,
    largest_body: u64,
    system_proxy: bool,
) -> Result<LiveClient, ClientError> {
    LiveClient::new(&LiveOptions {
        timeout,
        largest_body,
        extra_roots: None,
        system_proxy,
        private_network: true,
        ranges: Vec::new(),
        user_agent: USER_AGENT.to_owned(),
    })
}

/// The problem of a client that cannot be set up.
pub(crate) fn unusable(error: &ClientError) -> Problem {
    Problem::broken(error.to_string()).hint(error.hint())
}

/// Why there was no answer.
pub(crate) fn reason(error: TransportError) -> String {
    match error {
        TransportError::TimedOut => "it did not answer in time".to_owned(),
        TransportError::Connection(text) => text,
        TransportError::Untrusted(_) => "its certificate is not trusted".to_owned(),
        TransportError::TooLarge(_) => "its answer is too large".to_owned(),
        TransportError::Proxy(fault) => format!("the proxy {} is in the way", fault.proxy),
        _ => "it cannot be asked".to_owned(),
    }
}
