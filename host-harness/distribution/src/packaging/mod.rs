//! Makes a package: the folder that a publisher gives to a marketplace. The same inputs give the
//! same bytes.
//!
//! | file | content |
//! |---|---|
//! | `ID.wasm` | the component, with standard metadata in it |
//! | `listing.json`, `listing.md`, `listing.html` | description, requests, results of the check and bill of materials: for scripts and for people |
//! | `icon.svg` or `icon.png` | its picture, if there is one |
//! | `sbom.cdx.json` | the linked libraries: CycloneDX, bound to the file by its digest |
//! | `CHANGELOG.md` | the changes of this version |
//! | `SHA256SUMS` | digests of all other files |
//!
//! A connector that does not pass its check is not packaged. The only date in a package is the one
//! that its publisher gives.

mod sections;

pub mod metadata;

pub mod links;

pub mod bill;
pub mod changelog;
pub mod figures;

pub mod listing;

pub mod html;
pub mod page;

pub mod folder;

#[cfg(test)]
mod testing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use smp_conformance::check::{self, Subject, Watcher};
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_host::files::json;
use smp_host::limits::Limits;
use smp_host::remedy::Remedy;
use smp_host::text;
use smp_listing::html::icon::Icon;

use super::package::{SBOM, SUMS};
use bill::Bill;
use figures::{Figures, Performance};
use folder::{Named, Written};
use links::Links;
use listing::{Commands, Listing};
use metadata::PublisherMetadata;

/// The inputs of a package.
pub struct PackageRequest {
    /// The component.
    pub component: Vec<u8>,
    /// Compiles the component.
    pub compiler: Compiler,
    /// The limits of its check.
    pub limits: Limits,
    /// The folders of its fixture cases, from [`smp_replay::player::cases::find`].
    pub fixtures: Vec<PathBuf>,
    /// Whether warnings and skipped rules count as failed.
    pub strict: bool,
    /// The publisher's metadata. Missing entries are taken from the component, then from the bill.
    pub metadata: PublisherMetadata,
    /// Where its publisher helps, and takes reports of weaknesses. Missing entries are taken from
    /// the bill.
    pub links: Links,
    /// Its picture.
    pub icon: Option<Icon>,
    /// The bill of materials.
    pub bill: Bill,
    /// The changelog.
    pub changelog: String,
    /// Figures of its performance.
    pub figures: Option<Figures>,
    /// The date of the version.
    pub date: Option<Timestamp>,
    /// The commands that the pages of its listing name.
    pub commands: Commands,
    /// Whether to refuse anything but a release: a version without an entry in the changelog, or a
    /// commit that is not named or has local changes.
    pub release: bool,
}

/// A package.
#[derive(Clone, Debug)]
pub struct Package {
    /// The connector's identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The digest of the component.
    pub digest: String,
    /// The files, by name.
    pub files: Vec<Named>,
    /// Notes for its publisher before it is published, a sentence each.
    pub notes: Vec<String>,
}

