//! One sealed secret: AES-256-GCM with a data key of its own, which a wrapping key wraps.
//!
//! `text` is a nonce (12 bytes) and the encrypted secret. `wrapped` is the data key, as a Vault
//! wrapped it, or by a key file: the wrapping key's id (8 bytes), a nonce and the encrypted data
//! key. What is bound to each is written with lengths, so that no two contexts are the same bytes.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::problem::Problem;

/// Bytes of a key.
pub const KEY: usize = 32;
/// Bytes of a wrapping key's id.
pub const ID: usize = 8;

/// A key, wiped when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; KEY]>);

/// What a secret belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The connection.
    pub connection: &'a str,
    /// The setting.
    pub setting: &'a str,
    /// The version of the secret.
    pub version: i64,
}

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The data key, wrapped.
    pub wrapped: Vec<u8>,
    /// The secret, encrypted with the data key.
    pub text: Vec<u8>,
}

impl Key {
    /// A new key.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn random() -> Result<Self, Problem> {
        let mut bytes = Zeroizing::new([0; KEY]);
        SystemRandom::new().fill(&mut *bytes).map_err(|_| no_randomness())?;
        Ok(Self(bytes))
    }

    /// The key of these bytes; `None` if it is not as long as a key.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Its bytes, for the key file.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Its id: the beginning of its hash.
    #[must_use]
    pub fn id(&self) -> [u8; ID] {
        let mut id = [0; ID];
        let hash = Sha256::new().chain_update(b"smp wrapping key").chain_update(*self.0).finalize();
        for (to, from) in id.iter_mut().zip(hash) {
            *to = from;
        }
        id
    }

    fn aead(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &*self.0).ok().map(LessSafeKey::new)
    }

    fn encrypt(&self, bound: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = Zeroizing::new(text.to_vec());
        let (key, nonce_of) = (self.aead()?, Nonce::assume_unique_for_key(nonce));
        key.seal_in_place_append_tag(nonce_of, Aad::from(bound), &mut *sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    fn decrypt(&self, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.aead()?.open_in_place(nonce, Aad::from(bound), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl Context<'_> {
    fn bound(&self) -> Vec<u8> {
        let version = self.version.to_string();
        let mut bound = b"smp secret 1".to_vec();
        for text in [self.tenant, self.connection, self.setting, &version] {
            bound.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            bound.extend(text.as_bytes());
        }
        bound
    }
}

/// Seals a secret.
///
/// # Errors
/// If the machine gives no random numbers.
pub fn seal(wrapping: &Key, context: &Context<'_>, secret: &[u8]) -> Result<Sealed, Problem> {
    let data = Key::random()?;
    let text = encrypted(&data, context, secret)?;
    let wrapped = wrap(wrapping, &data, &text).ok_or_else(no_randomness)?;
    Ok(Sealed { wrapped, text })
}

/// A secret, encrypted with a data key.
///
/// # Errors
/// If the machine gives no random numbers.
pub(super) fn encrypted(
    data: &Key,
    context: &Context<'_>,
    secret: &[u8],
) -> Result<Vec<u8>, Problem> {
    data.encrypt(&context.bound(), secret).ok_or_else(no_randomness)
}

/// A secret that was encrypted with a data key; `None` if anything of it does not agree.
pub(super) fn decrypted(
    data: &Key,
    context: &Context<'_>,
    text: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    data.decrypt(&context.bound(), text)
}

/// Opens a secret; `None` if anything of it does not agree.
#[must_use]
pub fn unseal(
    wrapping: &Key,
    context: &Context<'_>,
    sealed: &Sealed,
) -> Option<Zeroizing<Vec<u8>>> {
    decrypted(&unwrap_key(wrapping, sealed)?, context, &sealed.text)
}

/// The data key, wrapped by another key; `None` if `old` did not wrap it.
#[must_use]
pub fn rewrapped(old: &Key, new: &Key, sealed: &Sealed) -> Option<Vec<u8>> {
    wrap(new, &unwrap_key(old, sealed)?, &sealed.text)
}

/// The data key is bound to the text that it encrypts.
fn wrap(wrapping: &Key, data: &Key, text: &[u8]) -> Option<Vec<u8>> {
    let wrapped = wrapping.encrypt(&Sha256::digest(text), data.bytes())?;
    Some([&wrapping.id()[..], &wrapped].concat())
}

/// The data key; `None` if this key did not wrap it.
pub(super) fn unwrap_key(wrapping: &Key, sealed: &Sealed) -> Option<Key> {
    let wrapped = sealed.wrapped.strip_prefix(&wrapping.id())?;
    Key::of(&wrapping.decrypt(&Sha256::digest(&sealed.text), wrapped)?)
}

fn no_randomness() -> Problem {
    Problem::broken("the machine gives no random numbers").hint("Restart the machine.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const HOME: Context<'_> =
        Context { tenant: "acme", connection: "c1", setting: "api-key", version: 1 };

    #[test]
    fn a_secret_opens_only_where_it_belongs() {
        let key = Key::random().unwrap();
        let sealed = seal(&key, &HOME, b"ATCTT3xFfGN0").unwrap();
        assert_eq!(**unseal(&key, &HOME, &sealed).unwrap(), b"ATCTT3xFfGN0"[..]);
        for elsewhere in [
            Context { tenant: "other", ..HOME },
            Context { connection: "c2", ..HOME },
            Context { setting: "api-keys", ..HOME },
            Context { version: 2, ..HOME },
            // The same letters, parted at another place.
            Context { tenant: "acmec", connection: "1", ..HOME },
        ] {
            assert_eq!(unseal(&key, &elsewhere, &sealed), None, "{elsewhere:?}");
        }
        assert_eq!(unseal(&Key::random().unwrap(), &HOME, &sealed), None);
    }

    #[test]
    fn a_changed_bit_does_not_open() {
        let key = Key::random().unwrap();
        let sealed = seal(&key, &HOME, b"secret").unwrap();
        for at in 0..sealed.text.len() {
            let mut changed = sealed.clone();
            changed.text[at] ^= 1;
            assert_eq!(unseal(&key, &HOME, &changed), None, "text {at}");
        }
        for at in 0..sealed.wrapped.len() {
            let mut changed = sealed.clone();
            changed.wrapped[at] ^= 1;
            assert_eq!(unseal(&key, &HOME, &changed), None, "wrapped {at}");
        }
        let other = seal(&key, &HOME, b"secret").unwrap();
        let mixed = Sealed { wrapped: other.wrapped, text: sealed.text };
        assert_eq!(unseal(&key, &HOME, &mixed), None);
    }

    #[test]
    fn another_wrapping_opens_the_same_secret() {
        let (old, new) = (Key::random().unwrap(), Key::random().unwrap());
        let sealed = seal(&old, &HOME, b"secret").unwrap();
        let wrapped = rewrapped(&old, &new, &sealed).unwrap();
        let moved = Sealed { wrapped, text: sealed.text.clone() };
        assert_eq!(**unseal(&new, &HOME, &moved).unwrap(), b"secret"[..]);
        assert_eq!(unseal(&old, &HOME, &moved), None);
        assert_eq!(rewrapped(&new, &old, &sealed), None);
    }
}
