//! TLS to the engine: with `https://`, against the roots of the system or those of a file, and with
//! a certificate of our own if there is one. The names of the variables are Temporal's.

use anyhow::Context as _;
use temporalio_client::{ClientTlsOptions, TlsOptions, Url};

/// The key of a user of the engine.
const API_KEY: &str = "TEMPORAL_API_KEY";
/// A file with the certificates that are trusted.
const ROOTS: &str = "TEMPORAL_TLS_SERVER_CA_CERT_PATH";
/// A file with our own certificate, and one with its private key.
const CERTIFICATE: &str = "TEMPORAL_TLS_CLIENT_CERT_PATH";
const PRIVATE_KEY: &str = "TEMPORAL_TLS_CLIENT_KEY_PATH";

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What a variable's file holds.
fn file(name: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(path) = variable(name) else { return Ok(None) };
    let bytes = std::fs::read(&path).with_context(|| format!("{name}: `{path}`"))?;
    Ok(Some(bytes))
}

/// The key of a user. It is sent by TLS alone.
pub(crate) fn api_key(engine: &Url) -> anyhow::Result<Option<String>> {
    let key = variable(API_KEY);
    if key.is_some() && engine.scheme() != "https" {
        anyhow::bail!("{API_KEY} is sent by TLS alone: give an address that begins with https://");
    }
    Ok(key)
}

/// The options of TLS. `None` without it.
pub(crate) fn options(engine: &Url) -> anyhow::Result<Option<TlsOptions>> {
    if engine.scheme() != "https" {
        return Ok(None);
    }
    let ours = match (file(CERTIFICATE)?, file(PRIVATE_KEY)?) {
        (Some(certificate), Some(key)) => Some(
            ClientTlsOptions::builder().client_cert(certificate).client_private_key(key).build(),
        ),
        (None, None) => None,
        _ => anyhow::bail!("give both {CERTIFICATE} and {PRIVATE_KEY}, or none"),
    };
    let options = TlsOptions::builder()
        .maybe_server_root_ca_cert(file(ROOTS)?)
        .maybe_client_tls_options(ours)
        .build();
    Ok(Some(options))
}
