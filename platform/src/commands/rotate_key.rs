//! `rotate-key`: a new key wraps the stored keys of connections.

use std::path::PathBuf;

use clap::Args;
use smp_platform::keys::Keys;
use smp_platform::problem::Problem;

use super::{KeyArguments, StoreArguments, say};

#[derive(Debug, Args)]
pub(super) struct RotateKey {
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    key: KeyArguments,
    /// The key file is lost: begin with a new one. The stored keys of all connections must be
    /// entered again; members and history stay.
    #[arg(long)]
    lost: bool,
    /// The stored keys are wrapped by this key file until now: wrap them with the key in the Vault.
    /// Stop `serve` and `work` before, and start them with `--key-vault`.
    #[arg(long, value_name = "FILE", requires = "key_vault", conflicts_with = "lost")]
    from_key: Option<PathBuf>,
}

impl RotateKey {
    pub(super) async fn run(self) -> Result<(), Problem> {
        let (place, store) = (self.store.place(), self.store.open().await?);
        if self.lost {
            let connections = Keys::begin_again(&self.key.source(&place)?, &store).await?;
            return say(&format!(
                "A new key is used; {connections} connections need their keys again.\n"
            ));
        }
        if let (Some(path), Some(key)) = (&self.from_key, &self.key.key_vault) {
            let wrapped = Keys::take_over(path, self.key.vault(key)?, &store).await?;
            return say(&format!(
                "{wrapped} stored keys are wrapped by the key in the Vault. The key file opens \
                 earlier backups alone.\n"
            ));
        }
        let wrapped = self.key.open(&place, &store).await?.rotate(&store).await?;
        say(&format!("{wrapped} stored keys are wrapped by a new key.\n"))
    }
}
