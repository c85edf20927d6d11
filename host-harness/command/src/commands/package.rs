//! `package`: makes the folder of a component for a marketplace, with all the files that belong to
//! it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use smp_distribution::packaging::bill::{self, Bill};
use smp_distribution::packaging::figures::{self, Figures};
use smp_distribution::packaging::folder::Written;
use smp_distribution::packaging::links::Links;
use smp_distribution::packaging::listing::Commands;
use smp_distribution::packaging::metadata::PublisherMetadata;
use smp_distribution::packaging::{Package, PackageRequest, assemble, changelog};
use smp_host::failure::{Code, Failure};
use smp_listing::html::icon::{self, Icon};
use smp_replay::player::cases;

use super::connector::{ConnectorArguments, this_program};
use super::console::Console;
use super::progress::{Steps, interrupted, stopped};
use super::refusal::Refusal;
use super::{Exit, date};

#[derive(Debug, Args)]
pub(crate) struct MakePackage {
    #[command(flatten)]
    connector: ConnectorArguments,
    /// Create the folder `ID-VERSION` in this one.
    #[arg(long, value_name = "DIR", default_value = "dist", help_heading = "Output")]
    output: PathBuf,
    /// Write JSON.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Check it with these fixtures, as `check` does: one case, or a folder of cases. May be
    /// repeated.
    #[arg(long, value_name = "DIR", required = true, help_heading = "Inputs")]
    fixtures: Vec<PathBuf>,
    /// The bill of materials: CycloneDX 1.5 or later, in JSON, made by the build.
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    sbom: PathBuf,
    /// The changelog; the entry of the version is taken from it.
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    changelog: PathBuf,
    /// Performance figures in the form of `make bench`. Shown only if they were measured with this
    /// build.
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    figures: Option<PathBuf>,
    /// Its picture, at most 64 KiB: a PNG, or an SVG that only draws.
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    icon: Option<PathBuf>,
    /// A description, in a sentence.
    #[arg(long, value_name = "TEXT", help_heading = METADATA)]
    description: Option<String>,
    /// Who made it.
    #[arg(long, value_name = "TEXT", help_heading = METADATA)]
    authors: Option<String>,
    /// The licences under which it is distributed: an SPDX expression.
    #[arg(long, value_name = "SPDX", help_heading = METADATA)]
    licenses: Option<String>,
    /// Address of the source.
    #[arg(long, value_name = "URL", help_heading = METADATA)]
    source: Option<String>,
    /// Address of the home page.
    #[arg(long, value_name = "URL", help_heading = METADATA)]
    homepage: Option<String>,
    /// Address for help: `https://…` or `mailto:…`.
    #[arg(long, value_name = "URL", help_heading = METADATA)]
    support: Option<String>,
    /// Address for reports of weaknesses: `https://…` or `mailto:…`.
    #[arg(long, value_name = "URL", help_heading = METADATA)]
    security: Option<String>,
    /// The commit that it was built from.
    #[arg(long, value_name = "COMMIT", help_heading = METADATA)]
    revision: Option<String>,
    /// Count warnings and skipped rules as failed, as a marketplace does.
    #[arg(long)]
    strict: bool,
    /// Refuse anything but a release: a version without an entry in the changelog, or a commit that
    /// is not named or has local changes.
    #[arg(long)]
    release: bool,
}

const METADATA: &str =
    "Metadata (by default from the component, or else from the bill of materials)";

