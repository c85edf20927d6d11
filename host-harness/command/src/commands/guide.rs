//! `guide`: the setup guide as Markdown, from the descriptor.

use clap::Args;
use smp_listing::guide;

use super::Exit;
use super::connector::ConnectorArguments;
use super::console::Console;

#[derive(Debug, Args)]
pub(crate) struct Guide {
    #[command(flatten)]
    connector: ConnectorArguments,
}

impl Guide {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let shown = match self.connector.load().await {
            Ok(plugin) => console.data(&guide::markdown(plugin.descriptor())),
            Err(failure) => Err(failure),
        };
        match shown {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }
}
