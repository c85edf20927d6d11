//! `verify`: whether a trust file permits a package, an artifact or a file, and who signed it.
//! Nothing is compiled.

use clap::Args;
use serde_json::json;
use smp_distribution::digest::Digest;
use smp_distribution::package::Package;
use smp_distribution::registry;
use smp_distribution::trust::Verified;
use smp_host::failure::Failure;
use smp_host::limits::Limits;

use super::Exit;
use super::connector::{TrustFile, trust};
use super::console::Console;
use super::registry::{RegistryArguments, Subject, ended, note_login, subject};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A package's folder, an artifact in a registry, or a component's file within its package.
    #[arg(value_name = "FOLDER|REFERENCE|FILE", value_parser = subject)]
    subject: Subject,
    /// The trust file: publishers, their keys, and what each may publish.
    #[arg(long, value_name = "FILE.toml", value_parser = trust)]
    trust: TrustFile,
    #[command(flatten)]
    registry: RegistryArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Verify {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        if let Err(failure) = self.trust.policy() {
            return console.failed(&failure);
        }
        match self.verified(console).await {
            Ok(()) => Exit::Done,
            Err(failure) => ended(&failure, console),
        }
    }

    async fn verified(&self, console: &Console) -> Result<(), Failure> {
        let (limits, trust) = (Limits::default(), self.trust.policy()?);
        let (verified, component, artifact) = match &self.subject {
            Subject::Path(path) if path.is_dir() => {
                let package = Package::open(path, &limits)?;
                (trust.judge(&package)?, Digest::of(package.component()), None)
            }
            Subject::Path(path) => {
                let (package, verified) = trust.judge_file(path, &limits)?;
                (verified, Digest::of(package.component()), None)
            }
            Subject::Artifact(reference) => {
                let repository = self.registry.repository(reference.clone())?;
                let pulled = registry::pull(&repository, Some(trust), &limits).await?;
                note_login(&repository, console);
                let Some(verified) = pulled.verified else { return Ok(()) };
                (verified, Digest::of(pulled.package.component()), Some(pulled.digest))
            }
        };
        let Verified { publisher, identity, key } = verified;
        if self.json {
            let value = json!({
                "id": identity.id, "version": identity.version.to_string(), "publisher": publisher, "key": key, "component": component,
                "artifact": artifact,
            });
            return console.json_line(&value);
        }
        let artifact = artifact.map(|digest| format!("\nartifact   {digest}")).unwrap_or_default();
        console.data(&format!(
            "{identity}, signed by {publisher}\nkey        {key}\ncomponent  \
             {component}{artifact}\n"
        ))
    }
}
