//! `diff`: what an upgrade from one build of a connector to another changes.

use std::path::{Path, PathBuf};

use clap::Args;
use smp_conformance::diff;
use smp_conformance::diff::changes::Changes;
use smp_conformance::page;
use smp_host::component::plugin::Plugin;
use smp_host::failure::Failure;
use smp_host::files::json;
use smp_host::limits::Limits;
use smp_replay::player::cases;

use crate::show;
use smp_distribution::loading::ConnectorFile;

use super::Exit;
use super::connector::{TrustArguments, load};
use super::console::{Console, output_fault};
use super::limited::LimitArguments;
use super::page::PageArguments;
use super::progress::{interrupted, stopped};
use super::registry::ended;
use super::remedy::worded_changes;

const EXIT_CODES: &str = "\
Exit codes: 0 no operator needs to look; 1 an operator must look, or the two could not be \
                          compared, also as a file or a folder cannot be opened; 2 wrong usage. \
                          With `--json` the comparison is on standard output in both cases (see \
                          `must_look`), and a failure is written only if there is no comparison.

A finding is blocking (something that works today stops: settings, a key, an approval, members), \
                          to look at, or harmless.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Diff {
    /// The build that is in use.
    #[arg(value_name = "OLD.wasm")]
    old: PathBuf,
    /// The build that would replace it.
    #[arg(value_name = "NEW.wasm")]
    new: PathBuf,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    trust: TrustArguments,
    /// Compare the outcomes of both on this recorded traffic: one case, or a folder of cases. May
    /// be repeated.
    #[arg(long, visible_alias = "fixture", value_name = "DIR", num_args = 1..)]
    fixtures: Vec<PathBuf>,
    #[command(flatten)]
    page: PageArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Diff {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let limits = self.limits.limits();
        let opened = |file: &Path| self.trust.read(file, &limits);
        let fixtures = match cases::find(&self.fixtures) {
            Ok(fixtures) => fixtures,
            Err(failure) => return console.failed(&failure),
        };
        let read = [("OLD.wasm", self.old.as_path()), ("NEW.wasm", self.new.as_path())];
        if let Err(failure) = self.page.check(&read, &[&self.fixtures, &fixtures]) {
            return ended(&failure, console);
        }
        let (old, new) = match opened(&self.old).and_then(|old| Ok((old, opened(&self.new)?))) {
            Ok(opened) => opened,
            Err(failure) => return console.failed(&failure),
        };
        let compared = tokio::select! {
            compared = self.compared(&fixtures, [old, new], &limits) => compared,
            () = stopped() => Err(interrupted()),
        };
        match compared
            .map(worded_changes)
            .and_then(|changes| self.show(&changes, console).map(|()| changes))
        {
            Ok(changes) if changes.must_look() => Exit::Failed,
            Ok(_) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    async fn compared(
        &self,
        fixtures: &[PathBuf],
        [old, new]: [ConnectorFile; 2],
        limits: &Limits,
    ) -> Result<Changes, Failure> {
        let old = loaded("old", &old, limits).await?;
        let new = loaded("new", &new, limits).await?;
        diff::compare(&old, &new, fixtures).await
    }

    fn show(&self, changes: &Changes, console: &Console) -> Result<(), Failure> {
        self.page.write(|| page::diff::page(changes))?;
        if self.json {
            let json = json::indented(&changes.to_json()).map_err(|error| output_fault(&error))?;
            return console.data(&format!("{json}\n"));
        }
        console.data(&show::upgrade::text(changes, console.output_look()))
    }
}

/// Loads one of the two builds, and says which one failed.
async fn loaded(which: &str, build: &ConnectorFile, limits: &Limits) -> Result<Plugin, Failure> {
    let said = |failure: Failure| Failure {
        message: format!("the {which} build cannot be loaded: {}", failure.message),
        ..failure
    };
    load(build, limits.clone()).await.map_err(said)
}