/// Makes a package. Dropping the future ends it.
///
/// # Errors
/// `component`, `contract` and the like if the connector does not pass its check;
/// `invalid-settings` if another input does not match it.
pub async fn assemble(
    request: &PackageRequest,
    watcher: Arc<dyn Watcher>,
) -> Result<Package, Failure> {
    let options = EngineOptions {
        limits: request.limits.clone(),
        ..EngineOptions::new(request.compiler.clone())
    };
    let engine = Engine::new(&options)?;
    let descriptor = Plugin::load(&engine, &request.component).await?.descriptor().clone();
    let (id, version) = (descriptor.id, descriptor.version);
    // It becomes part of a folder's name and a tag in a registry.
    semver::Version::parse(&version).map_err(|_| not_semantic(&version))?;

    let own = PublisherMetadata {
        description: Some(described(&descriptor.name)),
        ..PublisherMetadata::default()
    };
    let metadata = request
        .metadata
        .clone()
        .or(PublisherMetadata::of(&request.component)?)
        .or(request.bill.metadata())
        .or(own);
    let entry = changelog::entry(&request.changelog, &version)?;
    if request.release {
        refuse_what_is_no_release(&metadata, &entry, &version)?;
    }
    let component = metadata::written(&request.component, &id, &version, &metadata)?;
    // Read back as written: an address may have got a slash at its end.
    let metadata = PublisherMetadata::of(&component)?;
    let plugin = Plugin::load(&engine, &component).await?;
    let facts = plugin.info().clone();
    let bill = request.bill.bound_to(&version, &facts.digest, request.date)?;

    let verdict = checked(request, component.clone(), watcher).await?;
    let build_digest = metadata::build_digest(&component)?;
    let performance = Performance::new(request.figures.clone(), &[&build_digest, &facts.digest]);
    let mut notes = Vec::new();
    if !entry.released {
        notes.push(format!(
            "The changelog has no entry for {version}: the entry of unreleased changes is used \
             instead."
        ));
    }
    if let Performance::OfAnother(_) = performance {
        notes.push(
            "The figures are not of this build, so the listing does not show them. Measure again."
                .to_owned(),
        );
    }

    let file = format!("{id}.wasm");
    let digest = facts.digest.clone();
    let linked = request.bill.linked().to_vec();
    let listing = Listing {
        file: file.clone(),
        facts,
        build_digest,
        metadata,
        verdict,
        performance,
        linked,
        date: request.date,
        links: request.links.clone().or(request.bill.links()),
        icon: request.icon.clone(),
        changes: entry,
        commands: request.commands.clone(),
    };
    let json = json::indented(&listing.to_json()).map_err(|error| unwritable(&error))?;
    let mut files = vec![
        (file, component),
        ("listing.json".to_owned(), format!("{json}\n").into_bytes()),
        ("listing.md".to_owned(), page::markdown(&listing).into_bytes()),
        ("listing.html".to_owned(), html::page(&listing).into_bytes()),
        (SBOM.to_owned(), bill),
        ("CHANGELOG.md".to_owned(), listing.changes.text.into_bytes()),
    ];
    if let Some(icon) = &request.icon {
        files.push((icon.file().to_owned(), icon.bytes().to_vec()));
    }
    files.push((SUMS.to_owned(), folder::sums(&files)));
    Ok(Package { id, version, digest, files, notes })
}

impl Package {
    /// The name of its folder, relative to the output.
    #[must_use]
    pub fn folder(&self, output: &Path) -> PathBuf {
        output.join(format!("{}-{}", self.id, self.version))
    }

    /// Writes its folder.
    ///
    /// # Errors
    /// As [`folder::write`].
    pub fn write(&self, output: &Path) -> Result<Written, Failure> {
        folder::write(&self.folder(output), &self.files)
    }
}

async fn checked(
    request: &PackageRequest,
    component: Vec<u8>,
    watcher: Arc<dyn Watcher>,
) -> Result<smp_conformance::check::verdict::Verdict, Failure> {
    let subject = Subject {
        file: component,
        compiler: request.compiler.clone(),
        fixtures: request.fixtures.clone(),
        limits: request.limits.clone(),
        strict: request.strict,
        partial: false,
        cache: None,
    };
    let verdict = check::check(&subject, watcher).await;
    match verdict.failure() {
        None => Ok(verdict),
        Some(failure) => {
            let message = format!(
                "the connector does not pass its check, so it is not packaged: {}",
                failure.message
            );
            Err(Failure { message, ..failure })
        }
    }
}

fn refuse_what_is_no_release(
    metadata: &PublisherMetadata,
    entry: &changelog::Entry,
    version: &str,
) -> Result<(), Failure> {
    let refused = |input, why: String, hint: &str| {
        let failure = Failure::new(Code::InvalidSettings, format!("this is not a release: {why}"));
        Err(failure.with_remedy(Remedy::CorrectInput { input }).with_hint(hint))
    };
    if !entry.released {
        let hint = "Give the unreleased changes the heading of the version.";
        return refused("changelog", format!("the changelog has no entry for {version}"), hint);
    }
    match metadata.revision.as_deref() {
        None => {
            let why = "the commit that it was built from is not named".to_owned();
            refused("revision", why, "Commit the source to git, and name that commit.")
        }
        Some(revision) if revision.ends_with("-dirty") => {
            let why = format!("the commit that it was built from has local changes: {revision}");
            refused("revision", why, "Commit the changes and build again.")
        }
        Some(_) => Ok(()),
    }
}

fn described(name: &str) -> String {
    format!("Connector of a SaaS management platform for {}", text::shortened(name, 200))
}

fn not_semantic(version: &str) -> Failure {
    let version = text::shortened(version, 100);
    Failure::new(
        Code::Contract,
        format!("the connector is not packaged: `{version}` is not a semantic version"),
    )
    .with_remedy(Remedy::MendConnector)
    .with_hint("Give the descriptor a version such as 1.2.3.")
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::new(Code::Output, format!("the listing cannot be written: {error}"))
        .with_remedy(Remedy::Other)
}
