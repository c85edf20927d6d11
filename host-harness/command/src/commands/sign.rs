//! `sign`: signs a package's folder or an artifact in a registry, or generates a key pair.

use std::fs;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use smp_distribution::file;
use smp_distribution::package::{Package, SIGNATURE};
use smp_distribution::registry;
use smp_distribution::signature::key::{KeyError, KeyPair, LARGEST_FILE};
use smp_distribution::signature::to_text;
use smp_distribution::trust;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;
use smp_host::remedy::Remedy;
use zeroize::Zeroizing;

use super::Exit;
use super::console::Console;
use super::refusal::Refusal;
use super::registry::{RegistryArguments, Subject, subject};

/// Names of a pair's files, the same as cosign's.
const PRIVATE: &str = "cosign.key";
const PUBLIC: &str = "cosign.pub";
/// The environment variable from which cosign reads the password of a private key.
const PASSWORD: &str = "COSIGN_PASSWORD";

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// A package's folder, or an artifact in a registry by its digest: HOST/NAME@sha256:….
    #[arg(value_name = "FOLDER|REFERENCE", value_parser = subject, required_unless_present = "generate")]
    subject: Option<Subject>,
    /// Sign with this private key: cosign's, or PKCS#8 in PEM form. The password comes from
    /// COSIGN_PASSWORD, or is asked for on a terminal.
    #[arg(long, value_name = "FILE", required_unless_present = "generate")]
    key: Option<PathBuf>,
    /// Generate a key pair instead: cosign.key and cosign.pub in this folder, and print its entry
    /// for a trust file.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["subject", "key"])]
    generate: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryArguments,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Sign {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let done = match (&self.generate, &self.subject, &self.key) {
            (Some(folder), ..) => self.generated(folder, console).map_err(Refusal::of),
            (None, Some(subject), Some(key)) => self.signed(subject, key, console).await,
            // The arguments have been checked to be one or the other.
            _ => Ok(()),
        };
        match done {
            Ok(()) => Exit::Done,
            Err(refusal) => refusal.shown(console),
        }
    }

    async fn signed(
        &self,
        subject: &Subject,
        key: &Path,
        console: &Console,
    ) -> Result<(), Refusal> {
        let pair = read_key(key, console)?;
        self.signed_with(&pair, subject, console).await.map_err(Refusal::of)
    }

    async fn signed_with(
        &self,
        pair: &KeyPair,
        subject: &Subject,
        console: &Console,
    ) -> Result<(), Failure> {
        let place = match subject {
            Subject::Path(path) => sign_folder(path, pair)?.display().to_string(),
            Subject::Artifact(reference) => {
                registry::sign(&self.registry.repository(reference.clone())?, pair).await?;
                reference.to_string()
            }
        };
        let key = pair.public().fingerprint();
        if self.json {
            return console.json_line(&json!({ "signed": place, "key": key }));
        }
        console.note(&format!("Signed with the key {key}."));
        console.data(&format!("{place}\n"))
    }

    fn generated(&self, folder: &Path, console: &Console) -> Result<(), Failure> {
        let fault = |path: &Path, error: &std::io::Error| {
            Failure::new(Code::Output, format!("`{}` cannot be written: {error}", path.display()))
                .with_remedy(Remedy::Other)
                .with_hint("Name another folder. An existing key is never overwritten.")
        };
        let password = new_password(console)?;
        let pair =
            KeyPair::generate().map_err(|error| Failure::new(Code::Other, error.to_string()))?;
        let sealed = pair
            .to_sealed_pem(&password)
            .map_err(|error| Failure::new(Code::Other, error.to_string()))?;
        fs::create_dir_all(folder).map_err(|error| fault(folder, &error))?;
        for (name, text, mode) in
            [(PRIVATE, sealed.as_str(), 0o600), (PUBLIC, pair.public().to_pem().as_str(), 0o644)]
        {
            let path = folder.join(name);
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
            file.and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| fault(&path, &error))?;
        }
        let (private, public, key) =
            (folder.join(PRIVATE), folder.join(PUBLIC), pair.public().fingerprint());
        if self.json {
            let trust = trust::entry(&pair.public());
            let made = json!({ "private": private, "public": public, "key": key, "trust": trust });
            return console.json_line(&made);
        }
        console.note(&format!(
            "Keep {} and its password to yourself, and give {} to everyone who should trust you.",
            private.display(),
            public.display()
        ));
        console.note("This is its entry for a trust file:");
        console.data(&trust::entry(&pair.public()))
    }
}

