//! Pulls a package from a registry. With a trust policy, it accepts only content that a trusted
//! signature covers.
//!
//! ```text
//! manifest ─▶ signature ─▶ component ─▶ publisher, minimum version, tag ─▶ all other files, by digest
//! ```

use std::collections::BTreeMap;

use super::artifact;
use super::kind;
use super::manifest::{
    BUNDLE_TYPE, Manifest, SIGNATURE_TYPE, SUMS_ANNOTATION, WASM, WASM_CONFIG, unexpected,
};
use super::reference::Reference;
use super::referrers;
use super::repository::Repository;
use super::signatures::{absent, signer};
use crate::digest::Digest;
use crate::metadata::{Identity, Metadata};
use crate::package::{LARGEST_FILE, LARGEST_SIGNATURE, LARGEST_SUMS, Package, SUMS, Sums};
use crate::signature;
use crate::signature::bundle::{self, Vouched};
use crate::trust::{TrustPolicy, Verified};
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;
use smp_host::remedy::Remedy;

/// Most signatures of a package that are read. A publisher attaches one, and another when its key
/// changes.
const MOST_PACKAGE_SIGNATURES: usize = 4;

/// A package that was pulled.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The package.
    pub package: Package,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The identity of the connector, if the metadata give it.
    pub identity: Option<Identity>,
    /// The publisher that signed it, if there is a policy.
    pub verified: Option<Verified>,
}

impl Pulled {
    /// The name of its folder: the connector's id and version, or otherwise the repository's name
    /// and tag.
    #[must_use]
    pub fn folder_name(&self, reference: &Reference) -> String {
        match &self.identity {
            Some(identity) => format!("{}-{}", identity.id, identity.version),
            None => {
                format!("{}-{}", last_part(reference), reference.tag().unwrap_or(self.digest.hex()))
            }
        }
    }
}

/// Pulls the artifact that the repository's reference names.
///
/// # Errors
/// `untrusted` if the policy refuses it or content does not match its digest; otherwise the
/// registry's failure.
pub async fn pull(
    repository: &Repository,
    policy: Option<&TrustPolicy>,
    limits: &Limits,
) -> Result<Pulled, Failure> {
    let reference = repository.reference();
    let found = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => repository.pull_manifest(digest).await?,
        (None, Some(tag)) => repository.resolve(tag).await?,
        (None, None) => {
            return Err(Failure::new(
                Code::InvalidSettings,
                "the reference names neither a tag nor a digest",
            )
            .with_remedy(Remedy::CorrectInput { input: "reference" })
            .with_hint("Name the release: HOST/NAME:VERSION, or HOST/NAME@sha256:…."));
        }
    };
    let found = found.ok_or_else(|| absent(repository))?;
    // What it is comes first: an image is never signed as a connector.
    let other = |failure| kind::other(reference, &found.bytes, failure);
    let manifest = Manifest::read(&found.bytes).and_then(is_of_component).map_err(other)?;
    let signer = match policy {
        Some(policy) => {
            policy.not_revoked(&found.digest)?;
            Some(signer(repository, &found.digest, &found.bytes, policy).await?)
        }
        None => None,
    };
    let (name, component) = component(repository, &manifest, limits).await?;
    let identity = Metadata::read(&component)?.identity();
    let verified = match (signer, policy) {
        (Some(signer), Some(policy)) => {
            policy.not_revoked(&Digest::of(&component))?;
            let verified = signer.vouches_for(identity.clone()?)?;
            is_the_one_asked_for(reference, &verified.identity)?;
            Some(verified)
        }
        _ => None,
    };
    let identity = identity.ok();
    let package = match manifest.annotations.get(SUMS_ANNOTATION) {
        Some(digest) => whole(repository, digest, &found.digest, &component, policy).await?,
        None => Package::alone(
            &identity.as_ref().map_or(name, |identity| format!("{}.wasm", identity.id)),
            component,
        ),
    };
    if let Some(policy) = policy {
        policy.package_not_revoked(&package)?;
    }
    // The files determine the artifact, unless it was pushed with another date or by another
    // program.
    let told = package.sums().is_none() || artifact::digests(&package).contains(&found.digest);
    let package = if told { package } else { package.pulled_from(found.bytes) };
    Ok(Pulled { package, digest: found.digest, identity, verified })
}

/// Refuses the manifest of something else.
fn is_of_component(manifest: Manifest) -> Result<Manifest, Failure> {
    let [layer] = manifest.layers.as_slice() else {
        return Err(unexpected(format!(
            "the artifact has {} layers; one of a component has one",
            manifest.layers.len()
        )));
    };
    if manifest.config.media_type != WASM_CONFIG || layer.media_type != WASM {
        return Err(unexpected("the artifact is not a WebAssembly component"));
    }
    Ok(manifest)
}

