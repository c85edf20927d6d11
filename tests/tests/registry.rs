//! Tests of packages in a registry: pushed, pulled, signed and verified, with Debian's registry and
//! with one that lies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "registry/hostile.rs"]
mod hostile;
#[path = "registry/login.rs"]
mod login;
#[path = "registry/public.rs"]
mod public;
#[path = "registry/real.rs"]
mod real;
#[path = "registry/revoked.rs"]
mod revoked;
#[path = "registry/signed.rs"]
mod signed;

use std::fs;
use std::path::{Path, PathBuf};

use smp_tests::harness::{Ended, Run, component};
use smp_tests::registry::Release;

const ID: &str = "atlassian-cloud";

/// A folder for a test: a release of the connector, and a key pair.
struct Bench {
    home: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let made = Run::bare()
            .args(["sign", "--generate"])
            .arg(home.path())
            .env("COSIGN_PASSWORD", "")
            .end();
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A release of the real connector.
    fn release(&self, version: &str) -> PathBuf {
        Release::new(&fs::read(component()).unwrap(), ID, version).write(self.home.path())
    }

    /// The options of a trust file that permits every release of the connector.
    fn trust(&self) -> [String; 2] {
        self.trusting("{ atlassian-cloud = {} }")
    }

    fn trusting(&self, connectors: &str) -> [String; 2] {
        let path =
            smp_tests::registry::policy(self.home.path(), &self.path("cosign.pub"), connectors);
        ["--trust".into(), path.to_str().unwrap().into()]
    }

    fn sign(&self, what: &str) -> Ended {
        let run = Run::bare()
            .args(["sign", what, "--json"])
            .file("--key", &self.path("cosign.key"))
            .env("COSIGN_PASSWORD", "");
        (if what.contains('@') { run.arg("--plain-http") } else { run }).end()
    }
}

/// `smp-harness push FOLDER REFERENCE` over plain http; returns the digest.
fn push(folder: &Path, reference: &str) -> String {
    let ended = run("push").arg(folder).arg(reference).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.json()["digest"].as_str().unwrap().to_owned()
}

/// `smp-harness NAME --plain-http --json`.
fn run(name: &str) -> Run {
    Run::bare().args([name, "--plain-http", "--json"])
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    smp_tests::harness::names(folder)
        .into_iter()
        .map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect()
}

/// Requires that a command failed with 1 and these words.
fn refused(ended: &Ended, code: &str, words: &str) {
    let said = ended.said(code);
    assert!(ended.code == Some(1) && said.contains(words), "{words:?} is not in {said:?}");
}
