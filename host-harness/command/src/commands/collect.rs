//! `collect`: the members, as a table with a summary or as data.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use smp_host::collect::guard::Counts;
use smp_host::collect::sink::Sink;
use smp_host::contract::MemberPage;
use smp_host::files::Format;
use smp_host::files::csv::{Csv, Dialect};
use smp_host::text;

use super::Exit;
use super::collection::{Collection, Presented, View};
use super::console::Console;
use super::source::Wanted;
use crate::show::summary::Summary;
use crate::show::table::Table;
use crate::show::terminal::Look;

#[derive(Debug, Args)]
pub(crate) struct Collect {
    #[command(flatten)]
    pub(crate) collection: Collection,
}

impl Collect {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        self.collection.run::<MemberPage>(console).await
    }
}

impl Presented for MemberPage {
    const WANTED: Wanted = Wanted::Members;

    fn data<W: Write + Send + 'static>(
        format: Format,
        dialect: Dialect,
        output: W,
        resuming: bool,
    ) -> Box<dyn Sink<Self>> {
        match format {
            Format::Csv => Box::new(Csv::with(dialect, output, resuming)),
            format => format.sink(output, resuming),
        }
    }

    fn table<W: Write + Send + 'static>(output: W, view: &View) -> Box<dyn Sink<Self>> {
        let (now, look) = (view.now, view.look);
        let output = Shared(Arc::new(Mutex::new(output)));
        let table = Table::new(output.clone(), now, look);
        let summary = Summary::new(now).billing(&view.billable);
        Box::new(WithSummary { table, summary, look, output })
    }

    fn counted(counts: &Counts) -> String {
        text::counted(usize::try_from(counts.members).unwrap_or(usize::MAX), "member")
    }

    fn facts(counts: &Counts) -> String {
        match counts.people {
            1 => "1 person, ".to_owned(),
            people => format!("{} people, ", text::grouped(people)),
        }
    }
}

/// A table, with its summary.
struct WithSummary<W> {
    table: Table<Shared<W>>,
    summary: Summary,
    look: Look,
    output: Shared<W>,
}

impl<W: Write + Send> Sink for WithSummary<W> {
    fn write_page(&mut self, page: &MemberPage) -> io::Result<()> {
        for member in &page.members {
            self.summary.add(member, &page.products);
        }
        self.table.write_page(page)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.table.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.table.finish()?;
        self.output.write_all(b"\n")?;
        self.output.write_all(self.summary.render(self.look).as_bytes())?;
        self.output.flush()
    }
}

/// An output that the table and the summary write to in turn.
struct Shared<W>(Arc<Mutex<W>>);

impl<W> Clone for Shared<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told_in_one_way() {
        for (members, people, told) in [
            (1, 1, "1 member, 1 person, "),
            (0, 0, "0 members, 0 people, "),
            (2_500, 1_200, "2,500 members, 1,200 people, "),
        ] {
            let counts = Counts { members, people, ..Counts::default() };
            assert_eq!(
                format!("{}, {}", MemberPage::counted(&counts), MemberPage::facts(&counts)),
                told
            );
        }
    }
}
