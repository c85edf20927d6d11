//! Reads a Sigstore bundle, in which cosign 3 keeps its signatures, and verifies it with a key
//! (<https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto>).
//!
//! Read are a signature over the content itself (`cosign sign-blob`) and one over an in-toto
//! statement that names its digest (`cosign sign`). Not read are certificates, which take the place
//! of a key in keyless signatures, entries of transparency logs and timestamps: they need
//! Sigstore's roots, and a key pair needs none of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::digest::Digest;

/// Largest bundle, in bytes: one with a certificate and proofs has some ten thousand.
pub const LARGEST: u64 = 128 * 1024;
/// Most signatures of a statement that are verified.
const MOST_SIGNATURES: usize = 8;
/// Most artifacts that a statement may name.
const MOST_SUBJECTS: usize = 64;

/// The beginning of every version's media type.
const TYPE: &str = "application/vnd.dev.sigstore.bundle";
/// The type of the signed statement.
const STATEMENT: &str = "application/vnd.in-toto+json";
/// The kinds of statement.
const STATEMENTS: [&str; 2] =
    ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// What a statement says that is a signature. Others may say that the artifact has a flaw.
const SIGNS: &str = "https://sigstore.dev/cosign/sign/v1";

/// The result of verifying a bundle.
#[derive(Clone, Copy, Debug)]
pub enum Vouched<S> {
    /// A trusted key signed this content.
    By(S),
    /// A trusted key signed other content.
    ForOther,
    /// No trusted key signed it.
    Unknown,
    /// It has a certificate in place of a key.
    Keyless,
    /// It is not a bundle, or of a form that is not read.
    Unread,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    message_signature: Option<Message>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<serde::de::IgnoredAny>,
    x509_certificate_chain: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Message {
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digests,
}

#[derive(Deserialize)]
struct Digests {
    sha256: Option<String>,
}

/// Whether the media type is a bundle's.
#[must_use]
pub fn is_type(media_type: &str) -> bool {
    media_type.starts_with(TYPE)
}

/// Who vouches for the content with this bundle. `signer` finds whose signature of a message it is,
/// among those that are trusted.
#[must_use]
pub fn vouched<S>(
    signer: impl Fn(&[u8], &[u8]) -> Option<S>,
    bundle: &[u8],
    content: &[u8],
) -> Vouched<S> {
    let Ok(bundle) = serde_json::from_slice::<Bundle>(bundle) else { return Vouched::Unread };
    let material = &bundle.verification_material;
    if !is_type(&bundle.media_type) {
        return Vouched::Unread;
    }
    if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
        return Vouched::Keyless;
    }
    match (bundle.message_signature, bundle.dsse_envelope) {
        (Some(Message { signature }), None) => {
            let Ok(signature) = STANDARD.decode(signature) else { return Vouched::Unread };
            signer(content, &signature).map_or(Vouched::Unknown, Vouched::By)
        }
        (None, Some(envelope)) => stated(signer, &envelope, content),
        _ => Vouched::Unread,
    }
}

/// Who vouches for the content with a signed statement.
fn stated<S>(
    signer: impl Fn(&[u8], &[u8]) -> Option<S>,
    envelope: &Envelope,
    content: &[u8],
) -> Vouched<S> {
    let Ok(payload) = STANDARD.decode(&envelope.payload) else { return Vouched::Unread };
    let signed = encoded(&envelope.payload_type, &payload);
    let signatures = envelope.signatures.iter().take(MOST_SIGNATURES);
    let mut signatures = signatures.filter_map(|signature| STANDARD.decode(&signature.sig).ok());
    let Some(signer) = signatures.find_map(|signature| signer(&signed, &signature)) else {
        return Vouched::Unknown;
    };
    let read = serde_json::from_slice::<Statement>(&payload);
    let Ok(statement) = read.map_err(drop).and_then(|it| {
        let is_signature = it.predicate_type == SIGNS && STATEMENTS.contains(&it.kind.as_str());
        (is_signature && envelope.payload_type == STATEMENT).then_some(it).ok_or(())
    }) else {
        return Vouched::Unread;
    };
    let digest = Digest::of(content);
    let mut named = statement.subject.iter().take(MOST_SUBJECTS);
    if named.any(|subject| subject.digest.sha256.as_deref() == Some(digest.hex())) {
        Vouched::By(signer)
    } else {
        Vouched::ForOther
    }
}

