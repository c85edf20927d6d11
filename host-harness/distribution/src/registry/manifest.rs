//! Manifests: the content list of an artifact. Equal content is written as equal bytes; reading is
//! bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::metadata::Metadata;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// Media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of a list of manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of a WebAssembly artifact's configuration.
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Media type of a component.
pub const WASM: &str = "application/wasm";
/// Media type of an empty configuration.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Type of the artifact that holds the files of a package.
pub(super) const PACKAGE_TYPE: &str = "application/vnd.smp.connector.package.v1";
/// Type of the artifact that holds a package's own signature.
pub(super) const SIGNATURE_TYPE: &str = "application/vnd.smp.connector.package.signature.v1";
/// Type of the artifact that holds a package's own signature as a bundle of cosign 3.
pub(super) const BUNDLE_TYPE: &str = "application/vnd.smp.connector.package.bundle.v1";
/// Type of a software bill of materials, as scanners expect it.
pub(super) const SBOM_TYPE: &str = "application/vnd.cyclonedx+json";

/// Largest manifest or list, in bytes: this project's have about two thousand, and registries
/// refuse more than four million.
pub const LARGEST: u64 = 1024 * 1024;
/// Most layers, entries and annotations of a manifest.
const MOST_ENTRIES: usize = 200;

/// Annotation that names a file.
pub const TITLE: &str = "org.opencontainers.image.title";
/// Annotation with the digest of the package's `SHA256SUMS`, which covers every file of the
/// package.
pub const SUMS_ANNOTATION: &str = "smp.connector.sha256sums";

/// Refers to content, with its type, digest and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size, in bytes.
    pub size: u64,
    /// The artifact type of a manifest, in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Fields of other programs, kept unchanged.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    schema_version: u32,
    /// Its own media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The artifact type, if the configuration does not give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The content.
    pub layers: Vec<Descriptor>,
    /// The artifact that this one is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    schema_version: u32,
    /// Its own media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// Fields of other programs, kept unchanged.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

impl Descriptor {
    /// Describes content.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
            other: serde_json::Map::new(),
        }
    }

    /// Adds a file's name.
    #[must_use]
    pub fn titled(self, name: &str) -> Self {
        self.annotated(TITLE, name)
    }

    /// Adds an annotation.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }
}

impl Manifest {
    /// A manifest of this configuration and these layers.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        let (media_type, annotations) = (Some(MANIFEST.to_owned()), BTreeMap::new());
        Self {
            schema_version: 2,
            media_type,
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations,
        }
    }

    /// A manifest of layers that belong to another artifact.
    #[must_use]
    pub fn referring(artifact_type: &str, layers: Vec<Descriptor>, subject: Descriptor) -> Self {
        let artifact_type = Some(artifact_type.to_owned());
        Self {
            artifact_type,
            subject: Some(subject),
            ..Self::new(Descriptor::of(EMPTY, b"{}"), layers)
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// `unexpected-response` if it is not a manifest, or has too many entries.
    pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|_| unexpected("the registry's answer is not a manifest of an artifact"))?;
        let annotations = manifest
            .layers
            .iter()
            .map(|layer| layer.annotations.len())
            .max()
            .unwrap_or(0)
            .max(manifest.annotations.len());
        if manifest.schema_version != 2
            || manifest.media_type.as_deref().is_some_and(|media_type| media_type != MANIFEST)
        {
            return Err(unexpected("the registry's answer is a manifest of an unknown kind"));
        }
        if manifest.layers.len().max(annotations) > MOST_ENTRIES {
            return Err(unexpected("the manifest has too many layers or annotations"));
        }
        Ok(manifest)
    }

    /// The manifest's bytes.
    ///
    /// # Errors
    /// None in practice: it is all texts and numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        written(self)
    }
}

impl Index {
    /// An empty list.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            schema_version: 2,
            media_type: Some(INDEX.to_owned()),
            manifests: Vec::new(),
            other: serde_json::Map::new(),
        }
    }

    /// Reads a list.
    ///
    /// # Errors
    /// `unexpected-response` if it is not a list.
    pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let index: Self = serde_json::from_slice(bytes)
            .map_err(|_| unexpected("the registry's answer is not a list of manifests"))?;
        if index.schema_version != 2
            || index.media_type.as_deref().is_some_and(|media_type| media_type != INDEX)
        {
            return Err(unexpected("the registry's answer is not a list of manifests"));
        }
        Ok(index)
    }

    /// The list's bytes.
    ///
    /// # Errors
    /// None in practice: it is all texts and numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        written(self)
    }
}

