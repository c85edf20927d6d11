//! The signed text for an artifact in a registry: cosign's “simple signing” payload, which names
//! the artifact by its digest
//! (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>).

use serde_json::{Value, json};

use crate::digest::Digest;

/// Media type of the payload.
pub const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Annotation of the payload's layer that holds the signature.
pub const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// Artifact type of signatures in the list of an artifact's referrers.
pub const ARTIFACT_TYPE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
/// Largest payload, in bytes.
pub const LARGEST: u64 = 64 * 1024;

const TYPE: &str = "cosign container image signature";

/// The payload for an artifact in this repository.
#[must_use]
pub fn new(repository: &str, digest: &Digest) -> Vec<u8> {
    let value = json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": digest },
            "type": TYPE,
        },
        "optional": null,
    });
    value.to_string().into_bytes()
}

/// The digest in a payload. The repository in it is ignored: a mirror serves the same artifact
/// under another name.
#[must_use]
pub fn signed(payload: &[u8]) -> Option<Digest> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    let text = |pointer: &str| value.pointer(pointer)?.as_str();
    (text("/critical/type")? == TYPE)
        .then(|| Digest::parse(text("/critical/image/docker-manifest-digest")?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_of_the_form_that_cosign_reads() {
        let digest = Digest::of(b"x");
        let payload = new("registry.example.test/connectors/example", &digest);
        let expected = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"registry.example.test/connectors/example"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
        );
        assert_eq!(String::from_utf8(payload.clone()).unwrap(), expected);
        assert_eq!(signed(&payload), Some(digest));
    }

    #[test]
    fn what_is_no_such_payload_vouches_for_nothing() {
        let good = String::from_utf8(new("a.test/b", &Digest::of(b"x"))).unwrap();
        for text in [
            "",
            "{}",
            "[]",
            &good.replace("cosign container", "other"),
            &good.replace("sha256:", "sha256:0"),
        ] {
            assert_eq!(signed(text.as_bytes()), None, "{text}");
        }
    }
}