/// The signed bytes of an envelope
/// (<https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>).
fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::key::KeyPair;
    use serde_json::{Value, json};

    /// Trusts this key alone.
    fn policy(key: &KeyPair) -> impl Fn(&[u8], &[u8]) -> Option<()> {
        let key = key.public();
        move |message, signature| key.verifies(message, signature).then_some(())
    }

    fn bundle(version: &str, material: Value, content: Value) -> Value {
        let mut bundle = json!({ "mediaType": version, "verificationMaterial": material });
        bundle.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        bundle
    }

    fn message(key: &KeyPair, content: &[u8]) -> Value {
        let digest = STANDARD.encode(hex::decode(Digest::of(content).hex()).unwrap());
        json!({ "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_256", "digest": digest },
            "signature": STANDARD.encode(key.sign(content).unwrap()),
        } })
    }

    fn statement(key: &KeyPair, content: &[u8], predicate: &str, kind: &str) -> Value {
        let payload = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": Digest::of(content).hex() }, "annotations": {} }],
            "predicateType": predicate,
            "predicate": {},
        });
        let payload = payload.to_string();
        let sig = STANDARD.encode(key.sign(&encoded(kind, payload.as_bytes())).unwrap());
        json!({ "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": kind,
            "signatures": [{ "sig": sig, "keyid": "" }],
        } })
    }

    #[test]
    fn the_forms_of_cosign_are_read_and_a_key_vouches_for_its_content_alone() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let policy = policy(&key);
        let v3 = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let by_key = json!({ "publicKey": { "hint": "x" }, "tlogEntries": [{ "logIndex": "1" }] });
        let certified = json!({ "certificate": { "rawBytes": "AAAA" } });
        let chained = json!({ "x509CertificateChain": { "certificates": [] } });
        let flaw = "https://example.test/flaw/v1";
        let signs = |content: &[u8]| statement(&key, content, SIGNS, STATEMENT);
        for (name, bundle, expected) in [
            ("message", bundle(v3, by_key.clone(), message(&key, b"it")), "by"),
            (
                "message of version 0.1",
                bundle(
                    "application/vnd.dev.sigstore.bundle+json;version=0.1",
                    by_key.clone(),
                    message(&key, b"it"),
                ),
                "by",
            ),
            ("of another", bundle(v3, by_key.clone(), message(&key, b"other")), "unknown"),
            ("by another", bundle(v3, by_key.clone(), message(&other, b"it")), "unknown"),
            ("statement", bundle(v3, by_key.clone(), signs(b"it")), "by"),
            ("statement of another", bundle(v3, by_key.clone(), signs(b"other")), "for other"),
            (
                "statement by another",
                bundle(v3, by_key.clone(), statement(&other, b"it", SIGNS, STATEMENT)),
                "unknown",
            ),
            (
                "statement of a flaw",
                bundle(v3, by_key.clone(), statement(&key, b"it", flaw, STATEMENT)),
                "unread",
            ),
            (
                "statement of another kind",
                bundle(v3, by_key.clone(), statement(&key, b"it", SIGNS, "text/plain")),
                "unread",
            ),
            ("certificate", bundle(v3, certified, message(&key, b"it")), "keyless"),
            ("certificates", bundle(v3, chained, signs(b"it")), "keyless"),
            ("another type", bundle("text/plain", by_key.clone(), signs(b"it")), "unread"),
            ("nothing", bundle(v3, by_key, json!({})), "unread"),
            ("no bundle", json!([]), "unread"),
        ] {
            let found = match vouched(&policy, bundle.to_string().as_bytes(), b"it") {
                Vouched::By(_) => "by",
                Vouched::ForOther => "for other",
                Vouched::Unknown => "unknown",
                Vouched::Keyless => "keyless",
                Vouched::Unread => "unread",
            };
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_statement_that_was_changed_after_signing_vouches_for_nothing() {
        let key = KeyPair::generate().unwrap();
        let policy = policy(&key);
        let mut content = statement(&key, b"it", SIGNS, STATEMENT);
        let payload = content["dsseEnvelope"]["payload"].as_str().unwrap();
        let text = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
        let changed = text.replace(Digest::of(b"it").hex(), Digest::of(b"evil").hex());
        content["dsseEnvelope"]["payload"] = json!(STANDARD.encode(changed));
        let material = json!({ "publicKey": {} });
        let bundle = bundle("application/vnd.dev.sigstore.bundle.v0.3+json", material, content);
        let found = vouched(&policy, bundle.to_string().as_bytes(), b"evil");
        assert!(matches!(found, Vouched::Unknown), "{found:?}");
    }
}
