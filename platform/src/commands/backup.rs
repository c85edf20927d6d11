//! `backup`: copies the store while it is in use.

use std::path::PathBuf;

use clap::Args;
use smp_platform::problem::Problem;

use super::{StoreArguments, say};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to make. To restore it, put it into an empty folder as `platform.db`, with the key
    /// file beside it as `key`.
    #[arg(value_name = "TO")]
    to: PathBuf,
    #[command(flatten)]
    store: StoreArguments,
}

impl Backup {
    pub(super) async fn run(self) -> Result<(), Problem> {
        self.store.open().await?.backup(&self.to).await?;
        say(&format!(
            "{} is written. Keep the key file with it, at another place.\n",
            self.to.display()
        ))
    }
}
