//! `usage`: the seats of the products that the organization has, as a table or as data.

use std::io::Write;

use clap::Args;
use smp_host::collect::guard::Counts;
use smp_host::collect::sink::Sink;
use smp_host::contract::UsagePage;
use smp_host::files::Format;
use smp_host::files::csv::{Csv, Dialect};
use smp_host::text::grouped;

use super::Exit;
use super::collection::{Collection, Presented, View};
use super::console::Console;
use super::source::Wanted;
use crate::show::seats::SeatTable;

#[derive(Debug, Args)]
pub(crate) struct Usage {
    #[command(flatten)]
    pub(crate) collection: Collection,
}

impl Usage {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        self.collection.run::<UsagePage>(console).await
    }
}

impl Presented for UsagePage {
    const WANTED: Wanted = Wanted::Usage;

    fn data<W: Write + Send + 'static>(
        format: Format,
        dialect: Dialect,
        output: W,
        resuming: bool,
    ) -> Box<dyn Sink<Self>> {
        match format {
            Format::Csv => Box::new(Csv::with(dialect, output, resuming)),
            format => format.usage_sink(output, resuming),
        }
    }

    fn table<W: Write + Send + 'static>(output: W, view: &View) -> Box<dyn Sink<Self>> {
        Box::new(SeatTable::new(output, view.look))
    }

    fn counted(counts: &Counts) -> String {
        match counts.members {
            1 => "1 entry".to_owned(),
            entries => format!("{} entries", grouped(entries)),
        }
    }

    fn facts(_: &Counts) -> String {
        String::new()
    }
}
