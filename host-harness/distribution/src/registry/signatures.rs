//! Signatures of an artifact in a registry, where cosign stores them: under the tag `sha256-….sig`,
//! and among the artifact's referrers.
//!
//! Made is the older of cosign's two forms, which every version of it verifies with `--key`. Read
//! are both: the newer one is a bundle, among the artifact's referrers.

use super::manifest::{Descriptor, EMPTY, MANIFEST, Manifest, unexpected};
use super::referrers;
use super::repository::Repository;
use crate::digest::Digest;
use crate::signature::bundle::{self, Vouched};
use crate::signature::key::KeyPair;
use crate::signature::{self, payload};
use crate::trust::{MOST_SIGNATURES, Signer, TrustPolicy, keyless, wrong_key};
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// Media type of an image's configuration, which cosign uses for its signatures.
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Signs the artifact with the digest in the repository's reference. An artifact that this key has
/// signed stays unchanged.
///
/// # Errors
/// `invalid-settings` without a digest: the registry decides where a tag leads, so a tag must not
/// be signed.
pub async fn sign(repository: &Repository, key: &KeyPair) -> Result<(), Failure> {
    let Some(digest) = repository.reference().digest() else {
        return Err(Failure::new(
            Code::InvalidSettings,
            "an artifact in a registry is signed by its digest, not by a tag",
        )
        .with_remedy(Remedy::CorrectInput { input: "reference" })
        .with_hint(
            "Name the digest that pushing it reported: HOST/NAME@sha256:…. A tag could have been \
             moved meanwhile.",
        ));
    };
    repository.will_write();
    let subject = repository.pull_manifest(digest).await?.ok_or_else(|| absent(repository))?;
    Manifest::read(&subject.bytes)?;
    let mut layers = match at_tag(repository, digest).await? {
        Some(manifest) => manifest.layers,
        None => Vec::new(),
    };
    for layer in &layers {
        let signed = vouching(repository, layer).await?;
        if signed.is_some_and(|(payload, signature)| {
            key.public().verifies(&payload, &signature)
                && payload::signed(&payload).as_ref() == Some(digest)
        }) {
            return Ok(());
        }
    }
    if layers.len() >= MOST_SIGNATURES {
        return Err(unexpected(format!("the artifact has {MOST_SIGNATURES} signatures already")));
    }
    let payload = payload::new(&repository.reference().repository(), digest);
    let signature =
        key.sign(&payload).map_err(|error| Failure::new(Code::Other, error.to_string()))?;
    let layer = Descriptor::of(payload::MEDIA_TYPE, &payload)
        .annotated(payload::ANNOTATION, &signature::to_text(&signature));
    repository.push_blob(&layer, &payload).await?;
    layers.push(layer);
    let config = config(&layers);
    let described = Descriptor::of(IMAGE_CONFIG, &config);
    repository.push_blob(&described, &config).await?;
    let mut manifest = Manifest::new(described, layers);
    manifest.artifact_type = Some(payload::ARTIFACT_TYPE.to_owned());
    manifest.subject = Some(Descriptor::of(MANIFEST, &subject.bytes));
    referrers::attach(repository, &manifest, &[]).await?;
    repository.push_manifest(&tag(digest), MANIFEST, &manifest.to_bytes()?).await?;
    Ok(())
}

/// The signer of the artifact with this manifest.
pub(super) async fn signer<'a>(
    repository: &Repository,
    digest: &Digest,
    manifest: &[u8],
    policy: &'a TrustPolicy,
) -> Result<Signer<'a>, Failure> {
    let mut layers =
        at_tag(repository, digest).await?.map(|manifest| manifest.layers).unwrap_or_default();
    if layers.is_empty() {
        layers = referring(repository, digest).await?;
    }
    let mut failure = Failure::new(
        Code::Untrusted,
        format!("it is not signed: the registry has no signature of {digest}"),
    )
    .with_remedy(Remedy::Sign)
    .with_hint("Ask its publisher to sign it. Do not use an artifact that has lost its signature.");
    for layer in layers.iter().take(MOST_SIGNATURES) {
        let Some((payload, signature)) = vouching(repository, layer).await? else { continue };
        match policy.signer(&payload, &signature) {
            Some(signer) if payload::signed(&payload).as_ref() == Some(digest) => {
                return Ok(signer);
            }
            Some(_) => {
                failure = of_another(digest);
            }
            None => failure = wrong_key(),
        }
    }
    for bundle in bundles(repository, digest).await? {
        match bundle::vouched(|text, signature| policy.signer(text, signature), &bundle, manifest) {
            Vouched::By(signer) => return Ok(signer),
            Vouched::ForOther => failure = of_another(digest),
            Vouched::Unknown => failure = wrong_key(),
            Vouched::Keyless => failure = keyless(),
            Vouched::Unread => {}
        }
    }
    Err(failure)
}

