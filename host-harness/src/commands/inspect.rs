//! `inspect`: what a connector is, read off the file.

use clap::Args;
use smp_harness::failure::Failure;
use smp_harness::listing::inspect;

use super::Exit;
use super::connector::ConnectorArguments;
use super::console::{Console, output_fault};

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    connector: ConnectorArguments,
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
        let plugin = self.connector.load().await?;
        let facts = plugin.facts();
        if self.json {
            let json = smp_harness::sink::json::indented(&inspect::json(facts)).map_err(|error| output_fault(&error))?;
            console.data(&format!("{json}\n"))
        } else {
            console.data(&inspect::text(facts, console.output_look()))
        }
    }
}
