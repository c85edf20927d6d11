//! The digest that identifies content: SHA-256, as registries and checksum files write it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

/// The digest of content: `sha256:` and 64 hexadecimal digits. No other algorithm is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    hex: String,
}

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { hex: hex::encode(<Sha256 as sha2::Digest>::digest(bytes)) }
    }

    /// Reads `sha256:…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_hex(text.strip_prefix("sha256:")?)
    }

    /// Reads 64 digits, in lower case.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let lower = digits.len() == 64
            && digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
        lower.then(|| Self { hex: digits.to_owned() })
    }

    /// The digits without the prefix.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The tag that replaces the digest if a registry does not support referrers: `sha256-…`.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("sha256-{}", self.hex)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hex)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("a digest is `sha256:` and 64 digits, a to f in lower case")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_one_algorithm_and_one_spelling() {
        let digest = Digest::of(b"{}");
        let text = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(
            (digest.to_string().as_str(), Digest::parse(text)),
            (text, Some(digest.clone()))
        );
        assert_eq!(digest.tag(), text.replace(':', "-"));
        for other in [
            "",
            "sha256:",
            &text[..70],
            &text.to_uppercase(),
            &text.replace("sha256", "sha512"),
            &format!("{text}0"),
        ] {
            assert_eq!(Digest::parse(other), None, "{other}");
        }
    }
}
