//! `push`: uploads a package, or a component without one, to a registry.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use smp_distribution::package::Package;
use smp_distribution::registry;
use smp_distribution::registry::reference::Reference;
use smp_host::failure::Failure;
use smp_host::limits::Limits;

use super::console::Console;
use super::registry::{RegistryArguments, ended, reference};
use super::{Exit, date};

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The package's folder, or the `.wasm` file of a component without a package.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The destination: HOST/NAME, with the component's version as its tag, or HOST/NAME:TAG.
    #[arg(value_name = "REFERENCE", value_parser = reference)]
    reference: Reference,
    /// Replace other content that has the tag. A published release should not be replaced.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    registry: RegistryArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Push {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        match self.pushed(console).await {
            Ok(()) => Exit::Done,
            Err(failure) => ended(&failure, console),
        }
    }

    async fn pushed(&self, console: &Console) -> Result<(), Failure> {
        let package = Package::open(&self.folder, &Limits::default())?;
        let created = date::given()?.map(|date| date.to_string());
        let repository = self.registry.repository(self.reference.clone())?;
        let pushed =
            registry::push(&repository, &package, created.as_deref(), self.overwrite).await?;
        let by_digest = format!("{}@{}", pushed.reference.repository(), pushed.digest);
        if pushed.floating {
            console.note(
                "note: the tag is not the component's version, so a trust file does not permit it \
                 by that tag.",
            );
        }
        if pushed.foreign_date {
            console.note(
                "note: SOURCE_DATE_EPOCH is not the date of the package's listing. To revoke this \
                 artifact, revoke its component too.",
            );
        }
        if self.json {
            let value = json!({
                "reference": pushed.reference.to_string(), "digest": pushed.digest, "pinned": by_digest, "unchanged": pushed.unchanged,
            });
            return console.json_line(&value);
        }
        if pushed.unchanged {
            console.note(&format!("{} was there already, the same.", pushed.reference));
        }
        console.data(&format!("{by_digest}\n"))
    }
}
