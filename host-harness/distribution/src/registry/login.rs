//! The login to a registry. It is never shown, and wiped when it is dropped.

use std::fmt;
use std::io;
use std::path::Path;

use docker_credential::{CredentialRetrievalError, DockerCredential};
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

impl Login {
    /// The login for the registry in Docker's configuration in this folder, stored there or in a
    /// credential helper. `None` if there is none.
    ///
    /// # Errors
    /// `credentials` if the configuration or the helper cannot be used. The message repeats nothing
    /// of their content.
    pub fn of_docker(reference: &Reference, folder: &Path) -> Result<Option<Self>, Failure> {
        let config = match file::read_named(&folder.join("config.json"), LARGEST_CONFIG) {
            Ok(config) => Zeroizing::new(config),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(reference, &error.to_string())),
        };
        match docker_credential::get_credential_from_reader(
            config.as_slice(),
            reference.login_name(),
        ) {
            Ok(DockerCredential::UsernamePassword(user, password)) => {
                Ok(Some(Self::Password { user, password: password.into() }))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Self::Identity(token.into()))),
            Err(
                CredentialRetrievalError::ConfigNotFound
                | CredentialRetrievalError::NoCredentialConfigured,
            ) => Ok(None),
            // A helper that has no login for a registry ends as a failed one.
            Err(CredentialRetrievalError::HelperFailure { .. }) => Ok(None),
            Err(error) => {
                let what = match error {
                    CredentialRetrievalError::HelperCommunicationError => {
                        "its credential helper cannot be started"
                    }
                    CredentialRetrievalError::MalformedHelperResponse => {
                        "its credential helper gives no login"
                    }
                    CredentialRetrievalError::ConfigReadError => "it is not a valid configuration",
                    _ => "the login in it cannot be read",
                };
                Err(unusable(reference, what))
            }
        }
    }
}

fn unusable(reference: &Reference, what: &str) -> Failure {
    Failure::new(
        Code::Credentials,
        format!("Docker's configuration has no usable login for {}: {what}", reference.registry()),
    )
    .with_remedy(Remedy::LogIn)
    .with_hint("Log in again, or correct `config.json`.")
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
    fn a_login_is_not_shown() {
        let login =
            Login::Password { user: "me".into(), password: "open sesame".to_owned().into() };
        assert_eq!(
            format!("{login:?} {:?}", Login::Token("abc".to_owned().into())),
            "[redacted] [redacted]"
        );
    }
}
