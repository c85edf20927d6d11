//! The worker: the process that compiles a component, within limits that it sets before it reads a
//! byte of it.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::compile::{Job, MOST_THREADS, NOT_COMPILED};
use super::config::{Allocation, config};

/// Runs as the worker: reads a component from standard input and writes compiled code to standard
/// output, within the limits of the job.
///
/// A platform that compiles in a separate process calls this first in `main` if its first argument
/// is the one given to [`Compiler::Apart`](super::compile::Compiler::Apart), with the argument
/// after it.
#[must_use]
pub fn work(job: &str) -> ExitCode {
    match worked(job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = write!(std::io::stderr(), "{error}");
            ExitCode::from(NOT_COMPILED)
        }
    }
}

fn worked(job: &str) -> Result<(), String> {
    let job: Job = serde_json::from_str(job).map_err(|error| error.to_string())?;
    limit_this_process(job).map_err(|error| format!("the limits cannot be set: {error}"))?;
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(job.component.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let engine = wasmtime::Engine::new(&config(
        job.stack,
        Allocation { pooled: None, reservation: job.reservation },
    ))
    .map_err(|error| format!("{error:#}"))?;
    let code = engine.precompile_component(&bytes).map_err(|error| format!("{error:#}"))?;
    let mut output = std::io::stdout().lock();
    output.write_all(&code).and_then(|()| output.flush()).map_err(|error| error.to_string())
}

/// Limits this process permanently. Only writable memory counts: reserving addresses costs nothing.
fn limit_this_process(job: Job) -> std::io::Result<()> {
    let at_most = |amount| Rlimit { current: Some(amount), maximum: Some(amount) };
    setrlimit(Resource::Data, at_most(job.memory))?;
    // For a worker whose host is gone. It counts all threads together, so that the host's own clock
    // always comes first.
    setrlimit(
        Resource::Cpu,
        at_most(job.seconds.saturating_add(1).saturating_mul(MOST_THREADS as u64)),
    )?;
    // A crash is reported by the status; a memory dump would only fill the disk.
    Ok(setrlimit(Resource::Core, at_most(0))?)
}
