//! `smp-temporal`: the bridge between `smp-platform`, which starts it, and Temporal.
//!
//! ```text
//! smp-platform ◀═ lines of JSON ═▶ smp-temporal ◀─ gRPC ─▶ Temporal
//!  database, keys, sessions          workflows, activities    schedule, queue, retries
//! ```
//!
//! It knows ids of runs, connections and tenants, instants, figures and codes of failures, and
//! nothing else: no database, no settings, no members, no cursors, no keys. What it loses, the
//! ledger of the platform still has. It ends when its standard input does.

mod collecting;
mod engine;
mod lines;
mod protocol;
mod sweeping;
mod tls;
mod workflows;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use temporalio_client::Url;
use tracing_subscriber::EnvFilter;

/// Speaks with Temporal for smp-platform, which starts it.
#[derive(Debug, Parser)]
#[command(name = "smp-temporal", version)]
pub(crate) struct Arguments {
    /// For which command it speaks.
    #[arg(value_enum)]
    pub(crate) part: Part,
    /// The engine: http://HOST:PORT, or https:// for TLS.
    #[arg(long, value_name = "URL")]
    pub(crate) engine: Url,
    /// The namespace of the platform in it.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) namespace: String,
    /// Runs at the same time.
    #[arg(long, value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) slots: u16,
    /// Let another worker try a run that shows no sign of life for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) heartbeat: u64,
}

/// The command for which the bridge speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// `serve`: what is due.
    Serve,
    /// `work`: runs.
    Work,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("SMP_LOG").unwrap_or_else(|_| {
        // A client that tries again says so in many ways; the process that started this one says it
        // once.
        EnvFilter::new("error,smp_temporal=info")
    });
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no thread can be started");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(engine::run(arguments));
    // Nothing waits for a call that the engine does not answer.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
