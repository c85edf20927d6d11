//! Signatures in cosign's format, with a key pair: ECDSA over P-256 with SHA-256.
//!
//! A folder is signed by a signature over its `SHA256SUMS`, which `cosign verify-blob` accepts; an
//! artifact in a registry by one over a [`payload`] that names its digest. The [`bundle`]s of
//! cosign 3 are read too. Keyless signatures are not: they need Sigstore's roots and a second
//! backend of cryptography (docs/decisions/0014).

pub mod bundle;
pub mod key;
pub mod payload;

mod encrypted;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A signature as text: base64 of DER, in cosign's form.
#[must_use]
pub fn to_text(signature: &[u8]) -> String {
    STANDARD.encode(signature)
}

/// Reads a signature from its text, with or without a line break at its end.
#[must_use]
pub fn from_text(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim_ascii()).ok().filter(|signature| !signature.is_empty())
}
