//! Packages of the Atlassian connector and of others, made by the real command.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use smp_tests::harness::{Ended, Run, component, folder, names};
use tempfile::TempDir;

/// The version of the workspace and of the Atlassian connector.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A date, in seconds since 1970, and as it is written.
pub(crate) const DATE: (&str, &str) = ("1700000000", "2023-11-14T22:13:20Z");

/// Cases that call every endpoint: a package with all cases would take as long as a check.
pub(crate) const CASES: [&str; 3] = [
    "fixtures/acme",
    "fixtures/everyone-in-the-organization",
    "fixtures/key-maker-is-no-organization-admin",
];

/// The package of the Atlassian connector, made once.
pub(crate) static OURS: LazyLock<Made> =
    LazyLock::new(|| Made::of(|run| run.args(["--revision", "0123abcd"])));

/// The bill of materials from the build of the Atlassian connector.
pub(crate) fn bill() -> PathBuf {
    let bill = component().with_extension("cdx.json");
    assert!(bill.exists(), "`make component` makes it");
    bill
}

/// The command that packages the Atlassian connector into this folder.
pub(crate) fn packaging(output: &Path) -> Run {
    packaging_of(&component(), &bill(), output)
}

/// The command that packages a component with a few of the fixtures.
pub(crate) fn packaging_of(component: &Path, bill: &Path, output: &Path) -> Run {
    packaging_with(component, bill, &folder("../CHANGELOG.md"), output)
}

fn packaging_with(component: &Path, bill: &Path, changelog: &Path, output: &Path) -> Run {
    let run = Run::bare()
        .args(["package", "--json"])
        .arg(component)
        .file("--sbom", bill)
        .file("--output", output);
    let run = run.file("--changelog", changelog).env("SOURCE_DATE_EPOCH", DATE.0);
    CASES.iter().fold(run, |run, case| run.file("--fixtures", &folder(case)))
}

/// A package that was made.
pub(crate) struct Made {
    _output: TempDir,
    folder: PathBuf,
    pub(crate) ended: Ended,
}

impl Made {
    /// The package, made with these further options.
    pub(crate) fn of(options: impl FnOnce(Run) -> Run) -> Self {
        let output = tempfile::tempdir().unwrap();
        let ended = options(packaging(output.path())).end();
        Self::ended(output, ended)
    }

    /// The package, made with another changelog and these further options.
    pub(crate) fn with_changelog(changelog: &Path, options: impl FnOnce(Run) -> Run) -> Self {
        let output = tempfile::tempdir().unwrap();
        let ended = options(packaging_with(&component(), &bill(), changelog, output.path())).end();
        Self::ended(output, ended)
    }

    /// The package of a successful run.
    pub(crate) fn ended(output: TempDir, ended: Ended) -> Self {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let folder = PathBuf::from(ended.json()["folder"].as_str().unwrap());
        assert!(folder.starts_with(output.path()), "{}", folder.display());
        Self { _output: output, folder, ended }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.bytes(name)).unwrap()
    }

    /// Every file by name.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        names(&self.folder).into_iter().map(|name| (name.clone(), self.bytes(&name))).collect()
    }

    /// The folder, for other commands.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The digest of these bytes in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A bill of materials with only the version.
pub(crate) fn bill_of(folder: &Path, version: &str) -> PathBuf {
    let path = folder.join("bill.json");
    let component = json!({"type": "application", "name": "x", "version": version});
    let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"component": component}, "components": []});
    fs::write(&path, document.to_string()).unwrap();
    path
}