fn of_another(digest: &Digest) -> Failure {
    Failure::new(
        Code::Untrusted,
        format!("the signature in the registry for {digest} belongs to another artifact"),
    )
    .with_hint(
        "Do not use it: somebody attached the signature of one release to another. Report it to \
         its publisher.",
    )
}

/// The bundles among an artifact's referrers. Anyone who may write to the registry can attach one,
/// so one that cannot be read hides no other.
async fn bundles(repository: &Repository, digest: &Digest) -> Result<Vec<Vec<u8>>, Failure> {
    // Lists made by older clients give the type of the configuration.
    let may_be = |entry: &&Descriptor| {
        let told = entry.artifact_type.as_deref().unwrap_or(EMPTY);
        bundle::is_type(told) || told == EMPTY
    };
    let mut found = Vec::new();
    for entry in
        referrers::all(repository, digest).await?.iter().filter(may_be).take(MOST_SIGNATURES)
    {
        let Some(referrer) = repository.pull_manifest(&entry.digest).await? else { continue };
        let Ok(manifest) = Manifest::read(&referrer.bytes) else { continue };
        let layer = manifest
            .layers
            .first()
            .filter(|layer| bundle::is_type(&layer.media_type) && layer.size <= bundle::LARGEST);
        let Some(layer) = layer else { continue };
        found.extend(repository.pull_blob(&layer.digest, bundle::LARGEST, "a signature").await?);
    }
    Ok(found)
}

/// The failure of a reference to nothing.
pub(super) fn absent(repository: &Repository) -> Failure {
    let reference = repository.reference();
    Failure::new(Code::NotFound, format!("{} has no {reference}", reference.registry()))
        .with_remedy(Remedy::CorrectInput { input: "reference" })
        .with_hint("Check the reference: name, tag and digest.")
}

fn tag(digest: &Digest) -> String {
    format!("{}.sig", digest.tag())
}

async fn at_tag(repository: &Repository, digest: &Digest) -> Result<Option<Manifest>, Failure> {
    let found = repository.resolve(&tag(digest)).await?;
    found.map(|found| Manifest::read(&found.bytes)).transpose()
}

/// The signatures of artifacts that refer to this one, for a copy without the tag.
async fn referring(repository: &Repository, digest: &Digest) -> Result<Vec<Descriptor>, Failure> {
    let mut layers = Vec::new();
    for entry in referrers::list(repository, digest, payload::ARTIFACT_TYPE)
        .await?
        .iter()
        .take(MOST_SIGNATURES)
    {
        if let Some(found) = repository.pull_manifest(&entry.digest).await? {
            layers.extend(Manifest::read(&found.bytes)?.layers);
        }
    }
    Ok(layers)
}

/// A layer's payload and the signature over it. `None` if it is not a signature.
async fn vouching(
    repository: &Repository,
    layer: &Descriptor,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, Failure> {
    let signature = layer
        .annotations
        .get(payload::ANNOTATION)
        .and_then(|text| signature::from_text(text.as_bytes()));
    let Some(signature) = signature.filter(|_| layer.media_type == payload::MEDIA_TYPE) else {
        return Ok(None);
    };
    let payload = repository.pull_blob(&layer.digest, payload::LARGEST, "a signed payload").await?;
    Ok(payload.map(|payload| (payload, signature)))
}

/// An image's configuration that names the payloads, in cosign's form. It has no instant.
fn config(layers: &[Descriptor]) -> Vec<u8> {
    let digests: Vec<_> = layers.iter().map(|layer| &layer.digest).collect();
    let value = serde_json::json!({
        "architecture": "", "created": "0001-01-01T00:00:00Z", "os": "",
        "rootfs": { "type": "layers", "diff_ids": digests }, "config": {},
    });
    value.to_string().into_bytes()
}
