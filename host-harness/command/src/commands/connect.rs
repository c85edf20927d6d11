//! `connect`: the account that the settings identify.

use std::sync::Arc;

use clap::Args;
use smp_host::contract::Account;
use smp_host::failure::Failure;
use smp_host::text;

use super::Exit;
use super::connector::ConnectorArguments;
use super::console::Console;
use super::progress::Progress;
use super::source::{Source, SourceArguments, Wanted};

#[derive(Debug, Args)]
pub(crate) struct Connect {
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    source: SourceArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Connect {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let source = match self.source.open(&self.connector, Wanted::Members, console).await {
            Ok(source) => source,
            Err(refusal) => return refusal.shown(console),
        };
        source.note_warnings(console);
        match asked(&source, console).await.and_then(|account| self.show(&account, console)) {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    fn show(&self, account: &Account, console: &Console) -> Result<(), Failure> {
        if self.json {
            return console
                .json_line(&serde_json::json!({ "id": account.id, "name": account.name }));
        }
        let attributes = account
            .attributes
            .iter()
            .map(|(name, value)| format!("{}: {}\n", text::escaped(name), text::escaped(value)));
        console.data(&format!(
            "{}  {}\n{}",
            text::escaped(&account.id),
            text::escaped(&account.name),
            attributes.collect::<String>()
        ))
    }
}

async fn asked(source: &Source, console: &Console) -> Result<Account, Failure> {
    let mut session = source.session(Arc::new(Progress::new(*console)));
    tokio::select! {
        account = session.connect() => account,
        () = super::progress::stopped() => Err(super::progress::interrupted()),
    }
}
