//! The metadata of a package from its manifest: author, licence and addresses.

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;
use cargo_metadata::camino::Utf8Path;
use serde::Deserialize;

/// The metadata of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// A description.
    pub description: Option<String>,
    /// Who made it.
    pub authors: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Address of the source.
    pub repository: Option<String>,
    /// Address of the home page.
    pub homepage: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Fields,
}

#[derive(Deserialize)]
struct Fields {
    license: Option<String>,
    repository: Option<String>,
}

impl About {
    /// The metadata in the manifest of a registry's package, which inherits nothing from a
    /// workspace.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_registry(manifest: &Utf8Path) -> Result<Self> {
        let text = std::fs::read_to_string(manifest)
            .with_context(|| format!("cannot read `{manifest}`"))?;
        let Manifest { package } =
            toml::from_str(&text).with_context(|| format!("`{manifest}` is not a manifest"))?;
        Ok(Self { license: package.license, repository: package.repository, ..Self::default() })
    }

    /// The metadata of a workspace's package, from Cargo. Nothing is downloaded.
    ///
    /// # Errors
    /// If Cargo fails.
    pub fn of_workspace(manifest: &Utf8Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .with_context(|| format!("`{manifest}`"))?;
        let package =
            metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
        let package = package.with_context(|| format!("Cargo knows no package of `{manifest}`"))?;
        let authors = package.authors.join(", ");
        Ok(Self {
            description: package.description,
            authors: (!authors.is_empty()).then_some(authors),
            license: package.license,
            repository: package.repository,
            homepage: package.homepage,
        })
    }
}