/// The configuration of a component. It is made only from the component and the instant that its
/// builder gives.
///
/// Other clients refuse a configuration without an instant. If none is given, it is 1970-01-01,
/// which means that it is unknown.
///
/// # Errors
/// None in practice: it is all texts.
pub fn wasm_config(
    component: &Digest,
    metadata: &Metadata,
    created: Option<&str>,
) -> Result<Vec<u8>, Failure> {
    written(&serde_json::json!({
        "created": created.unwrap_or("1970-01-01T00:00:00Z"),
        "author": metadata.authors,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [component],
        "component": { "exports": metadata.exports, "imports": metadata.imports, "target": null },
    }))
}

/// The standard annotations of an artifact, from the component's metadata. Characters that control
/// a terminal are escaped.
#[must_use]
pub fn annotations(metadata: &Metadata, created: Option<&str>) -> BTreeMap<String, String> {
    let said = [
        ("title", metadata.name.as_deref()),
        ("version", metadata.version.as_deref()),
        ("description", metadata.description.as_deref()),
        ("authors", metadata.authors.as_deref()),
        ("licenses", metadata.licenses.as_deref()),
        ("source", metadata.source.as_deref()),
        ("url", metadata.homepage.as_deref()),
        ("revision", metadata.revision.as_deref()),
        ("created", created),
    ];
    let said = said
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)));
    said.map(|(key, value)| {
        (format!("org.opencontainers.image.{key}"), smp_host::text::escaped(value).into_owned())
    })
    .collect()
}

/// The failure of an answer that the specification does not define.
pub(super) fn unexpected(message: impl Into<String>) -> Failure {
    Failure::new(Code::UnexpectedResponse, message)
        .with_remedy(Remedy::CorrectInput { input: "reference" })
        .with_hint("Check that the reference names a connector in a registry.")
}

fn written(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| {
        Failure::new(Code::Output, format!("the manifest cannot be written: {error}"))
            .with_remedy(Remedy::Other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_written_the_same_and_without_an_instant() {
        let metadata = Metadata {
            name: Some("example".into()),
            version: Some("1.0.0".into()),
            ..Metadata::default()
        };
        let make = |created| {
            let config = Descriptor::of(
                WASM_CONFIG,
                &wasm_config(&Digest::of(b"x"), &metadata, created).unwrap(),
            );
            let mut manifest =
                Manifest::new(config, vec![Descriptor::of(WASM, b"x").titled("example.wasm")]);
            manifest.annotations = annotations(&metadata, created);
            manifest.to_bytes().unwrap()
        };
        assert_eq!(make(None), make(None));
        assert!(!String::from_utf8(make(None)).unwrap().contains("created"));
        assert!(
            String::from_utf8(make(Some("2026-01-02T03:04:05Z")))
                .unwrap()
                .contains("2026-01-02T03:04:05Z")
        );
        assert_eq!(Manifest::read(&make(None)).unwrap().to_bytes().unwrap(), make(None));
    }

    #[test]
    fn an_annotation_steers_no_terminal() {
        let metadata = Metadata {
            description: Some("red \u{1b}[31m".into()),
            homepage: Some(String::new()),
            ..Metadata::default()
        };
        let annotations = annotations(&metadata, None);
        assert_eq!(annotations.len(), 1);
        assert_eq!(annotations["org.opencontainers.image.description"], "red \\u{1b}[31m");
    }

    #[test]
    fn what_is_no_manifest_or_too_much_of_one_is_refused() {
        let descriptor =
            serde_json::json!({ "mediaType": "a", "digest": Digest::of(b"x"), "size": 1 });
        let manifest = |layers: usize, version: u32, media_type: &str| {
            serde_json::json!({
                "schemaVersion": version, "mediaType": media_type, "config": descriptor, "layers": vec![&descriptor; layers],
            })
        };
        assert!(Manifest::read(manifest(1, 2, MANIFEST).to_string().as_bytes()).is_ok());
        for value in [
            manifest(MOST_ENTRIES + 1, 2, MANIFEST),
            manifest(1, 1, MANIFEST),
            manifest(1, 2, INDEX),
            Value::Null,
        ] {
            assert_eq!(
                Manifest::read(value.to_string().as_bytes()).unwrap_err().code,
                Code::UnexpectedResponse
            );
        }
        assert!(
            Index::read(b"{\"schemaVersion\":2,\"manifests\":[],\"annotations\":{\"a\":\"b\"}}")
                .is_ok()
        );
        assert!(Index::read(b"{\"schemaVersion\":2}").is_err());
    }
}
