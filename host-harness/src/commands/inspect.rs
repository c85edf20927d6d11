//! `inspect`: what a connector is, read off the file.

use std::path::PathBuf;

use clap::Args;
use smp_harness::failure::Failure;
use smp_harness::listing::inspect;

use super::console::{Console, output_fault};
use super::{Exit, source};

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The connector.
    #[arg(value_name = "CONNECTOR.wasm")]
    component: PathBuf,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Inspect {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        match self.show(console).await {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    async fn show(&self, console: &Console) -> Result<(), Failure> {
        let plugin = source::load(&self.component).await?;
        let facts = plugin.facts();
        let inspection = inspect::Inspection {
            descriptor: facts.descriptor.clone(),
            imports: facts.imports.clone(),
            exports: facts.exports.clone(),
            contract_version: facts.contract_version.clone(),
            size_bytes: facts.size,
            digest: facts.digest.clone(),
        };
        if self.json {
            let json = smp_harness::sink::json::indented(&inspect::json(&inspection)).map_err(|error| output_fault(&error))?;
            console.data(&format!("{json}\n"))
        } else {
            console.data(&inspect::text(&inspection, console.output_look()))
        }
    }
}
