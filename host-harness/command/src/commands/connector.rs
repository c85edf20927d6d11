//! The connector that every command begins with: its file, who vouches for it, and the limits under which it is compiled and run.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use smp_distribution::file;
use smp_distribution::trust::{self, TrustPolicy, Vouched};
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_host::limits::{Bound, Limits};

use super::limited::LimitArguments;
use super::source::home_folder;

/// Name of the command under which this program compiles for itself.
pub(crate) const WORKER: &str = "compile-component";

/// A connector, and what it may use up.
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
    /// Run only what this trust file lets run: the connector lies in its package, signed by a publisher that may publish it.
    #[arg(long, value_name = "FILE.toml", value_parser = trust)]
    trust: Option<Arc<TrustPolicy>>,
}

/// A connector's file that was read, with who vouches for it where that was asked for.
pub(crate) struct Opened {
    file: PathBuf,
    pub(crate) bytes: Vec<u8>,
    vouched: Option<Vouched>,
}

impl ConnectorArguments {
    /// The limits, with those that were changed.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// Reads the file, if it is trusted.
    pub(crate) fn open(&self, limits: &Limits) -> Result<Opened, Failure> {
        Opened::read(&self.file, &self.trust, limits)
    }

    /// Loads the connector, once it is known to be trusted.
    pub(crate) async fn load(&self) -> Result<Plugin, Failure> {
        let limits = self.limits();
        self.open(&limits)?.load(limits).await
    }
}

impl Opened {
    /// Reads a file, if it is trusted; one that is too large, far enough to be known as such.
    pub(crate) fn read(file: &Path, trust: &TrustArguments, limits: &Limits) -> Result<Self, Failure> {
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(file)?.take(limits.component.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let (bytes, vouched) = match &trust.trust {
            Some(policy) => {
                let (package, vouched) = policy.judge_file(file, limits)?;
                (package.component().to_vec(), Some(vouched))
            }
            None => (read().map_err(|reason| unreadable(file, &reason))?, None),
        };
        Ok(Self { file: file.to_owned(), bytes, vouched })
    }

    /// Loads the connector. Its code is compiled by this program in a process of its own.
    pub(crate) async fn load(&self, limits: Limits) -> Result<Plugin, Failure> {
        if u64::try_from(self.bytes.len()).unwrap_or(u64::MAX) > limits.component {
            let what = format!("`{}` is larger than a component may be", self.file.display());
            return Err(Failure { code: Code::Component, ..limits.reached(Bound::Component, what) });
        }
        let cache = home_folder("XDG_CACHE_HOME", ".cache").map(|folder| folder.join("compiled"));
        let engine = Engine::new(&EngineOptions { cache, limits, ..EngineOptions::new(this_program()) })?;
        let plugin = Plugin::load(&engine, &self.bytes).await?;
        match &self.vouched {
            Some(vouched) => vouched.identity.agrees(plugin.descriptor()).map(|()| plugin),
            None => Ok(plugin),
        }
    }

    /// Makes sure that a connector for which somebody vouches is the one that it says it is. Whatever else is wrong with it, others tell.
    pub(crate) async fn is_who_it_says(&self, limits: &Limits) -> Result<(), Failure> {
        if self.vouched.is_none() {
            return Ok(());
        }
        match self.load(limits.clone()).await {
            Err(failure) if failure.code == Code::Untrusted => Err(failure),
            _ => Ok(()),
        }
    }
}

/// Reads a trust file, as the value of an option.
pub(crate) fn trust(path: &str) -> Result<Arc<TrustPolicy>, String> {
    let bytes = file::read_named(Path::new(path), trust::LARGEST_FILE).map_err(|error| format!("it cannot be read: {error}"))?;
    let policy = TrustPolicy::read(&bytes).map_err(|failure| format!("{}. {}", failure.message, failure.hint.unwrap_or_default()))?;
    Ok(Arc::new(policy))
}

fn unreadable(file: &Path, reason: &io::Error) -> Failure {
    Failure::new(Code::Component, format!("`{}` cannot be read: {reason}", file.display()))
        .with_hint("Give the `.wasm` file of a connector, for example the one that `make component` builds.")
}

/// The program that is running, also when its file was replaced meanwhile.
pub(crate) fn this_program() -> Compiler {
    let running = PathBuf::from("/proc/self/exe");
    // Where neither is there, starting it fails and says so: a stranger's bytes are never compiled in this process.
    let program = if running.exists() { running } else { std::env::current_exe().unwrap_or(running) };
    Compiler::Apart { program, arguments: vec![OsString::from(WORKER)] }
}
