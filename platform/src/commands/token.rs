//! `token`: makes, lists and revokes tokens of the API.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use smp_platform::clock::{DAY, now};
use smp_platform::problem::Problem;
use smp_platform::store::tokens::{self, Role};

use super::{StoreArguments, say};

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token. It is shown once.
    New(New),
    /// List the tokens, without what is secret of them.
    List(List),
    /// Refuse a token from now on.
    Revoke(Revoke),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Reads and writes.
    Admin,
    /// Reads.
    Viewer,
}

#[derive(Debug, Args)]
pub(super) struct New {
    #[command(flatten)]
    store: StoreArguments,
    /// What it may do.
    #[arg(long, value_enum)]
    role: RoleName,
    /// The only tenant that it sees; all of them without it.
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Let it end after so many days.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3650))]
    expires: Option<i64>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    store: StoreArguments,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The token's id, from `token list`.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    store: StoreArguments,
}

impl Token {
    pub(super) async fn run(self) -> Result<(), Problem> {
        match self {
            Self::New(new) => {
                let role = match new.role {
                    RoleName::Admin => Role::Admin,
                    RoleName::Viewer => Role::Viewer,
                };
                let store = new.store.open().await?;
                let expires = new.expires.map(|days| now().saturating_add(days * DAY));
                let (id, token) =
                    tokens::make(&store, role, new.tenant.as_deref(), expires).await?;
                if new.json {
                    let value =
                        json!({"id": id, "token": token, "role": role, "tenant": new.tenant});
                    return say(&format!("{value}\n"));
                }
                say(&format!("{token}\n"))
            }
            Self::List(list) => {
                let mut text = String::new();
                for token in tokens::list(&list.store.open().await?).await? {
                    if list.json {
                        text.push_str(&format!("{}\n", json!(token)));
                        continue;
                    }
                    let tenant = token
                        .tenant
                        .map_or("all tenants".into(), |tenant| format!("tenant {tenant}"));
                    let state = match (token.revoked, token.expires) {
                        (Some(at), _) => format!("revoked {at}"),
                        (None, Some(at)) => format!("ends {at}"),
                        (None, None) => "does not end".into(),
                    };
                    text.push_str(&format!("{}  {}  {tenant}  {state}\n", token.id, token.role));
                }
                say(&text)
            }
            Self::Revoke(revoke) => {
                tokens::revoke(&revoke.store.open().await?, &revoke.id).await?;
                say(&format!("{} is revoked.\n", revoke.id))
            }
        }
    }
}
