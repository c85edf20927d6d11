//! A secret's value, from its input to its header. It is never printed, and wiped when it is
//! dropped.

use std::fmt;

use zeroize::Zeroizing;

/// Longest secret, in bytes: common servers refuse longer headers anyway.
const LONGEST: usize = 4096;

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
    /// It contains a character that no key has.
    #[error("it has a space, a line break or another character that no key has")]
    Character,
    /// It is longer than any key.
    #[error("it is longer than {LONGEST} characters")]
    TooLong,
}

impl Secret {
    /// Takes a secret as it was entered, without surrounding white space.
    ///
    /// # Errors
    /// If it cannot be sent in a header.
    pub fn new(text: String) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text);
        let value = Zeroizing::new(text.trim().to_owned());
        if value.is_empty() {
            return Err(SecretError::Empty);
        }
        if value.len() > LONGEST {
            return Err(SecretError::TooLong);
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Character);
        }
        Ok(Self { value })
    }

    /// The value itself, only for the header.
    pub(crate) fn expose(&self) -> &str {
        &self.value
    }
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
        let secret = Secret::new(" ATCTT3x=\n".into()).unwrap();
        assert_eq!(secret.expose(), "ATCTT3x=");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        for (text, error) in [
            ("", SecretError::Empty),
            (" \n", SecretError::Empty),
            ("two words", SecretError::Character),
            ("line\r\nX-Evil: 1", SecretError::Character),
            ("schlüssel", SecretError::Character),
        ] {
            assert_eq!(Secret::new(text.into()).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(Secret::new("a".repeat(LONGEST + 1)).unwrap_err(), SecretError::TooLong);
    }
}
