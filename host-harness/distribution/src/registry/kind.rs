//! Names what an artifact is that is not a connector's: an image, an index, a signature.

use serde_json::Value;

use super::manifest::{EMPTY, PACKAGE_TYPE, SBOM_TYPE, SIGNATURE_TYPE, unexpected};
use super::reference::Reference;
use crate::digest::Digest;
use crate::signature::{bundle, payload};
use smp_host::failure::Failure;

/// Media types of manifests that are not of this project's kind.
pub(super) const OTHERS: &str = "application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v1+prettyjws";

/// Media types of the configurations of images.
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// What a manifest describes, as the end of a sentence. `None` if nothing is known of it.
pub(super) fn named(manifest: &[u8]) -> Option<&'static str> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let has_layer = |is: &dyn Fn(&str) -> bool| {
        let layers = manifest.pointer("/layers").and_then(Value::as_array);
        let types =
            layers.into_iter().flatten().filter_map(|layer| layer.get("mediaType")?.as_str());
        types.take(8).any(is)
    };
    let (artifact, config) = (text("/artifactType"), text("/config/mediaType"));
    let known = if manifest.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
        "an image in Docker's oldest format"
    } else if manifest.get("manifests").is_some_and(Value::is_array) {
        "an index, which lists other artifacts: the platforms of an image, or what belongs to a \
         release"
    } else if artifact == payload::ARTIFACT_TYPE || has_layer(&|it| it == payload::MEDIA_TYPE) {
        "a signature of another artifact, made by cosign"
    } else if bundle::is_type(artifact) || has_layer(&bundle::is_type) {
        "a signature of another artifact, made by cosign in its newer form"
    } else if [PACKAGE_TYPE, SIGNATURE_TYPE, SBOM_TYPE].contains(&artifact) {
        "what belongs to a release of a connector, without its component"
    } else if has_layer(&|it| it.starts_with("application/vnd.") && it.contains("wasm")) {
        "a WebAssembly module in an older form of artifacts, and not a component"
    } else if IMAGES.contains(&config) {
        "the image of a container"
    } else if config == "application/vnd.cncf.helm.config.v1+json" {
        "a Helm chart"
    } else if !artifact.is_empty() && config == EMPTY {
        "an artifact of another program"
    } else {
        return None;
    };
    Some(known)
}

/// The failure of a reference to something else, named by what it is if that is known.
pub(super) fn other(reference: &Reference, manifest: &[u8], failure: Failure) -> Failure {
    let Some(what) = named(manifest) else { return failure };
    let failure = unexpected(format!("{reference} is not a connector: it is {what}"));
    match reference.tag().and_then(subject) {
        Some(digest) => failure.with_hint(format!(
            "A tag of this form belongs to another artifact: {}@{digest}.",
            reference.repository()
        )),
        None => failure,
    }
}

/// The artifact that a tag of the form `sha256-…` or `sha256-….sig` belongs to.
fn subject(tag: &str) -> Option<Digest> {
    Digest::from_hex(tag.strip_prefix("sha256-")?.get(..64)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_a_connector_is_named() {
        let of = |config: &str, layer: &str| {
            let (config, layers) =
                (json!({ "mediaType": config }), json!([{ "mediaType": layer }]));
            json!({ "schemaVersion": 2, "config": config, "layers": layers })
        };
        let typed = |artifact: &str| {
            let config = json!({ "mediaType": EMPTY });
            json!({ "schemaVersion": 2, "artifactType": artifact, "config": config, "layers": [] })
        };
        for (manifest, expected) in [
            (json!({ "schemaVersion": 1, "fsLayers": [] }), "Docker's oldest format"),
            (json!({ "schemaVersion": 2, "manifests": [] }), "an index"),
            (of(IMAGES[0], "application/vnd.oci.image.layer.v1.tar+gzip"), "image of a container"),
            (
                of(IMAGES[1], "application/vnd.docker.image.rootfs.diff.tar.gzip"),
                "image of a container",
            ),
            (of(IMAGES[0], payload::MEDIA_TYPE), "signature of another artifact"),
            (
                of(EMPTY, "application/vnd.dev.sigstore.bundle.v0.3+json"),
                "cosign in its newer form",
            ),
            (typed(payload::ARTIFACT_TYPE), "signature of another artifact"),
            (typed("application/vnd.dev.sigstore.bundle.v0.3+json"), "cosign in its newer form"),
            (typed(PACKAGE_TYPE), "without its component"),
            (typed(SBOM_TYPE), "without its component"),
            (typed("application/vnd.example"), "an artifact of another program"),
            (
                of(
                    "application/vnd.wasm.config.v1+json",
                    "application/vnd.wasm.content.layer.v1+wasm",
                ),
                "an older form",
            ),
            (of("application/vnd.cncf.helm.config.v1+json", "x"), "a Helm chart"),
        ] {
            let bytes = manifest.to_string();
            let found = named(bytes.as_bytes()).unwrap_or_default();
            assert!(found.contains(expected), "{bytes}: {found}");
        }
        for bytes in ["", "[]", "{}", "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"] {
            assert_eq!(named(bytes.as_bytes()), None, "{bytes}");
        }
    }

    #[test]
    fn a_tag_of_a_digest_leads_to_the_artifact_that_it_belongs_to() {
        let digest = Digest::of(b"x");
        for (tag, expected) in [
            (digest.tag(), true),
            (format!("{}.sig", digest.tag()), true),
            ("sha256-12".to_owned(), false),
            ("1.0.0".to_owned(), false),
        ] {
            assert_eq!(subject(&tag).is_some_and(|it| it == digest), expected, "{tag}");
        }
    }
}
