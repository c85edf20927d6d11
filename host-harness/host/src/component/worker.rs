//! The worker: the process that compiles a component, within limits that it sets before it reads a
//! byte of it.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
    lower(Resource::Data, job.memory)?;
    // For a worker whose host is gone. It counts all threads together, so that the host's own clock
    // always comes first.
    lower(Resource::Cpu, job.seconds.saturating_add(1).saturating_mul(MOST_THREADS as u64))?;
    // A crash is reported by the status; a memory dump would only fill the disk.
    lower(Resource::Core, 0)
}

/// Lowers a limit to this amount. A lower one that the caller set stays: nobody may raise it.
fn lower(resource: Resource, amount: u64) -> std::io::Result<()> {
    Ok(setrlimit(resource, lowered(getrlimit(resource), amount))?)
}

fn lowered(now: Rlimit, amount: u64) -> Rlimit {
    let smaller = |limit: Option<u64>| Some(limit.map_or(amount, |limit| limit.min(amount)));
    Rlimit { current: smaller(now.current), maximum: smaller(now.maximum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_the_caller_stays_where_it_is_the_smaller_one() {
        for (current, maximum, expected) in [
            (None, None, (7, 7)),
            (None, Some(9), (7, 7)),
            (Some(3), None, (3, 7)),
            (Some(3), Some(5), (3, 5)),
            (Some(9), Some(9), (7, 7)),
        ] {
            let Rlimit { current, maximum } = lowered(Rlimit { current, maximum }, 7);
            assert_eq!((current, maximum), (Some(expected.0), Some(expected.1)));
        }
    }
}
