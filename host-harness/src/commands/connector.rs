//! The connector that every command begins with: its file, and the limits under which it is compiled and run.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use smp_harness::component::compile::Compiler;
use smp_harness::component::engine::{Engine, EngineOptions};
use smp_harness::component::plugin::Plugin;
use smp_harness::failure::{Code, Failure};
use smp_harness::limits::{Bound, LimitError, Limits};

use super::source::home_folder;

/// Name of the command under which this program compiles for itself.
pub(crate) const WORKER: &str = "compile-component";

/// A connector, and what it may use up.
#[derive(Debug, Args)]
pub(crate) struct ConnectorArguments {
    /// The connector.
    #[arg(value_name = "CONNECTOR.wasm")]
    file: PathBuf,
    /// Change a limit of what the connector may use up; `smp-harness limits` lists them.
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limit)]
    limits: Vec<Limit>,
}

/// One limit that was changed: a name and a value that fit each other.
#[derive(Clone, Debug)]
struct Limit {
    name: String,
    value: String,
}

impl ConnectorArguments {
    /// The limits, with those that were changed.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for Limit { name, value } in &self.limits {
            // Both were found to be right when the arguments were read.
            let _ = limits.set(name, value);
        }
        limits
    }

    /// Reads the file; one that is too large, far enough to be known as such.
    pub(crate) fn read(&self, limits: &Limits) -> Result<Vec<u8>, Failure> {
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(&self.file)?.take(limits.component.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|reason| unreadable(&self.file, &reason))
    }

    fn bytes(&self, limits: &Limits) -> Result<Vec<u8>, Failure> {
        let bytes = self.read(limits)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits.component {
            let what = format!("`{}` is larger than a component may be", self.file.display());
            return Err(Failure { code: Code::Component, ..limits.reached(Bound::Component, what) });
        }
        Ok(bytes)
    }

    /// Loads the connector. Its code is compiled by this program in a process of its own.
    pub(crate) async fn load(&self) -> Result<Plugin, Failure> {
        let limits = self.limits();
        let bytes = self.bytes(&limits)?;
        let cache = home_folder("XDG_CACHE_HOME", ".cache").map(|folder| folder.join("compiled"));
        let engine = Engine::new(&EngineOptions { cache, compiler: this_program(), limits, ..EngineOptions::default() })?;
        Plugin::load(&engine, &bytes).await
    }
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

fn limit(text: &str) -> Result<Limit, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example memory=128MiB")?;
    match Limits::default().set(name, value) {
        Ok(()) => Ok(Limit { name: name.to_owned(), value: value.to_owned() }),
        Err(LimitError::Unknown) => Err("there is no limit of that name; `smp-harness limits` lists them".into()),
        Err(error) => Err(error.to_string()),
    }
}
