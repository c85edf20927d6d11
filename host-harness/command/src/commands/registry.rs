//! Arguments that `push`, `pull`, `sign` and `verify` share: the package or artifact, and the
//! connection to its registry.

use std::path::{Path, PathBuf};

use clap::Args;
use smp_distribution::file;
use smp_distribution::metadata::Identity;
use smp_distribution::registry::login::{Login, Stored};
use smp_distribution::registry::reference::Reference;
use smp_distribution::registry::repository::{Options, Repository};
use smp_host::failure::{Code, Failure};
use smp_host::http::origin::Origin;
use zeroize::Zeroizing;

use super::Exit;
use super::console::Console;
use super::source::USER_AGENT;

/// Largest file of certificates, in bytes.
const LARGEST_CERTIFICATES: u64 = 1024 * 1024;

/// The connection to a registry.
#[derive(Debug, Args)]
pub(crate) struct RegistryArguments {
    /// Use plain http for the registry: only on this machine.
    #[arg(long, help_heading = "Registry")]
    plain_http: bool,
    /// Trust the certificates in this file in addition to the system's.
    #[arg(long, value_name = "PEM", help_heading = "Registry")]
    ca_file: Option<PathBuf>,
    /// Let the registry redirect to this origin although its address is private: its token service
    /// or its storage. May be repeated.
    #[arg(long, value_name = "URL", value_parser = origin, help_heading = "Registry")]
    allow_origin: Vec<Origin>,
}

/// The subject of a command.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A folder, or a file.
    Path(PathBuf),
    /// An artifact in a registry.
    Artifact(Reference),
}

impl RegistryArguments {
    /// The repository of a reference, with the login for it.
    pub(crate) fn repository(&self, reference: Reference) -> Result<Repository, Failure> {
        let extra_roots = match &self.ca_file {
            None => None,
            Some(path) => Some(file::read_named(path, LARGEST_CERTIFICATES).map_err(|error| {
                Failure::new(
                    Code::InvalidSettings,
                    format!("`--ca-file`: `{}` cannot be used: {error}", path.display()),
                )
                .with_hint("Correct the file or its path, and run the command again.")
            })?),
        };
        let Stored { login, fault: no_login } = match environment()? {
            Some(login) => Stored { login: Some(login), fault: None },
            None => Stored::of_user(&reference),
        };
        let (plain_http, allowed, user_agent) =
            (self.plain_http, self.allow_origin.clone(), USER_AGENT.to_owned());
        let options = Options { plain_http, extra_roots, allowed, login, no_login, user_agent };
        Repository::new(reference, &options)
    }
}

/// Tells of a stored login that was in the way, or that cannot be read.
pub(crate) fn note_login(repository: &Repository, console: &Console) {
    if repository.login_is_stale() {
        console.note(&format!(
            "note: {} does not accept your login. It was not needed: log in again, or log out.",
            repository.reference().registry()
        ));
    }
    if let Some(fault) = repository.unread_login() {
        let hint = fault.hint.as_deref().unwrap_or_default();
        console.note(&format!("note: {}. It was not needed. {hint}", fault.message));
    }
}

/// The login in the environment.
fn environment() -> Result<Option<Login>, Failure> {
    let variable =
        |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new);
    if let Some(token) = variable("SMP_REGISTRY_TOKEN") {
        return Ok(Some(Login::Token(token)));
    }
    match (variable("SMP_REGISTRY_USER"), variable("SMP_REGISTRY_PASSWORD")) {
        (Some(user), Some(password)) => {
            Ok(Some(Login::Password { user: user.to_string(), password }))
        }
        (None, None) => Ok(None),
        _ => Err(Failure::new(
            Code::InvalidSettings,
            "only one of SMP_REGISTRY_USER and SMP_REGISTRY_PASSWORD is set",
        )
        .with_hint("Set both, or neither: then the logins of Docker and Podman are used.")),
    }
}

/// Reads a reference, as the value of an argument.
pub(crate) fn reference(text: &str) -> Result<Reference, String> {
    Reference::parse(text).map_err(|error| error.to_string())
}

/// Parses a path or a reference: if it exists, it is a path.
pub(crate) fn subject(text: &str) -> Result<Subject, String> {
    if Path::new(text).exists() {
        return Ok(Subject::Path(text.into()));
    }
    Reference::parse(text).map(Subject::Artifact).map_err(|error| {
        format!("there is no such folder or file, and it is not a reference: {error}")
    })
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text).map_err(|error| error.to_string())
}

/// The exit of a command that could not do its work: a request that is impossible is wrong usage.
pub(crate) fn ended(failure: &Failure, console: &Console) -> Exit {
    if failure.code == Code::InvalidSettings {
        console.wrong_usage(failure)
    } else {
        console.failed(failure)
    }
}

/// An id and a version for JSON: null if a file does not give them.
pub(crate) fn told(identity: Option<&Identity>) -> (Option<String>, Option<String>) {
    (
        identity.map(|identity| identity.id.clone()),
        identity.map(|identity| identity.version.to_string()),
    )
}
