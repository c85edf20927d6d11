//! A secret's value, from its input to its header. It is never printed, and wiped when it is
//! dropped.

use std::fmt;

use zeroize::Zeroizing;

use crate::pasted::{self, Pasted};

/// Longest secret, in bytes: common servers refuse longer headers anyway.
const LONGEST: usize = 4096;

/// Shortest secret, in bytes. A shorter one occurs in answers by chance, and cannot be redacted
/// from them without destroying them. Keys are several times as long.
pub const SHORTEST: usize = 8;

/// A secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: Zeroizing<String>,
}

/// Why a text cannot be a secret in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is more than the secret, or something else.
    #[error(transparent)]
    Pasted(#[from] Pasted),
    /// It contains a character that no key has.
    #[error("it has a character that no key has")]
    Character,
    /// It is shorter than any key.
    #[error(
        "it has fewer than {SHORTEST} characters, and so short a text cannot be redacted from \
         answers"
    )]
    TooShort,
    /// It is longer than any key.
    #[error("it is longer than {LONGEST} characters")]
    TooLong,
}

impl Secret {
    /// Takes a secret as it was entered, without white space and invisible characters around it.
    ///
    /// # Errors
    /// If it cannot be sent in a header.
    pub fn new(text: String) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text);
        let value = Zeroizing::new(pasted::trimmed(&text).to_owned());
        if value.is_empty() {
            return Err(SecretError::Empty);
        }
        if value.len() > LONGEST {
            return Err(SecretError::TooLong);
        }
        if let Some(pasted) = pasted::beside_a_secret(&value) {
            return Err(pasted.into());
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Character);
        }
        if value.len() < SHORTEST {
            return Err(SecretError::TooShort);
        }
        Ok(Self { value })
    }

    /// The value itself, only for the header.
    pub(crate) fn expose(&self) -> &str {
        &self.value
    }
}

/// Forbids dumps of this process's memory for as long as it lives: a crash, or a signal that a
/// terminal sends, would write the secrets in it to a file. Call it before a secret is read. On
/// Linux, other processes of this user cannot read its memory either.
///
/// # Errors
/// If the system refuses.
pub fn forbid_memory_dumps() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_trimmed_and_never_shown() {
        let secret = Secret::new("\u{feff} ATCTT3x=\u{a0}\n".into()).unwrap();
        assert_eq!(secret.expose(), "ATCTT3x=");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        for (text, error) in [
            ("", SecretError::Empty),
            (" \n", SecretError::Empty),
            ("two words", SecretError::Pasted(Pasted::Space)),
            ("line\r\nX-Evil: 1", SecretError::Pasted(Pasted::Lines)),
            ("\"ATCTT3xFf\"", SecretError::Pasted(Pasted::Quotes)),
            ("schlüssel", SecretError::Character),
            ("k", SecretError::TooShort),
            ("1234567", SecretError::TooShort),
        ] {
            assert_eq!(Secret::new(text.into()).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(Secret::new("a".repeat(LONGEST + 1)).unwrap_err(), SecretError::TooLong);
    }
}