/// The component that a manifest names, and a name for its file.
async fn component(
    repository: &Repository,
    manifest: &Manifest,
    limits: &Limits,
) -> Result<(String, Vec<u8>), Failure> {
    let layer = manifest.layers.first().ok_or_else(|| missing("the component"))?;
    if layer.size > limits.component {
        return Err(limits.component_too_large("the component"));
    }
    let bytes = repository.pull_blob(&layer.digest, limits.component, "the component").await?;
    let bytes = bytes.ok_or_else(|| missing("the component"))?;
    Ok((format!("{}.wasm", last_part(repository.reference())), bytes))
}

/// Refuses an older release that is served under the tag of a newer one. A tag that is not a
/// version cannot be judged.
fn is_the_one_asked_for(reference: &Reference, identity: &Identity) -> Result<(), Failure> {
    match reference.tag() {
        Some(tag) if tag != identity.tag() => {
            let other = Failure::new(
                Code::Untrusted,
                format!("the tag `{tag}` leads to a file that was signed as {identity}"),
            );
            Err(other.with_remedy(Remedy::OtherRelease).with_hint(
                "Another release is served in place of the requested one. Name a release by its \
                 version or its digest.",
            ))
        }
        _ => Ok(()),
    }
}

/// All files of the package, by the digests in the manifest.
async fn whole(
    repository: &Repository,
    sums: &str,
    artifact: &Digest,
    component: &[u8],
    policy: Option<&TrustPolicy>,
) -> Result<Package, Failure> {
    let digest = Digest::parse(sums)
        .ok_or_else(|| unexpected(format!("the artifact gives no digest of its {SUMS}")))?;
    let sums =
        repository.pull_blob(&digest, LARGEST_SUMS, SUMS).await?.ok_or_else(|| missing(SUMS))?;
    let sums = Sums::read(sums)?;
    let mut files = BTreeMap::new();
    for (name, digest) in sums.digests() {
        let bytes = if name == sums.component()? {
            component.to_vec()
        } else {
            let what = format!("`{name}`");
            repository
                .pull_blob(digest, LARGEST_FILE, &what)
                .await?
                .ok_or_else(|| missing(&what))?
        };
        files.insert(name.clone(), bytes);
    }
    let taken = |text: &[u8]| {
        let read = signature::from_text(text);
        policy.is_some_and(|it| read.is_some_and(|read| it.signer(sums.bytes(), &read).is_some()))
    };
    let signature =
        attached(repository, artifact, SIGNATURE_TYPE, LARGEST_SIGNATURE, &taken).await?;
    let taken = |bytes: &[u8]| {
        let vouched = |it: &TrustPolicy| {
            let signer =
                |text: &[u8], signature: &[u8]| it.signer(text, signature).is_some().then_some(());
            bundle::vouched(signer, bytes, sums.bytes())
        };
        policy.is_some_and(|it| matches!(vouched(it), Vouched::By(_)))
    };
    let bundle = attached(repository, artifact, BUNDLE_TYPE, bundle::LARGEST, &taken).await?;
    Ok(Package::whole(sums, files, signature)?.with_bundle(bundle))
}

/// The package's own signature: the one that the policy accepts, or otherwise the first one.
async fn attached(
    repository: &Repository,
    artifact: &Digest,
    artifact_type: &str,
    most: u64,
    is_taken: &(dyn Fn(&[u8]) -> bool + Sync),
) -> Result<Option<Vec<u8>>, Failure> {
    let mut first = None;
    for entry in referrers::list(repository, artifact, artifact_type)
        .await?
        .iter()
        .take(MOST_PACKAGE_SIGNATURES)
    {
        let Some(found) = repository.pull_manifest(&entry.digest).await? else { continue };
        let manifest = Manifest::read(&found.bytes)?;
        let Some(layer) = manifest.layers.first() else { continue };
        let Some(text) = repository.pull_blob(&layer.digest, most, "a signature").await? else {
            continue;
        };
        if is_taken(&text) {
            return Ok(Some(text));
        }
        first.get_or_insert(text);
    }
    Ok(first)
}

fn missing(what: &str) -> Failure {
    Failure::new(
        Code::NotFound,
        format!("{what} is not in the repository, though the artifact names it"),
    )
    .with_remedy(Remedy::ContactSupport)
    .with_hint(
        "The artifact was copied without its other files, or some were removed. Push the package \
         again.",
    )
}

fn last_part(reference: &Reference) -> &str {
    reference.name().rsplit('/').next().unwrap_or_default()
}
