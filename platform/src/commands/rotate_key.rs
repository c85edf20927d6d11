//! `rotate-key`: a new key wraps the stored keys of connections.

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
}

impl RotateKey {
    pub(super) async fn run(self) -> Result<(), Problem> {
        let (place, store) = (self.store.place(), self.store.open().await?);
        if self.lost {
            let connections = Keys::begin_again(&self.key.path(&place)?, &store).await?;
            return say(&format!(
                "A new key file is made; {connections} connections need their keys again.\n"
            ));
        }
        let wrapped = self.key.open(&place, &store).await?.rotate(&store).await?;
        say(&format!("{wrapped} stored keys are wrapped by a new key.\n"))
    }
}
