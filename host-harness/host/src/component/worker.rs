//! The worker: the process that compiles a component, within limits that it sets before it reads a
//! byte of it.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use cpu_time::ProcessTime;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::compile::{Job, NOT_COMPILED, OUT_OF_TIME};
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
    end_in_time(Duration::from_millis(job.milliseconds)).map_err(|error| error.to_string())?;
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
    // Whole seconds only: it is behind this process's own clock.
    lower(Resource::Cpu, (job.milliseconds / 1_000).saturating_add(2))?;
    // A crash is reported by the status; a memory dump would only fill the disk.
    lower(Resource::Core, 0)
}

/// How often the time is looked at.
const STEP: Duration = Duration::from_millis(5);

/// Ends this process when all of its threads together have computed for this long. Processor time
/// does not depend on what else the machine does.
fn end_in_time(most: Duration) -> std::io::Result<()> {
    std::thread::Builder::new().name("clock".into()).spawn(move || {
        loop {
            // Where the machine does not tell the time, the host's patience ends first.
            if ProcessTime::try_now().is_ok_and(|spent| spent.as_duration() > most) {
                std::process::exit(i32::from(OUT_OF_TIME));
            }
            std::thread::sleep(STEP);
        }
    })?;
    Ok(())
}

/// Lowers a limit to this amount. A lower one that the caller set stays, as it may not be raised.
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
