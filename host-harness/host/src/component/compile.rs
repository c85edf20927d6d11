//! Compiles components. It is the only step that processes untrusted bytes before the engine bounds
//! them, so it has separate limits.
//!
//! ```text
//! host ── component, on standard input ─▶ worker: limits on memory and computing time, then the compiler
//!   ▲                                       │
//!   └── code on standard output ◀───────────┘   too slow: it ends · too large, or the compiler crashed: only the worker is gone
//! ```
//! A worker is the host's own program, started again with an empty environment. It returns compiled
//! code, which is trusted like the host itself, because it comes only from a pipe to the host's own
//! child process.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime::component::Component;

use super::config::{Allocation, address_space, lacking, no_file_of_that_size};
use crate::failure::{Code, Failure};
use crate::limits::{Bound, Limits};
use crate::remedy::Remedy;

/// Most threads of a worker. Each needs its own memory, so the memory for a component must not
/// depend on the machine.
pub(super) const MOST_THREADS: usize = 4;
/// How many times as long as it may compute a worker may take, on a busy machine.
const PATIENCE: u32 = 20;
/// Longest error message of a worker, in bytes.
const LONGEST_ERROR: u64 = 16 * 1024;

/// Where components are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// In this process. After the time limit the host continues without the component, but nothing
    /// stops the compiler or bounds its memory. Use it only for components that you built yourself.
    #[cfg(feature = "compile")]
    Inside,
    /// In a separate process, with limits on time and memory. Use it for untrusted components.
    Apart {
        /// A program that calls [`work`](super::worker::work), usually the host's own.
        program: PathBuf,
        /// Its arguments. One more is appended, which [`work`](super::worker::work) takes.
        arguments: Vec<OsString>,
    },
}

/// The parameters of a worker. Its engine equals the host's, except for the allocation of
/// instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) stack: usize,
    pub(super) reservation: Option<u64>,
    pub(super) component: u64,
    pub(super) memory: u64,
    /// Processor time of all of its threads.
    pub(super) milliseconds: u64,
}

/// Compiled code. Only this module and the cache create it, from the output of this host's
/// compiler.
pub(super) struct Compiled(Vec<u8>);

impl Compiled {
    /// Takes unchanged bytes of [`Compiled::bytes`].
    pub(super) fn trusted(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The component, if it was compiled for an engine like this one.
    pub(super) fn component(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
        #[expect(unsafe_code, reason = "the one place where compiled code becomes a component")]
        // SAFETY: the bytes come from this host's own compiler: through a pipe from its worker, or
        // from the cache, which has checked owner, mode, checksum and engine.
        unsafe {
            Component::deserialize(engine, &self.0)
        }
    }
}

/// Compiles a component.
#[cfg_attr(
    not(feature = "compile"),
    expect(unused_variables, reason = "only a compiler in this process asks the engine")
)]
pub(super) async fn compile(
    compiler: &Compiler,
    engine: &wasmtime::Engine,
    bytes: &[u8],
    allocation: Allocation,
    limits: &Limits,
) -> Result<Compiled, Failure> {
    match compiler {
        #[cfg(feature = "compile")]
        Compiler::Inside => inside(engine.clone(), bytes.to_vec(), limits).await,
        Compiler::Apart { program, arguments } => {
            let job = Job {
                stack: limits.stack,
                reservation: allocation.reservation,
                component: limits.component,
                memory: limits.compile_memory,
                milliseconds: u64::try_from(limits.compile_time.as_millis()).unwrap_or(u64::MAX),
            };
            apart(program, arguments, job, bytes, limits).await
        }
    }
}

#[cfg(feature = "compile")]
async fn inside(
    engine: wasmtime::Engine,
    bytes: Vec<u8>,
    limits: &Limits,
) -> Result<Compiled, Failure> {
    let compiling = tokio::task::spawn_blocking(move || engine.precompile_component(&bytes));
    match tokio::time::timeout(limits.compile_time, compiling).await {
        Ok(Ok(Ok(code))) => Ok(Compiled(code)),
        Ok(Ok(Err(error))) => Err(refused(&format!("{error:#}"))),
        Ok(Err(crash)) => Err(crashed(&crash.to_string())),
        Err(_) => Err(too_slow(limits)),
    }
}

