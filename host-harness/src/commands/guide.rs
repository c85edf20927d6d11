//! `guide`: the setup guide as Markdown, from the descriptor.

use std::path::PathBuf;

use clap::Args;
use smp_harness::listing::guide;

use super::console::Console;
use super::{Exit, source};

#[derive(Debug, Args)]
pub(crate) struct Guide {
    /// The connector.
    #[arg(value_name = "CONNECTOR.wasm")]
    component: PathBuf,
}

impl Guide {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let shown = match source::load(&self.component).await {
            Ok(plugin) => console.data(&guide::markdown(plugin.descriptor())),
            Err(failure) => Err(failure),
        };
        match shown {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }
}
