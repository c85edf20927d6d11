//! `validate`: whether a collection with these settings would work, check by check.
//!
//! The host's own findings about the settings are checks like the connector's, so that an
//! administrator reads one list.

use std::sync::Arc;

use crate::show::report;
use clap::Args;
use smp_host::failure::{Code, Failure};
use smp_host::validation::Validation;

use super::Exit;
use super::connector::ConnectorArguments;
use super::console::Console;
use super::progress::Progress;
use super::remedy::worded_validation;
use super::source::{Source, SourceArguments, Wanted};

#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    source: SourceArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Validate {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let validation = match self.source.open(&self.connector, Wanted::Members, console).await {
            Ok(source) => match asked(&source, console).await {
                Ok(validation) => validation,
                Err(failure) => return self.stopped(failure, console),
            },
            Err(refusal)
                if refusal.exit == Exit::Failed
                    && refusal.failure.code == Code::InvalidSettings =>
            {
                Validation::refused(*refusal.failure)
            }
            Err(refusal) if refusal.exit == Exit::Failed => {
                return self.stopped(*refusal.failure, console);
            }
            Err(refusal) => return refusal.shown(console),
        };
        match self.show(&validation, console) {
            Err(failure) => console.failed(&failure),
            Ok(()) => match validation.failure() {
                None => Exit::Done,
                Some(failure) if self.json => console.failed(failure),
                // The list on standard output says everything.
                Some(_) => Exit::Failed,
            },
        }
    }

    /// Ends a validation without checks. Scripts get the document that they expect; people read the
    /// failure.
    fn stopped(&self, failure: Failure, console: &Console) -> Exit {
        if self.json
            && let Err(unwritten) = self.show(&Validation::stopped(failure.clone()), console)
        {
            return console.failed(&unwritten);
        }
        console.failed(&failure)
    }

    fn show(&self, validation: &Validation, console: &Console) -> Result<(), Failure> {
        let validation = worded_validation(validation);
        if self.json {
            return console.json_line(&validation.to_json());
        }
        console.data(&report::text(validation.checks(), validation.ready(), console.output_look()))
    }
}

async fn asked(source: &Source, console: &Console) -> Result<Validation, Failure> {
    let mut session = source.session(Arc::new(Progress::new(*console)));
    tokio::select! {
        validation = Validation::of(&mut session) => validation,
        () = super::progress::stopped() => Err(super::progress::interrupted()),
    }
}
