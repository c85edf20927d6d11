//! `inspect`: describes a connector from its file.

use crate::show::inspect;
use clap::Args;
use smp_host::failure::Failure;

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
        let facts = plugin.info();
        if self.json {
            let json = smp_host::files::json::indented(&smp_listing::json::json(facts))
                .map_err(|error| output_fault(&error))?;
            console.data(&format!("{json}\n"))
        } else {
            console.data(&inspect::text(facts, console.output_look()))
        }
    }
}
