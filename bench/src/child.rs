//! Runs work in a separate process, so that its memory can be measured.
//!
//! A child of this program does one piece of work and prints its cost as one line of JSON. A
//! program of the product is started by a small process that only waits for it, because the kernel
//! counts a parent's memory for its child until the child runs another program.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::meter::children;

/// The cost of a run of a product's program.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// Time that passed, in seconds.
    pub wall: f64,
    /// Processor time, in seconds.
    pub cpu: f64,
    /// The peak memory, in bytes.
    pub peak: u64,
}

/// Runs this program again with these arguments, and parses its output.
///
/// # Errors
/// If it fails.
pub fn again<T: DeserializeOwned>(arguments: &[&str]) -> Result<T> {
    let mut command = Command::new(std::env::current_exe()?);
    printed(command.args(arguments))
}

/// Runs a program to its end, in a separate process.
///
/// # Errors
/// If it cannot be run, or exits with a code other than 0.
pub fn alone(program: &Command) -> Result<Taken> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("alone").arg(program.get_program()).args(program.get_args()).env_clear();
    printed(command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?)))))
}

/// The part of `alone` in the small process.
///
/// # Errors
/// If the program cannot be run, or exits with a code other than 0.
pub fn wait_for(program: &[String]) -> Result<Taken> {
    let (name, arguments) = program.split_first().context("no program")?;
    let start = Instant::now();
    let output = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{name}`"))?;
    let wall = start.elapsed().as_secs_f64();
    ensure!(
        output.status.success(),
        "`{name}` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let taken = children();
    Ok(Taken { wall, cpu: taken.cpu, peak: taken.peak })
}

fn printed<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "a child failed");
    serde_json::from_slice(&output.stdout).context("a child printed no result")
}
