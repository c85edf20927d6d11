//! Key pairs: generates them, reads them from files of cosign and openssl, signs and verifies.
//!
//! A public key is accepted in one form only, an uncompressed point of P-256 in a `PUBLIC KEY`
//! block: two spellings of one key could be trusted and revoked separately.

use std::fmt;

use pem::Pem;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use zeroize::Zeroizing;

use super::encrypted::{self, Opened};
use crate::digest::Digest;

/// The bytes before the point in a public key of P-256 (RFC 5480).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const POINT: usize = 65;

/// Largest key file, in bytes: one has a few hundred.
pub const LARGEST_FILE: u64 = 16 * 1024;

const PUBLIC: &str = "PUBLIC KEY";
const PLAIN: &str = "PRIVATE KEY";
const SEALED: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    point: Vec<u8>,
}

/// A key pair.
pub struct KeyPair {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
}

/// Why a text is not a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has no block of the requested kind.
    #[error("it has no `{0}` block in PEM form")]
    NoBlock(&'static str),
    /// A private key instead of a public one.
    #[error("it has a private key in place of a public one")]
    PrivateInPlaceOfPublic,
    /// A key of another kind.
    #[error("its key is not an ECDSA P-256 key with its public half")]
    Kind,
    /// The password does not open it.
    #[error("the password does not open it")]
    Password,
    /// The machine gave no randomness.
    #[error("this machine gives no random numbers")]
    Randomness,
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` block.
    ///
    /// # Errors
    /// If there is none, or the key is of another kind.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::parse(text).map_err(|_| KeyError::NoBlock(PUBLIC))?;
        match block.tag() {
            PUBLIC => Self::from_der(block.contents()),
            tag if tag.ends_with(PLAIN) => Err(KeyError::PrivateInPlaceOfPublic),
            _ => Err(KeyError::NoBlock(PUBLIC)),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let point = der.strip_prefix(&SPKI_PREFIX[..]).ok_or(KeyError::Kind)?;
        if point.len() != POINT || point.first() != Some(&4) {
            return Err(KeyError::Kind);
        }
        Ok(Self { point: point.to_vec() })
    }

    /// The key as a `PUBLIC KEY` block, readable by cosign and openssl.
    #[must_use]
    pub fn to_pem(&self) -> String {
        encoded(PUBLIC, self.to_der())
    }

    /// The fingerprint of the key: the digest of its DER form, as `openssl pkey -pubin -outform DER
    /// | sha256sum` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.to_der())
    }

    /// Whether the DER signature over the message is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point)
            .verify(message, signature)
            .is_ok()
    }

    fn to_der(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.point].concat()
    }
}

impl KeyPair {
    /// Generates a new pair.
    ///
    /// # Errors
    /// If the machine gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| KeyError::Randomness)?;
        Self::from_pkcs8(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a private key: cosign's sealed form, for which it asks for the password, or plain
    /// PKCS#8.
    ///
    /// # Errors
    /// If there is none, it is of another kind, or the password does not open it.
    pub fn from_pem(
        text: &[u8],
        password: impl FnOnce() -> Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Self, KeyError> {
        let block = pem::parse(text).map_err(|_| KeyError::NoBlock(PLAIN))?;
        if SEALED.contains(&block.tag()) {
            let password = password().ok_or(KeyError::Password)?;
            return match encrypted::open(block.contents(), &password) {
                Some(Opened::Key(pkcs8)) => Self::from_pkcs8(pkcs8),
                Some(Opened::WrongPassword) => Err(KeyError::Password),
                None => Err(KeyError::Kind),
            };
        }
        if block.tag() != PLAIN {
            return Err(KeyError::NoBlock(PLAIN));
        }
        Self::from_pkcs8(Zeroizing::new(block.into_contents()))
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new())
                .map_err(|_| KeyError::Kind)?;
        Ok(Self { pair, pkcs8 })
    }

    /// The private key sealed with a password, readable by cosign.
    ///
    /// # Errors
    /// If the machine gives no randomness.
    pub fn to_sealed_pem(&self, password: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        let sealed = encrypted::seal(&self.pkcs8, password).ok_or(KeyError::Randomness)?;
        Ok(Zeroizing::new(encoded(SEALED[0], sealed)))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey { point: self.pair.public_key().as_ref().to_vec() }
    }

    /// Signs a message; the signature is DER.
    ///
    /// # Errors
    /// If the machine gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature =
            self.pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Randomness)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyPair({}, [redacted])", self.public().fingerprint())
    }
}

fn encoded(tag: &str, contents: Vec<u8>) -> String {
    let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&Pem::new(tag, contents), lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> impl FnOnce() -> Option<Zeroizing<Vec<u8>>> {
        let text = Zeroizing::new(text.as_bytes().to_vec());
        move || Some(text)
    }

    #[test]
    fn a_signature_is_verified_by_its_own_key_and_message_alone() {
        let (pair, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let signature = pair.sign(b"message").unwrap();
        assert!(pair.public().verifies(b"message", &signature));
        assert!(!pair.public().verifies(b"another", &signature));
        assert!(!other.public().verifies(b"message", &signature));
        assert!(!pair.public().verifies(b"message", b""));
    }

    #[test]
    fn a_sealed_key_is_opened_by_its_password_alone() {
        let pair = KeyPair::generate().unwrap();
        let sealed = pair.to_sealed_pem(b"open sesame").unwrap();
        assert!(sealed.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
        let opened = KeyPair::from_pem(sealed.as_bytes(), password("open sesame")).unwrap();
        assert_eq!(opened.public(), pair.public());
        assert_eq!(
            KeyPair::from_pem(sealed.as_bytes(), password("open")).unwrap_err(),
            KeyError::Password
        );
        assert_eq!(KeyPair::from_pem(sealed.as_bytes(), || None).unwrap_err(), KeyError::Password);
        assert!(!format!("{pair:?}").contains(&hex::encode(&*pair.pkcs8)));
    }

    #[test]
    fn a_public_key_has_one_spelling() {
        let key = KeyPair::generate().unwrap().public();
        let text = key.to_pem();
        assert_eq!(PublicKey::from_pem(&text), Ok(key.clone()));
        assert_eq!(PublicKey::from_pem("hello"), Err(KeyError::NoBlock(PUBLIC)));
        assert_eq!(
            PublicKey::from_pem(&text.replace("PUBLIC", "PRIVATE")),
            Err(KeyError::PrivateInPlaceOfPublic)
        );
        let compressed = [&SPKI_PREFIX[..], &[2], &key.point[1..33]].concat();
        for der in [compressed, key.point.clone(), [key.to_der(), vec![0]].concat()] {
            assert_eq!(PublicKey::from_der(&der), Err(KeyError::Kind));
        }
    }

    #[test]
    fn an_envelope_that_asks_for_too_much_work_is_refused() {
        let sealed = KeyPair::generate().unwrap().to_sealed_pem(b"x").unwrap();
        let envelope = pem::parse(sealed.as_bytes()).unwrap().into_contents();
        let text = String::from_utf8(envelope).unwrap();
        for (from, to) in [
            ("65536", "1073741824"),
            ("65536", "65535"),
            ("\"r\":8", "\"r\":8000"),
            ("scrypt", "none"),
        ] {
            let changed = text.replace(from, to);
            assert!(changed != text && encrypted::open(changed.as_bytes(), b"x").is_none(), "{to}");
        }
    }
}
