//! Loads a connector only if a trust file permits it: its package is signed by a publisher of the
//! file, is not revoked, and the component is what was signed.
//!
//! `trusted TRUST.toml PACKAGE/CONNECTOR.wasm`. The plugin that `load_trusted` returns is run as in
//! `embed`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::path::Path;
use std::process::ExitCode;

use smp_distribution::loading::{Trusted, load_trusted};
use smp_distribution::trust::TrustPolicy;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::worker;
use smp_host::failure::Failure;

/// The first argument with which the engine starts this program again, to compile a component.
const WORKER: &str = "compile-component";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (trust, connector) = match arguments.as_slice() {
        [worker, job] if worker == WORKER => return worker::work(job),
        [trust, connector] => (Path::new(trust), Path::new(connector)),
        _ => {
            eprintln!("usage: trusted TRUST.toml PACKAGE/CONNECTOR.wasm");
            return ExitCode::from(2);
        }
    };
    let (trust, program) = match (std::fs::read(trust), std::env::current_exe()) {
        (Ok(trust), Ok(program)) => (trust, program),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("`{}`: {error}", trust.display());
            return ExitCode::FAILURE;
        }
    };
    let compiler = Compiler::Apart { program, arguments: vec![WORKER.into()] };
    match load(&trust, compiler, connector) {
        Ok(Trusted { plugin, verified }) => {
            let descriptor = plugin.descriptor();
            println!("{} {} may run", descriptor.id, descriptor.version);
            println!("{} vouches for it, with the key {}", verified.publisher, verified.key);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            // The failure also carries a remedy as data, for a platform to word.
            eprintln!("{}: {}", failure.code, failure.message);
            eprintln!("{}", failure.hint.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn load(trust: &[u8], compiler: Compiler, connector: &Path) -> Result<Trusted, Failure> {
    let policy = TrustPolicy::read(trust)?;
    let engine = Engine::new(&EngineOptions::new(compiler))?;
    load_trusted(&engine, &policy, connector).await
}
