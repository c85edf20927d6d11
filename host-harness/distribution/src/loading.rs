//! Loading a connector's file: read within bounds, judged by a trust policy, compiled, and held
//! against what was signed.
//!
//! ```text
//! path ─▶ read ─▶ judged: revoked? signed? by whom? which release?
//!      ─▶ compiled, asked what it is ─▶ says the same as was signed ─▶ plugin
//! ```
//! No step can be left out: a plugin that [`load_trusted`] gives is what its publisher signed.

use std::path::Path;

use super::file;
use super::trust::{TrustPolicy, Verified};
use smp_host::component::engine::Engine;
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;

/// A connector that is what a trusted publisher signed.
pub struct Trusted {
    /// The connector, ready to run.
    pub plugin: Plugin,
    /// Who vouches for it, and for which release.
    pub verified: Verified,
}

/// A connector's file that was read, and found to be trusted where that was asked for. Nothing of
/// it was compiled yet.
#[derive(Debug)]
pub struct ConnectorFile {
    bytes: Vec<u8>,
    verified: Option<Verified>,
}

/// Loads the connector in this file if the policy lets it run. The file lies in its package. The
/// engine's limits count.
///
/// # Errors
/// As [`TrustPolicy::judge_file`] and [`Plugin::load`]; `untrusted` also when the component calls
/// itself something else than what was signed.
pub async fn load_trusted(
    engine: &Engine,
    policy: &TrustPolicy,
    path: &Path,
) -> Result<Trusted, Failure> {
    let (policy, path, limits) = (policy.clone(), path.to_owned(), engine.limits().clone());
    // A package is read and hashed as a whole, which other runs must not wait for.
    let reading = tokio::task::spawn_blocking(move || policy.judge_file(&path, &limits));
    let (package, verified) = reading.await.map_err(|crash| {
        Failure::new(Code::Component, format!("the package could not be read: {crash}"))
    })??;
    let plugin = loaded(engine, package.component(), Some(&verified)).await?;
    Ok(Trusted { plugin, verified })
}

impl ConnectorFile {
    /// Reads a file that its user named, if the policy lets it run; without a policy anything may.
    /// One that is larger than a component may be is read far enough to be known as such, and
    /// refused when it is loaded.
    ///
    /// # Errors
    /// `component` when it cannot be read; with a policy, as [`TrustPolicy::judge_file`].
    pub fn read(
        path: &Path,
        policy: Option<&TrustPolicy>,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        if let Some(policy) = policy {
            let (package, verified) = policy.judge_file(path, limits)?;
            return Ok(Self { bytes: package.component().to_vec(), verified: Some(verified) });
        }
        let bytes = file::beginning_of(path, limits.component.saturating_add(1))
            .map_err(|error| unreadable(path, &error))?;
        Ok(Self { bytes, verified: None })
    }

    /// What is in it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Who vouches for it, where that was asked for.
    #[must_use]
    pub fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// Loads the connector.
    ///
    /// # Errors
    /// As [`Plugin::load`]; `untrusted` where it calls itself something else than what was signed.
    pub async fn load(&self, engine: &Engine) -> Result<Plugin, Failure> {
        loaded(engine, &self.bytes, self.verified.as_ref()).await
    }
}

/// Compiles a component, and holds its descriptor, which only the running component gives, against
/// what was signed.
async fn loaded(
    engine: &Engine,
    bytes: &[u8],
    verified: Option<&Verified>,
) -> Result<Plugin, Failure> {
    let plugin = Plugin::load(engine, bytes).await?;
    match verified {
        Some(verified) => verified.identity.agrees(plugin.descriptor()).map(|()| plugin),
        None => Ok(plugin),
    }
}

fn unreadable(path: &Path, reason: &std::io::Error) -> Failure {
    Failure::new(Code::Component, format!("`{}` cannot be read: {reason}", path.display()))
        .with_hint("Give the `.wasm` file of a connector.")
}