/// Signs a package's folder. Its files match their sums, so a signature over the sums covers all of
/// them.
fn sign_folder(folder: &Path, pair: &KeyPair) -> Result<PathBuf, Failure> {
    let package = Package::open(folder, &Limits::default())?;
    let Some(sums) = package.sums() else {
        return Err(Failure::new(
            Code::InvalidSettings,
            format!("`{}` is not the folder of a package", folder.display()),
        )
        .with_hint(
            "Make one with `smp-harness package`, and sign that: one signature covers the \
             component and its other files.",
        ));
    };
    package.identity()?;
    let signature =
        pair.sign(sums.bytes()).map_err(|error| Failure::new(Code::Other, error.to_string()))?;
    let path = folder.join(SIGNATURE);
    let fault = |error: std::io::Error| {
        Failure::new(Code::Output, format!("`{}` cannot be written: {error}", path.display()))
            .with_remedy(Remedy::Other)
    };
    let mut file =
        tempfile::Builder::new().prefix("SHA256SUMS.").tempfile_in(folder).map_err(fault)?;
    file.write_all(format!("{}\n", to_text(&signature)).as_bytes()).map_err(fault)?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).map_err(fault)?;
    file.persist(&path).map_err(|error| fault(error.error))?;
    Ok(path)
}

/// Reads the key. A file that cannot be read is a failure, and one that is no key wrong usage.
fn read_key(path: &Path, console: &Console) -> Result<KeyPair, Refusal> {
    let unusable = |reason: &str| {
        Failure::new(
            Code::InvalidSettings,
            format!("`--key`: `{}` cannot be used: {reason}", path.display()),
        )
    };
    let text = file::read_named(path, LARGEST_FILE).map(Zeroizing::new).map_err(|error| {
        let hint = "Give a private key; `smp-harness sign --generate DIR` makes a pair.";
        Refusal::from(unusable(&error.to_string()).with_hint(hint))
    })?;
    KeyPair::from_pem(&text, || known_password(console)).map_err(|error| {
        let hint = match error {
            KeyError::Password => {
                "Set the environment variable COSIGN_PASSWORD to the key's password, or run this \
                 on a terminal to be asked."
            }
            KeyError::NoBlock(_) => {
                "Write it as PKCS#8: `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW`."
            }
            _ => {
                "Make a pair with `smp-harness sign --generate DIR` or `cosign generate-key-pair`."
            }
        };
        Refusal::usage(unusable(&error.to_string()).with_hint(hint))
    })
}

/// The password of an existing key.
fn known_password(console: &Console) -> Option<Zeroizing<Vec<u8>>> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Some(Zeroizing::new(password.into_bytes()));
    }
    if !may_ask(console) {
        return None;
    }
    rpassword::prompt_password("Password of the private key (not shown): ")
        .ok()
        .map(|text| Zeroizing::new(text.into_bytes()))
}

/// The password of a new key.
fn new_password(console: &Console) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(Zeroizing::new(password.into_bytes()));
    }
    let wrong = |message: &str| {
        Failure::new(Code::InvalidSettings, message).with_hint(
            "Set the environment variable COSIGN_PASSWORD, also to nothing, or run this on a \
             terminal to be asked.",
        )
    };
    if !may_ask(console) {
        return Err(wrong("there is no password for the new private key"));
    }
    let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Zeroizing::new);
    match (ask("Password for the private key (not shown): "), ask("The same again: ")) {
        (Ok(once), Ok(again)) if once == again => Ok(Zeroizing::new(once.as_bytes().to_vec())),
        (Ok(_), Ok(_)) => Err(wrong("the two passwords differ")),
        _ => Err(wrong("the password could not be asked for")),
    }
}

fn may_ask(console: &Console) -> bool {
    !console.json() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
