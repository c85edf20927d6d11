//! The login to a registry. It is never shown, and wiped when it is dropped.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::reference::Reference;
use crate::file;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// Largest configuration of Docker, in bytes: room for some dozen logins.
const LARGEST_CONFIG: u64 = 1024 * 1024;

/// A login.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A name and a password, or a replacement that the registry gave.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// A token that the registry's token service exchanges for another.
    Identity(Zeroizing<String>),
    /// A token for the registry itself.
    Token(Zeroizing<String>),
}

/// What the files with logins have for a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The login.
    pub login: Option<Login>,
    /// Why one cannot be read, if there is no other: a fault only where a login is required.
    pub fault: Option<Failure>,
}

impl Stored {
    /// The login for a repository that the user of this process keeps with Docker or Podman.
    #[must_use]
    pub fn of_user(reference: &Reference) -> Self {
        Self::of_files(reference, &login_files())
    }

    /// The login for a repository in the first of these files that has one: in the form of Docker's
    /// `config.json`, which Podman's `auth.json` has too, or in a credential helper that the file
    /// names.
    ///
    /// A login that cannot be read is a fault only if the registry requires one: most pulls need
    /// none. Its message repeats nothing of the file's content but the helper's name.
    #[must_use]
    pub fn of_files(reference: &Reference, files: &[PathBuf]) -> Self {
        let mut fault = None;
        for file in files {
            match of_file(reference, file) {
                Ok(None) => {}
                Ok(login) => return Self { login, fault: None },
                Err(failure) => {
                    fault.get_or_insert(failure);
                }
            }
        }
        Self { login: None, fault }
    }
}

/// The files that Docker and Podman keep logins in, in the order in which they are asked. A file
/// that the user named for this is the only one.
fn login_files() -> Vec<PathBuf> {
    let variable =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = variable("REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    let home = || variable("HOME");
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(home()?.join(".docker")));
    let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")));
    let podman = [variable("XDG_RUNTIME_DIR"), config].into_iter().flatten();
    let docker = docker.map(|folder| folder.join("config.json")).into_iter();
    docker.chain(podman.map(|folder| folder.join("containers/auth.json"))).collect()
}

fn of_file(reference: &Reference, path: &Path) -> Result<Option<Login>, Failure> {
    let unusable = |what: &str| unusable(path, what);
    let config = match file::read_named(path, LARGEST_CONFIG) {
        Ok(config) => Zeroizing::new(config),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&error.to_string())),
    };
    let names: Names =
        serde_json::from_slice(&config).map_err(|_| unusable("it is not a valid configuration"))?;
    // Podman keeps logins of a part of a registry too. The most specific one counts.
    let repository = reference.repository();
    let parts = repository.match_indices('/').map(|(end, _)| end).chain([repository.len()]);
    let parts: Vec<_> = parts.filter_map(|end| repository.get(..end)).collect();
    let known = parts.into_iter().rev().find(|part| names.auths.contains_key(*part));
    let name = known.unwrap_or(reference.login_name());
    match docker_credential::get_credential_from_reader(config.as_slice(), name) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(Login::Password { user, password: password.into() }))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Login::Identity(token.into()))),
        Err(
            CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::NoCredentialConfigured,
        ) => Ok(None),
        // A helper that has no login for a registry ends as a failed one.
        Err(CredentialRetrievalError::HelperFailure { .. }) => Ok(None),
        Err(CredentialRetrievalError::HelperCommunicationError) => {
            let helper = names.cred_helpers.get(name).or(names.creds_store.as_ref());
            let helper = smp_host::text::shortened(helper.map_or("", String::as_str), 100);
            Err(unusable(&format!(
                "its credential helper `docker-credential-{helper}` cannot be started"
            )))
        }
        Err(CredentialRetrievalError::MalformedHelperResponse) => {
            Err(unusable("its credential helper gives no login"))
        }
        Err(CredentialRetrievalError::ConfigReadError) => {
            Err(unusable("it is not a valid configuration"))
        }
        Err(_) => Err(unusable("the login in it cannot be read")),
    }
}

/// The names in a file with logins.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    #[serde(default)]
    auths: BTreeMap<String, IgnoredAny>,
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

fn unusable(path: &Path, what: &str) -> Failure {
    let path = path.to_string_lossy();
    let path = smp_host::text::shortened(&path, 200);
    Failure::new(Code::Credentials, format!("`{path}` has no login that can be used: {what}"))
        .with_remedy(Remedy::LogIn)
        .with_hint("Log in again, or correct that file.")
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_with_a_login_counts_and_a_fault_only_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let reference = Reference::parse("quay.test/team/app:1").unwrap();
        let auth = |key: &str, user: &str| {
            let auth = base64::Engine::encode(
                &base64::engine::general_purpose::STANDARD,
                format!("{user}:secret"),
            );
            format!("\"{key}\":{{\"auth\":\"{auth}\"}}")
        };
        let auths = |all: &[String]| format!("{{\"auths\":{{{}}}}}", all.join(","));
        let missing = "{\"credsStore\":\"gone-x\"}".to_owned();
        for (texts, user, fault) in [
            (vec![], None, None),
            (vec![auths(&[auth("quay.test", "a")])], Some("a"), None),
            (vec![auths(&[auth("https://quay.test", "a")])], Some("a"), None),
            (vec![auths(&[auth("quay.test", "a"), auth("quay.test/team", "b")])], Some("b"), None),
            (
                vec![auths(&[auth("quay.test/team/app", "c"), auth("quay.test/team", "b")])],
                Some("c"),
                None,
            ),
            (vec![auths(&[auth("quay.test/other", "b")])], None, None),
            (vec![auths(&[]), auths(&[auth("quay.test", "a")])], Some("a"), None),
            (vec![missing.clone(), auths(&[auth("quay.test", "a")])], Some("a"), None),
            (vec![missing], None, Some("`docker-credential-gone-x` cannot be started")),
            (vec!["{".into()], None, Some("is not a valid configuration")),
        ] {
            let files: Vec<_> = (0..3).map(|at| folder.path().join(at.to_string())).collect();
            files.iter().for_each(|file| drop(std::fs::remove_file(file)));
            for (file, text) in files.iter().zip(&texts) {
                std::fs::write(file, text).unwrap();
            }
            let stored = Stored::of_files(&reference, &files);
            let found = stored.login.map(|login| match login {
                Login::Password { user, .. } => user,
                _ => String::new(),
            });
            assert_eq!(found.as_deref(), user, "{texts:?}");
            let said = stored.fault.map(|fault| fault.message);
            let is_so = match fault {
                None => said.is_none(),
                Some(words) => said.as_deref().is_some_and(|said| said.contains(words)),
            };
            assert!(is_so, "{texts:?}: {said:?}");
        }
    }

    #[test]
    fn a_login_is_not_shown() {
        let login =
            Login::Password { user: "me".into(), password: "open sesame".to_owned().into() };
        assert_eq!(
            format!("{login:?} {:?}", Login::Token("abc".to_owned().into())),
            "[redacted] [redacted]"
        );
    }
}
