//! `connector`: installs, lists, approves and rolls back connectors. All of it works beside a
//! running `serve`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use smp_distribution::loading::ConnectorFile;
use smp_distribution::registry::login::Stored;
use smp_distribution::registry::pull;
use smp_distribution::registry::reference::Reference;
use smp_distribution::registry::repository::{Options, Repository};
use smp_distribution::trust::TrustPolicy;
use smp_host::limits::Limits;
use smp_platform::catalog::Catalog;
use smp_platform::problem::Problem;
use smp_platform::store::connectors::{self, Build};

use super::{StoreArguments, cache, compiler, note, say, trust};

#[derive(Debug, Subcommand)]
pub(super) enum Connector {
    /// Install a connector: a component, the folder of a package, or a reference in a registry.
    ///
    /// Installing approves its origins and its GET requests. An upgrade that asks for more, or
    /// breaks stored settings, waits for `approve`; until then the old build is used.
    Install(Install),
    /// List the builds that are installed.
    List(List),
    /// Approve an upgrade that waits.
    Approve(Switch),
    /// Go on with an earlier build.
    Rollback(Switch),
}

#[derive(Debug, Args)]
pub(super) struct Install {
    /// CONNECTOR.wasm, the folder of a package, or HOST/NAME:TAG.
    #[arg(value_name = "FILE|FOLDER|REF")]
    connector: String,
    #[command(flatten)]
    store: StoreArguments,
    /// Approve a request beyond GET, such as 'POST /path'.
    #[arg(long = "grant", value_name = "METHOD PATH")]
    grants: Vec<String>,
    /// Install only what this trust file permits.
    #[arg(long, value_name = "FILE.toml")]
    trust: Option<PathBuf>,
    /// The registry speaks plain http on this machine.
    #[arg(long)]
    plain_http: bool,
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
pub(super) struct Switch {
    /// ID, ID@VERSION or the digest.
    #[arg(value_name = "CONNECTOR")]
    connector: String,
    #[command(flatten)]
    store: StoreArguments,
}

impl Connector {
    pub(super) async fn run(self) -> Result<(), Problem> {
        match self {
            Self::Install(install) => install.run().await,
            Self::List(list) => list.run().await,
            Self::Approve(switch) => {
                let build = switch.catalog().await?.approve(&switch.connector).await?;
                say(&format!("{} {} is active.\n", build.id, build.version))
            }
            Self::Rollback(switch) => {
                let build = switch.catalog().await?.roll_back(&switch.connector).await?;
                say(&format!("{} {} is active again.\n", build.id, build.version))
            }
        }
    }
}

impl Switch {
    async fn catalog(&self) -> Result<Catalog, Problem> {
        let place = self.store.place();
        Catalog::new(self.store.open().await?, compiler(), cache(&place), None)
    }
}

impl Install {
    async fn run(self) -> Result<(), Problem> {
        let trust = trust(self.trust.as_deref())?;
        let file = self.file(trust.as_deref()).await?;
        let place = self.store.place();
        let store = self.store.open().await?;
        let catalog = Catalog::new(store, compiler(), cache(&place), trust.clone())?;
        let installed = catalog.install(&file, &self.grants).await?;
        if trust.is_none() {
            note("warning: no signature was checked: `--trust FILE` does so");
        }
        let Build { id, version, digest, publisher, approved, changes, .. } = &installed.build;
        if self.json {
            let changes: Option<Value> =
                changes.as_ref().and_then(|text| serde_json::from_str(text).ok());
            let value = json!({
                "id": id, "version": version, "digest": digest, "publisher": publisher, "active": installed.active,
                "origins": approved.origins, "grants": approved.endpoints, "changes": changes,
            });
            return say(&format!("{value}\n"));
        }
        let mut text = if installed.active {
            format!("{id} {version} is active. It may send:\n")
        } else {
            format!(
                "{id} {version} waits for `smp-platform connector approve {id}`. It asks for:\n"
            )
        };
        for origin in &approved.origins {
            text.push_str(&format!("  to {origin}\n"));
        }
        for endpoint in &approved.endpoints {
            text.push_str(&format!("  {endpoint}\n"));
        }
        say(&text)
    }

    /// Reads the connector, if it is trusted.
    async fn file(&self, trust: Option<&TrustPolicy>) -> Result<ConnectorFile, Problem> {
        let limits = Limits::default();
        let path = Path::new(&self.connector);
        if path.exists() {
            let file = component_of(path)?;
            return Ok(ConnectorFile::read(&file, trust, &limits)?);
        }
        let reference = Reference::parse(&self.connector).map_err(|error| {
            Problem::invalid(format!(
                "there is no such file or folder, and it is no reference: {error}"
            ))
            .hint("Give CONNECTOR.wasm, the folder of a package, or HOST/NAME:TAG.")
        })?;
        let Stored { login, fault: no_login } = Stored::of_user(&reference);
        let options = Options {
            plain_http: self.plain_http,
            extra_roots: None,
            allowed: Vec::new(),
            login,
            no_login,
            user_agent: concat!("smp-platform/", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let repository = Repository::new(reference, &options)?;
        let pulled = pull(&repository, trust, &limits).await?;
        // Written out, because a package is judged as a folder.
        let folder = tempfile::tempdir().map_err(|error| {
            Problem::new(503, "disk-full", format!("no temporary folder can be made: {error}"))
                .hint("Make room on the disk of temporary files.")
        })?;
        let package = folder.path().join("package");
        pulled.package.write(&package)?;
        let file = package.join(pulled.package.component_name());
        Ok(ConnectorFile::read(&file, trust, &limits)?)
    }
}

impl List {
    async fn run(self) -> Result<(), Problem> {
        let builds = connectors::list(&self.store.open().await?).await?;
        let mut text = String::new();
        for build in builds {
            let Build { digest, id, version, publisher, state, installed, .. } = build;
            if self.json {
                let value = json!({
                    "id": id, "version": version, "digest": digest, "publisher": publisher, "state": state,
                    "installed": installed,
                });
                text.push_str(&format!("{value}\n"));
            } else {
                let publisher = publisher.unwrap_or_else(|| "unsigned".into());
                text.push_str(&format!("{id} {version}  {state}  {publisher}  {digest}\n"));
            }
        }
        say(&text)
    }
}

/// The component in the folder of a package.
fn component_of(path: &Path) -> Result<PathBuf, Problem> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let unreadable = |error: std::io::Error| {
        Problem::invalid(format!("`{}` cannot be read: {error}", path.display()))
            .hint("Give the folder of a package.")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == "wasm") {
            found.push(file);
        }
    }
    match found.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(Problem::invalid(format!("`{}` has no component", path.display()))
            .hint("Give the folder of a package, or CONNECTOR.wasm.")),
        _ => Err(Problem::invalid(format!("`{}` has more than one component", path.display()))
            .hint("Give the path of one of them.")),
    }
}