impl MakePackage {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let request = match self.request() {
            Ok(request) => request,
            Err(refusal) => return refusal.shown(console),
        };
        let steps = Arc::new(Steps::new(*console));
        let made = tokio::select! {
            made = assemble(&request, Arc::clone(&steps) as _) => made,
            // The runtime would wait for the check's workers, and end while they run.
            () = stopped() => {
                steps.clear();
                std::process::exit(console.failed(&interrupted()) as i32)
            }
        };
        steps.clear();
        let written =
            made.and_then(|package| package.write(&self.output).map(|written| (package, written)));
        match written.and_then(|(package, written)| self.show(&package, written, console)) {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    /// Reads all named files. A fault in one of them is wrong usage, and one that cannot be read a
    /// failure.
    fn request(&self) -> Result<PackageRequest, Refusal> {
        let icon = self.icon.as_deref().map(|path| read("--icon", path, icon::LARGEST));
        let figures = self.figures.as_deref().map(|path| read("--figures", path, figures::LARGEST));
        let files = Files {
            icon: icon.transpose()?,
            changelog: read("--changelog", &self.changelog, changelog::LARGEST)?,
            figures: figures.transpose()?,
            bill: read("--sbom", &self.sbom, bill::LARGEST)?,
        };
        self.made_of(files).map_err(Refusal::of)
    }

    fn made_of(&self, files: Files) -> Result<PackageRequest, Failure> {
        let limits = self.connector.limits();
        let metadata = PublisherMetadata {
            description: self.description.clone(),
            authors: self.authors.clone(),
            licenses: self.licenses.clone(),
            source: self.source.clone(),
            homepage: self.homepage.clone(),
            revision: self.revision.clone(),
        };
        metadata.check().map_err(|wrong| wrong.failure())?;
        let links = Links { support: self.support.clone(), security: self.security.clone() };
        links.check().map_err(|wrong| wrong.failure())?;
        let icon = self.icon.as_deref().zip(files.icon).map(|(path, bytes)| {
            Icon::read(&bytes).map_err(|no| unreadable("--icon", path, &no.to_string()))
        });
        let changelog = String::from_utf8(files.changelog)
            .map_err(|_| unreadable("--changelog", &self.changelog, "it is not UTF-8 text"))?;
        let figures = files.figures.map(|bytes| Figures::parse(&bytes)).transpose()?;
        Ok(PackageRequest {
            component: self.connector.open(&limits)?.into_bytes(),
            compiler: this_program(),
            fixtures: cases::find(&self.fixtures)?,
            limits,
            strict: self.strict,
            metadata,
            links,
            icon: icon.transpose()?,
            bill: Bill::parse(&files.bill)?,
            changelog,
            figures,
            date: date::given()?,
            commands: commands(),
            release: self.release,
        })
    }

    fn show(&self, package: &Package, written: Written, console: &Console) -> Result<(), Failure> {
        let folder = package.folder(&self.output);
        for note in &package.notes {
            console.note(&format!("note: {note}"));
        }
        if self.json {
            let files: Vec<_> = package
                .files
                .iter()
                .map(|(name, bytes)| json!({"name": name, "size_bytes": bytes.len()}))
                .collect();
            let (id, version, digest) = (&package.id, &package.version, &package.digest);
            let changed = written != Written::Unchanged;
            let value = json!({"folder": folder, "id": id, "version": version, "digest": digest, "changed": changed, "files": files});
            return console.json_line(&value);
        }
        let how = match written {
            Written::New => "",
            Written::Replaced => ", which replaces another build",
            Written::Unchanged => ", which was there unchanged",
        };
        console.note(&format!(
            "{} {}: {} files in {}{how}",
            package.id,
            package.version,
            package.files.len(),
            folder.display()
        ));
        console.data(&format!("{}\n", folder.display()))
    }
}

/// The commands that a reader of the listing types.
fn commands() -> Commands {
    Commands {
        verifier: "smp-harness verify".into(),
        verify: "smp-harness verify FOLDER --trust trust.toml".into(),
        collect: "smp-harness collect FOLDER/CONNECTOR.wasm --trust trust.toml".into(),
        install: "smp-platform connector install FOLDER --trust trust.toml".into(),
    }
}

/// The files that are named beside the component, as they were read.
struct Files {
    icon: Option<Vec<u8>>,
    changelog: Vec<u8>,
    figures: Option<Vec<u8>>,
    bill: Vec<u8>,
}

/// Reads a file of at most this many bytes.
fn read(option: &str, path: &Path, most: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(bound).read_to_end(&mut bytes))
        .map_err(|error| unreadable(option, path, &error.to_string()))?;
    if bytes.len() > most {
        Err(unreadable(option, path, &format!("it has more than {most} bytes")).into())
    } else {
        Ok(bytes)
    }
}

fn unreadable(option: &str, path: &Path, why: &str) -> Failure {
    let shown = smp_host::text::shortened(&path.to_string_lossy(), 200).into_owned();
    Failure::new(Code::InvalidSettings, format!("`{option} {shown}` cannot be read: {why}"))
        .with_hint("Name an existing file; `smp-harness package --help` says what it must contain.")
}
