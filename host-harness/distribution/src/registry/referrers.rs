//! Artifacts that refer to another one: attaches and finds them, also if the registry does not
//! support referrers.
//!
//! Such a registry does not confirm the subject of a manifest. Then a list under the tag `sha256-…`
//! of the subject's digest takes its place, as the distribution specification defines.

use super::manifest::{Descriptor, EMPTY, INDEX, Index, MANIFEST, Manifest, unexpected};
use super::repository::Repository;
use crate::digest::Digest;
use smp_host::failure::Failure;
use smp_host::remedy::Remedy;

/// Most manifests that refer to one artifact, of all kinds: signatures, scans and copies of a
/// release over years.
const MOST: usize = 200;
/// Most pages of a list.
const MOST_PAGES: usize = 8;

/// Attaches an artifact with this content to the subject that its manifest names.
pub(super) async fn attach(
    repository: &Repository,
    manifest: &Manifest,
    contents: &[&[u8]],
) -> Result<Descriptor, Failure> {
    if manifest.config.media_type == EMPTY {
        repository.push_blob(&manifest.config, b"{}").await?;
    }
    for (layer, bytes) in manifest.layers.iter().zip(contents) {
        repository.push_blob(layer, bytes).await?;
    }
    let bytes = manifest.to_bytes()?;
    let mut entry = Descriptor::of(MANIFEST, &bytes);
    let known = repository.push_manifest(&entry.digest.to_string(), MANIFEST, &bytes).await?;
    entry.artifact_type.clone_from(&manifest.artifact_type);
    if let Some(subject) = manifest.subject.as_ref().filter(|_| !known) {
        enter(repository, &subject.digest, &entry).await?;
    }
    Ok(entry)
}

/// The artifacts of this type that refer to an artifact.
pub(super) async fn list(
    repository: &Repository,
    subject: &Digest,
    artifact_type: &str,
) -> Result<Vec<Descriptor>, Failure> {
    let mut found = all(repository, subject).await?;
    found.retain(|entry| entry.artifact_type.as_deref() == Some(artifact_type));
    Ok(found)
}

/// The artifacts that refer to an artifact.
pub(super) async fn all(
    repository: &Repository,
    subject: &Digest,
) -> Result<Vec<Descriptor>, Failure> {
    let mut found = Vec::new();
    let mut path = Some(format!("referrers/{subject}"));
    for page in 0..MOST_PAGES {
        let Some(at) = path.take() else { break };
        match repository.referrers_page(&at).await? {
            Some((bytes, next)) => {
                found.extend(Index::read(&bytes)?.manifests);
                path = next;
            }
            None if page == 0 => found = by_tag(repository, subject).await?.manifests,
            None => {}
        }
        bounded(found.len())?;
    }
    if path.is_some() {
        return Err(too_many());
    }
    Ok(found)
}

async fn by_tag(repository: &Repository, subject: &Digest) -> Result<Index, Failure> {
    match repository.resolve(&subject.tag()).await? {
        Some(found) => Index::read(&found.bytes),
        None => Ok(Index::empty()),
    }
}

async fn enter(
    repository: &Repository,
    subject: &Digest,
    entry: &Descriptor,
) -> Result<(), Failure> {
    let mut index = by_tag(repository, subject).await?;
    if index.manifests.iter().any(|known| known.digest == entry.digest) {
        return Ok(());
    }
    index.manifests.push(entry.clone());
    bounded(index.manifests.len())?;
    repository.push_manifest(&subject.tag(), INDEX, &index.to_bytes()?).await?;
    Ok(())
}

fn bounded(number: usize) -> Result<(), Failure> {
    if number > MOST { Err(too_many()) } else { Ok(()) }
}

fn too_many() -> Failure {
    unexpected(format!("more than {MOST} artifacts refer to this one"))
        .with_remedy(Remedy::ContactSupport)
        .with_hint(
            "No artifact needs as many. Ask the owner of the repository to remove those that are \
             not needed.",
        )
}
