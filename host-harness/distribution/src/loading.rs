//! Loads a connector's file: reads it within bounds, judges it by a trust policy, compiles it, and
//! compares its descriptor with the signed metadata.
//!
//! ```text
//! path ─▶ read ─▶ judged: revoked? signed? by whom? which release?
//!      ─▶ compiled, described ─▶ agrees with the signed metadata ─▶ plugin
//! ```
//! No step can be left out: a plugin from [`load_trusted`] is what its publisher signed.

use std::path::Path;

use super::file;
use super::trust::{TrustPolicy, Verified};
use smp_host::component::engine::Engine;
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;

/// A connector that a trusted publisher signed.
pub struct Trusted {
    /// The connector, ready to run.
    pub plugin: Plugin,
    /// The publisher that signed it, and the release.
    pub verified: Verified,
}

/// A connector's file that was read, and that is trusted if a policy was given. Nothing of it has
/// been compiled yet.
#[derive(Debug)]
pub struct ConnectorFile {
    bytes: Vec<u8>,
    verified: Option<Verified>,
}

/// Loads the connector in this file if the policy permits it. The file is in its package. The
/// engine's limits apply.
///
/// # Errors
/// As [`TrustPolicy::judge_file`] and [`Plugin::load`]; `untrusted` also if the descriptor differs
/// from the signed metadata.
pub async fn load_trusted(
    engine: &Engine,
    policy: &TrustPolicy,
    path: &Path,
) -> Result<Trusted, Failure> {
    let (policy, path, limits) = (policy.clone(), path.to_owned(), engine.limits().clone());
    // A whole package is read and hashed, which must not block other runs.
    let reading = tokio::task::spawn_blocking(move || policy.judge_file(&path, &limits));
    let (package, verified) = reading.await.map_err(|crash| {
        Failure::new(Code::Component, format!("the package could not be read: {crash}"))
    })??;
    let plugin = loaded(engine, package.component(), Some(&verified)).await?;
    Ok(Trusted { plugin, verified })
}

impl ConnectorFile {
    /// Reads a file that the user named, if the policy permits it; without a policy every file is
    /// permitted. Of a file that is larger than a component may be, only enough is read to
    /// recognize that. It is refused when it is loaded.
    ///
    /// # Errors
    /// `component` if it cannot be read; with a policy, as [`TrustPolicy::judge_file`].
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

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file's bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The publisher that signed it, if a policy was given.
    #[must_use]
    pub fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// Loads the connector.
    ///
    /// # Errors
    /// As [`Plugin::load`]; `untrusted` if the descriptor differs from the signed metadata.
    pub async fn load(&self, engine: &Engine) -> Result<Plugin, Failure> {
        loaded(engine, &self.bytes, self.verified.as_ref()).await
    }
}

/// Compiles a component, and compares its descriptor, which only the running component gives, with
/// the signed metadata.
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
