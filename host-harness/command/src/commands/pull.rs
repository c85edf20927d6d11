//! `pull`: downloads a package from a registry into a folder.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use smp_distribution::registry;
use smp_distribution::registry::reference::Reference;
use smp_host::failure::Failure;
use smp_host::limits::Limits;

use super::Exit;
use super::connector::{TrustFile, trust};
use super::console::Console;
use super::registry::{RegistryArguments, ended, note_login, reference, told};

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The package: HOST/NAME:TAG or HOST/NAME@DIGEST.
    #[arg(value_name = "REFERENCE", value_parser = reference)]
    reference: Reference,
    /// Create the package's folder, ID-VERSION, in this one.
    #[arg(long, value_name = "DIR", default_value = "dist")]
    output: PathBuf,
    /// Accept only what this trust file permits.
    #[arg(long, value_name = "FILE.toml", value_parser = trust)]
    trust: Option<TrustFile>,
    #[command(flatten)]
    registry: RegistryArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Pull {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        if let Some(Err(failure)) = self.trust.as_ref().map(TrustFile::policy) {
            return console.failed(&failure);
        }
        match self.pulled(console).await {
            Ok(()) => Exit::Done,
            Err(failure) => ended(&failure, console),
        }
    }

    async fn pulled(&self, console: &Console) -> Result<(), Failure> {
        let trust = self.trust.as_ref().map(TrustFile::policy).transpose()?;
        let repository = self.registry.repository(self.reference.clone())?;
        let pulled = registry::pull(&repository, trust, &Limits::default()).await?;
        note_login(&repository, console);
        let folder = self.output.join(pulled.folder_name(&self.reference));
        pulled.package.write(&folder)?;
        let component = folder.join(pulled.package.component_name());
        let publisher = pulled.verified.as_ref().map(|verified| verified.publisher.as_str());
        if self.json {
            let (id, version) = told(pulled.identity.as_ref());
            let value = json!({
                "reference": self.reference.to_string(), "digest": pulled.digest, "output": folder, "component": component,
                "id": id, "version": version, "publisher": publisher,
            });
            return console.json_line(&value);
        }
        match publisher {
            Some(publisher) => console.note(&format!("{}, signed by {publisher}.", pulled.digest)),
            None => console.note(&format!(
                "{}. No signature was checked: `--trust FILE` does so.",
                pulled.digest
            )),
        }
        console.data(&format!("{}\n", component.display()))
    }
}