async fn apart(
    program: &PathBuf,
    arguments: &[OsString],
    job: Job,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Compiled, Failure> {
    let unusable = |error: std::io::Error| {
        lacking(Code::Component, &format!("the compiler's process cannot be used: {error}"))
    };
    let job = serde_json::to_string(&job).map_err(|error| unusable(error.into()))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let mut worker = tokio::process::Command::new(program)
        .args(arguments)
        .arg(job)
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(unusable)?;
    let (Some(mut input), Some(output), Some(errors)) =
        (worker.stdin.take(), worker.stdout.take(), worker.stderr.take())
    else {
        return Err(unusable(std::io::Error::other("it has no pipes")));
    };
    let working = async {
        let (mut code, mut said) = (Vec::new(), Vec::new());
        let write = async {
            // If the worker ended early, its message or its status says why.
            let _ = input.write_all(bytes).await;
            drop(input);
        };
        let (mut output, mut errors) =
            (output.take(limits.compile_memory), errors.take(LONGEST_ERROR));
        let (_, code_read, said_read) =
            tokio::join!(write, output.read_to_end(&mut code), errors.read_to_end(&mut said));
        code_read.and(said_read)?;
        Ok::<_, std::io::Error>((worker.wait().await?, code, said))
    };
    match tokio::time::timeout(limits.compile_time.saturating_mul(PATIENCE), working).await {
        Ok(Ok((status, code, _))) if status.success() => Ok(Compiled(code)),
        Ok(Ok((status, _, said))) => {
            Err(why(status, &String::from_utf8_lossy(&said), limits, address_space()))
        }
        Ok(Err(error)) => Err(unusable(error)),
        Err(_) => {
            // The host continues once the worker and its memory are gone.
            let _ = worker.kill().await;
            Err(too_slow(limits))
        }
    }
}

/// Addresses that a worker needs beside the memory for the component, in bytes: the program, and
/// the stacks and heaps of its threads.
const BESIDE: u64 = 1 << 30;

/// Why a worker returned no code. `address_space` is what the caller of this program allows.
fn why(status: ExitStatus, said: &str, limits: &Limits, address_space: Option<u64>) -> Failure {
    const ABORTED: i32 = 6;
    const KILLED: i32 = 9;
    const XCPU: i32 = 24;
    const XFSZ: i32 = 25;
    let words =
        ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    let out_of_memory = words.iter().any(|words| said.contains(words));
    let enough = limits.compile_memory.saturating_add(BESIDE);
    let is_scarce = address_space.is_some_and(|most| most < enough);
    match status.signal() {
        Some(XCPU) => too_slow(limits),
        Some(XFSZ) => no_file_of_that_size(Code::Component),
        _ if said.contains("File too large") => no_file_of_that_size(Code::Component),
        None if status.code() == Some(i32::from(OUT_OF_TIME)) => too_slow(limits),
        // So few addresses run out before the memory that the worker may have.
        Some(ABORTED) if is_scarce => no_addresses(),
        _ if is_scarce && out_of_memory => no_addresses(),
        // A failed allocation aborts; the system kills a process when it runs out of memory.
        Some(ABORTED | KILLED) => too_large(limits),
        _ if out_of_memory => too_large(limits),
        None if status.code() == Some(i32::from(NOT_COMPILED)) => refused(said.trim()),
        _ => crashed(said.trim()),
    }
}

fn no_addresses() -> Failure {
    lacking(Code::Component, "the compiler's process lacks address space")
}

fn too_slow(limits: &Limits) -> Failure {
    Failure {
        code: Code::Component,
        ..limits.reached(Bound::CompileTime, "it takes too long to compile")
    }
}

fn too_large(limits: &Limits) -> Failure {
    Failure {
        code: Code::Component,
        ..limits.reached(Bound::CompileMemory, "it takes too much memory to compile")
    }
}

fn refused(reason: &str) -> Failure {
    if reason.contains("requires the component model async") {
        return Failure::new(
            Code::Component,
            "it is built with component-model async, which the contract does not use",
        )
        .with_remedy(Remedy::MendConnector)
        .with_hint(
            "Build it again without component-model async: in JavaScript with `componentize-qjs \
             --sync`, or with `jco componentize --backend-qjs-disable-async`.",
        );
    }
    Failure::new(
        Code::Component,
        format!("it cannot be compiled: {}", crate::text::shortened(reason, 400)),
    )
    .with_remedy(Remedy::MendConnector)
    .with_hint(
        "Build the component again; the file may be damaged or use WebAssembly features that this \
         host does not allow.",
    )
}

fn crashed(reason: &str) -> Failure {
    Failure::new(
        Code::Component,
        format!("the compiler crashed over it: {}", crate::text::shortened(reason, 200)),
    )
    .with_remedy(Remedy::ReportConnector)
    .with_hint(
        "Do not use this file: it may be made to crash compilers. Report it to the publisher of \
         the connector.",
    )
}

/// Exit code of a worker that cannot compile the component.
pub(super) const NOT_COMPILED: u8 = 3;
/// Exit code of a worker that computed for as long as it may.
pub(super) const OUT_OF_TIME: u8 = 4;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ended(raw: i32, said: &str, address_space: Option<u64>) -> Failure {
        let limits = Limits { compile_time: Duration::from_secs(7), ..Limits::default() };
        why(ExitStatus::from_raw(raw), said, &limits, address_space)
    }

    #[test]
    fn a_worker_that_lacks_addresses_is_told_apart_from_one_that_lacks_memory() {
        for (raw, said, addresses, lacks_addresses) in [
            (6, "memory allocation of 9 bytes failed", Some(1 << 30), true),
            (3 << 8, "mmap failed: Cannot allocate memory", Some(1 << 30), true),
            (6, "memory allocation of 9 bytes failed", Some(4 << 30), false),
            (9, "", Some(1 << 30), false),
            (3 << 8, "unexpected end", Some(1 << 30), false),
        ] {
            let message = ended(raw, said, addresses).message;
            assert_eq!(message.contains("lacks address space"), lacks_addresses, "{message}");
        }
    }

    #[test]
    fn how_a_worker_ended_says_why_there_is_no_code() {
        for (raw, said, message) in [
            (24, "", "it takes too long to compile: the limit `compile-time` is 7 s"),
            (4 << 8, "", "it takes too long to compile: the limit `compile-time` is 7 s"),
            (
                3 << 8,
                "task.cancel requires the component model async feature (at offset 0x19d20e)",
                "it is built with component-model async, which the contract does not use",
            ),
            (
                6,
                "memory allocation of 9 bytes failed",
                "it takes too much memory to compile: the limit `compile-memory` is 1 GiB",
            ),
            (9, "", "it takes too much memory to compile: the limit `compile-memory` is 1 GiB"),
            (
                3 << 8,
                "mmap failed: Cannot allocate memory",
                "it takes too much memory to compile: the limit `compile-memory` is 1 GiB",
            ),
            (25, "", "this machine limits the size of files to less than the run needs"),
            (
                3 << 8,
                "File too large (os error 27)",
                "this machine limits the size of files to less than the run needs",
            ),
            (3 << 8, "unexpected end", "it cannot be compiled: unexpected end"),
            (101 << 8, "panicked at x", "the compiler crashed over it: panicked at x"),
            (11, "", "the compiler crashed over it: "),
        ] {
            let failure = ended(raw, said, None);
            assert_eq!(
                (failure.code, failure.message.as_str()),
                (Code::Component, message),
                "{raw}"
            );
            assert!(failure.hint.is_some());
        }
    }
}
