//! The connector argument of every command: its file, its trust, and the limits under which it is
//! compiled and run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use smp_distribution::file;
use smp_distribution::loading::ConnectorFile;
use smp_distribution::trust::{self, TrustPolicy};
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;

use super::entered::unopened;
use super::home::home_folder;
use super::limited::LimitArguments;

/// Name of the hidden command with which this program starts itself to compile.
pub(crate) const WORKER: &str = "compile-component";

/// A connector, and its limits.
#[derive(Debug, Args)]
pub(crate) struct ConnectorArguments {
    /// The connector.
    #[arg(value_name = "CONNECTOR.wasm")]
    file: PathBuf,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    trust: TrustArguments,
}

/// Whose connectors may run.
#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// Run only what this trust file permits: the connector must be in its package, signed by a
    /// publisher that may publish it.
    #[arg(long, value_name = "FILE.toml", value_parser = trust)]
    trust: Option<TrustFile>,
}

/// The value of `--trust`. A file that cannot be read is no wrong usage, so it is told later, as
/// for every other option.
#[derive(Clone, Debug)]
pub(crate) enum TrustFile {
    Read(Arc<TrustPolicy>),
    Unopened(Box<Failure>),
}

impl TrustFile {
    /// What the file permits.
    pub(crate) fn policy(&self) -> Result<&TrustPolicy, Failure> {
        match self {
            Self::Read(policy) => Ok(policy),
            Self::Unopened(failure) => Err((**failure).clone()),
        }
    }
}

impl ConnectorArguments {
    /// The files that it is read from, with the names that the command line has for them.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        std::iter::once(("CONNECTOR.wasm", self.file.as_path()))
    }

    /// The limits, with changes applied.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// Reads the file, if it is trusted.
    pub(crate) fn open(&self, limits: &Limits) -> Result<ConnectorFile, Failure> {
        self.trust.read(&self.file, limits)
    }

    /// Loads the connector, after checking that it is trusted.
    pub(crate) async fn load(&self) -> Result<Plugin, Failure> {
        let limits = self.limits();
        load(&self.open(&limits)?, limits).await
    }
}

impl TrustArguments {
    /// Reads a connector's file, if it is trusted.
    pub(crate) fn read(&self, file: &Path, limits: &Limits) -> Result<ConnectorFile, Failure> {
        let trust = self.trust.as_ref().map(TrustFile::policy).transpose()?;
        ConnectorFile::read(file, trust, limits)
    }
}

/// Loads a connector. This program compiles its code in a separate process.
pub(crate) async fn load(file: &ConnectorFile, limits: Limits) -> Result<Plugin, Failure> {
    let cache = compiled_code();
    let engine =
        Engine::new(&EngineOptions { cache, limits, ..EngineOptions::new(this_program()) })?;
    file.load(&engine).await
}

/// The folder for compiled code.
pub(crate) fn compiled_code() -> Option<PathBuf> {
    home_folder("XDG_CACHE_HOME", ".cache").map(|folder| folder.join("compiled"))
}

/// Requires that the descriptor of a signed connector agrees with its signed metadata. Any other
/// fault is reported elsewhere.
pub(crate) async fn is_who_it_says(file: &ConnectorFile, limits: &Limits) -> Result<(), Failure> {
    if file.verified().is_none() {
        return Ok(());
    }
    match load(file, limits.clone()).await {
        Err(failure) if failure.code == Code::Untrusted => Err(failure),
        _ => Ok(()),
    }
}

/// Reads a trust file, as the value of an option.
pub(crate) fn trust(path: &str) -> Result<TrustFile, String> {
    let path = Path::new(path);
    let bytes = match file::read_named(path, trust::LARGEST_FILE) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = format!("it cannot be read: {error}");
            return Ok(TrustFile::Unopened(unopened("--trust", path, &reason).failure));
        }
    };
    let policy = TrustPolicy::read(&bytes)
        .map_err(|failure| format!("{}. {}", failure.message, failure.hint.unwrap_or_default()))?;
    Ok(TrustFile::Read(Arc::new(policy)))
}

/// The running program, even if its file was replaced meanwhile.
pub(crate) fn this_program() -> Compiler {
    let running = PathBuf::from("/proc/self/exe");
    // If neither exists, starting it fails and reports that: untrusted components are never
    // compiled in this process.
    let program =
        if running.exists() { running } else { std::env::current_exe().unwrap_or(running) };
    Compiler::Apart { program, arguments: vec![OsString::from(WORKER)] }
}
