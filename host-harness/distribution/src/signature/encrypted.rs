//! The envelope of cosign's private keys: scrypt derives a key from the password, and NaCl's secret
//! box seals with it.
//!
//! It is the JSON of the package `encrypted` of go-securesystemslib, which cosign uses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{Key, KeyInit, Nonce, XSalsa20Poly1305};
use rand::Rng as _;
use scrypt::{Params, scrypt};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Logarithm of the work to derive a key from a password: cosign's present value.
const USUAL_WORK: u8 = 16;
/// The least and the most work that a file may ask for: all values that cosign has used, and the
/// double.
const WORK: std::ops::RangeInclusive<u8> = 14..=17;

#[derive(Serialize, Deserialize)]
struct Envelope {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Work,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Work {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Seals a private key. `None` if the machine has no randomness or the parameters are invalid,
/// which does not happen.
pub(super) fn seal(plain: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    let (mut salt, mut nonce) = ([0_u8; 32], [0_u8; 24]);
    rand::rng().fill_bytes(&mut salt);
    rand::rng().fill_bytes(&mut nonce);
    let key = derive(password, &salt, USUAL_WORK, 8, 1)?;
    let sealed = XSalsa20Poly1305::new(Key::from_slice(&*key))
        .encrypt(Nonce::from_slice(&nonce), plain)
        .ok()?;
    let envelope = Envelope {
        kdf: Kdf {
            name: "scrypt".into(),
            params: Work { n: 1 << USUAL_WORK, r: 8, p: 1 },
            salt: STANDARD.encode(salt),
        },
        cipher: Cipher { name: "nacl/secretbox".into(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(sealed),
    };
    serde_json::to_vec(&envelope).ok()
}

/// Opens a sealed private key. `None` if it is not such an envelope.
pub(super) fn open(sealed: &[u8], password: &[u8]) -> Option<Opened> {
    let envelope: Envelope = serde_json::from_slice(sealed).ok()?;
    let known = envelope.kdf.name == "scrypt" && envelope.cipher.name == "nacl/secretbox";
    let Work { n, r, p } = envelope.kdf.params;
    let work = u8::try_from(n.checked_ilog2()?)
        .ok()
        .filter(|work| WORK.contains(work) && n.is_power_of_two())?;
    if !known || r != 8 || p != 1 {
        return None;
    }
    let (salt, nonce) =
        (STANDARD.decode(envelope.kdf.salt).ok()?, STANDARD.decode(envelope.cipher.nonce).ok()?);
    let ciphertext = STANDARD.decode(envelope.ciphertext).ok()?;
    let nonce: [u8; 24] = nonce.try_into().ok()?;
    let key = derive(password, &salt, work, r, p)?;
    let plain = XSalsa20Poly1305::new(Key::from_slice(&*key))
        .decrypt(Nonce::from_slice(&nonce), ciphertext.as_slice());
    Some(plain.map_or(Opened::WrongPassword, |plain| Opened::Key(Zeroizing::new(plain))))
}

/// The result of opening.
pub(super) enum Opened {
    /// The private key, PKCS#8.
    Key(Zeroizing<Vec<u8>>),
    /// The password is wrong, or the file was changed.
    WrongPassword,
}

fn derive(password: &[u8], salt: &[u8], work: u8, r: u32, p: u32) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0_u8; 32]);
    scrypt(password, salt, &Params::new(work, r, p, 32).ok()?, &mut *key).ok()?;
    Some(key)
}
