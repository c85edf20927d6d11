//! `check`: whether a connector keeps the contract, rule by rule.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use smp_conformance::check::{self, Examination, Subject, cases};
use smp_conformance::page;
use smp_host::failure::Failure;
use smp_host::files::json;

use crate::show;

use super::Exit;
use super::connector::{ConnectorArguments, compiled_code, is_who_it_says, this_program};
use super::console::{Console, output_fault};
use super::page::PageArguments;
use super::progress::{Steps, interrupted, stopped};
use super::registry::ended;
use super::remedy::worded_verdict;

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    connector: ConnectorArguments,
    /// Play these fixtures, unchanged and under every fault: one case, or a folder of cases. May be
    /// repeated.
    #[arg(long, value_name = "DIR")]
    fixtures: Vec<PathBuf>,
    /// Count warnings and skipped rules as failed, as a marketplace does.
    #[arg(long)]
    strict: bool,
    /// The fixtures are only the first ones: an endpoint that none of them calls is a note. Not
    /// with `--strict`, which wants every endpoint called.
    #[arg(long, conflicts_with = "strict")]
    partial: bool,
    #[command(flatten)]
    page: PageArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reports that the check was stopped, and ends the process at once: the runtime would wait for
/// busy workers, and end while they run. A check has nothing to clean up.
fn leave(steps: &Steps, console: &Console) -> ! {
    steps.clear();
    std::process::exit(console.failed(&interrupted()) as i32)
}

impl Check {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let fixtures = match cases::find(&self.fixtures) {
            Ok(fixtures) => fixtures,
            Err(failure) => return console.failed(&failure),
        };
        let read: Vec<_> = self.connector.files().collect();
        if let Err(failure) = self.page.check(&read, &[&self.fixtures, &fixtures]) {
            return ended(&failure, console);
        }
        let limits = self.connector.limits();
        let opened = match self.connector.open(&limits) {
            Ok(opened) => is_who_it_says(&opened, &limits).await.map(|()| opened),
            Err(failure) => Err(failure),
        };
        let file = match opened {
            Ok(opened) => opened.into_bytes(),
            Err(failure) => return console.failed(&failure),
        };
        let subject = Subject {
            file,
            compiler: this_program(),
            fixtures,
            limits,
            strict: self.strict,
            partial: self.partial,
            cache: compiled_code(),
        };
        let steps = Arc::new(Steps::new(*console));
        let examined = tokio::select! {
            examined = check::examine(&subject, Arc::clone(&steps) as _) => examined,
            () = stopped() => leave(&steps, console),
        };
        steps.clear();
        match self.show(&examined, console) {
            Err(failure) => console.failed(&failure),
            Ok(()) => match examined.verdict.failure() {
                None => Exit::Done,
                Some(failure) if self.json => console.failed(&failure),
                // The list on standard output says everything.
                Some(_) => Exit::Failed,
            },
        }
    }

    fn show(&self, examined: &Examination, console: &Console) -> Result<(), Failure> {
        let verdict = worded_verdict(&examined.verdict);
        self.page.write(|| page::check::page(&verdict, &examined.traffic))?;
        if self.json {
            let json = json::indented(&verdict.to_json()).map_err(|error| output_fault(&error))?;
            return console.data(&format!("{json}\n"));
        }
        console.data(&show::verdict::text(&verdict, console.output_look()))
    }
}
