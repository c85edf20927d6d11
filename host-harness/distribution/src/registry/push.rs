//! Pushes a package to a registry: content first, then the attached files, and the tag last, so
//! that it never leads to an incomplete release.

use super::artifact::{self, Artifact};
use super::manifest::{
    BUNDLE_TYPE, Descriptor, MANIFEST, Manifest, PACKAGE_TYPE, SBOM_TYPE, SIGNATURE_TYPE,
};
use super::reference::Reference;
use super::referrers;
use super::repository::Repository;
use crate::digest::Digest;
use crate::package::{self, Package, SBOM, SIGNATURE, SUMS};
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// Media type of such a bundle.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The result of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Where it is, with the tag.
    pub reference: Reference,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Whether the same artifact was there before.
    pub unchanged: bool,
    /// Whether the tag differs from the version: no trust policy accepts it by that tag.
    pub floating: bool,
    /// Whether it has a date other than the package's own: then its files do not determine the
    /// artifact.
    pub foreign_date: bool,
}

/// Pushes a package under the reference's tag, or otherwise under its version. `created` is the
/// instant of the build in RFC 3339, if the artifact should state it.
///
/// # Errors
/// `output` if the tag has other content that must not be overwritten; otherwise the registry's
/// failure.
pub async fn push(
    repository: &Repository,
    package: &Package,
    created: Option<&str>,
    overwrite: bool,
) -> Result<Pushed, Failure> {
    repository.will_write();
    let metadata = package.metadata()?;
    let version = metadata.identity().ok().map(|identity| identity.tag());
    let reference = repository.reference();
    let tag = match (reference.tag(), reference.digest(), &version) {
        (Some(tag), ..) => Some(tag.to_owned()),
        (None, Some(_), _) => None,
        (None, None, Some(version)) => Some(version.clone()),
        (None, None, None) => {
            return Err(Failure::new(
                Code::InvalidSettings,
                "the reference has no tag, and the component gives no version for one",
            )
            .with_remedy(Remedy::CorrectInput { input: "reference" })
            .with_hint(
                "Add a tag to the reference, or push a package, whose component gives its version.",
            ));
        }
    };

    let Artifact { manifest, config, component, bytes } =
        Artifact::of(package, &metadata, created)?;
    let subject = Descriptor::of(MANIFEST, &bytes);
    if let Some(digest) = reference.digest().filter(|digest| **digest != subject.digest) {
        return Err(Failure::new(
            Code::InvalidSettings,
            format!("the package makes the artifact {}, not {digest}", subject.digest),
        )
        .with_remedy(Remedy::CorrectInput { input: "reference" })
        .with_hint("Leave the digest out, or push the package that it belongs to."));
    }
    let unchanged = there_already(repository, tag.as_deref(), &subject.digest, overwrite).await?;

    repository.push_blob(&manifest.config, &config).await?;
    repository.push_blob(&component, package.component()).await?;
    repository.push_manifest(&subject.digest.to_string(), MANIFEST, &bytes).await?;
    attach_files(repository, package, &subject).await?;
    if let Some(tag) = tag.as_ref().filter(|_| !unchanged) {
        repository.push_manifest(tag, MANIFEST, &bytes).await?;
    }
    let floating = tag.is_some() && tag != version;
    let reference = tag.as_ref().map_or_else(|| reference.clone(), |tag| reference.with_tag(tag));
    let foreign_date = !artifact::digests(package).contains(&subject.digest);
    Ok(Pushed { reference, digest: subject.digest, unchanged, floating, foreign_date })
}

/// Whether the tag leads to the same artifact already.
async fn there_already(
    repository: &Repository,
    tag: Option<&str>,
    digest: &Digest,
    overwrite: bool,
) -> Result<bool, Failure> {
    let Some(tag) = tag else { return Ok(false) };
    match repository.resolve(tag).await? {
        None => Ok(false),
        Some(found) if found.digest == *digest => Ok(true),
        Some(_) if overwrite => Ok(false),
        Some(found) => {
            let reference = repository.reference().with_tag(tag);
            let message =
                format!("{reference} exists already, with other content ({})", found.digest);
            Err(Failure::new(Code::Output, message).with_remedy(Remedy::ReplaceRelease).with_hint(
                "A published release is never changed: raise the version of the connector.",
            ))
        }
    }
}

/// Attaches the other files of the package.
async fn attach_files(
    repository: &Repository,
    package: &Package,
    subject: &Descriptor,
) -> Result<(), Failure> {
    let Some(sums) = package.sums() else { return Ok(()) };
    let (mut layers, mut contents) =
        (vec![Descriptor::of("text/plain", sums.bytes()).titled(SUMS)], vec![sums.bytes()]);
    for (name, bytes) in package.files().iter().filter(|(name, _)| *name != SBOM) {
        layers.push(Descriptor::of(media_type(name), bytes).titled(name));
        contents.push(bytes);
    }
    referrers::attach(
        repository,
        &Manifest::referring(PACKAGE_TYPE, layers, subject.clone()),
        &contents,
    )
    .await?;
    let sbom =
        package.files().get(SBOM).map(|bytes| (SBOM_TYPE, SBOM_TYPE, SBOM, bytes.as_slice()));
    let signature =
        package.signature().map(|bytes| (SIGNATURE_TYPE, "text/plain", SIGNATURE, bytes));
    let bundle = package.bundle().map(|bytes| (BUNDLE_TYPE, BUNDLE, package::BUNDLE, bytes));
    for (artifact_type, media_type, name, bytes) in [sbom, signature, bundle].into_iter().flatten()
    {
        let layers = vec![Descriptor::of(media_type, bytes).titled(name)];
        referrers::attach(
            repository,
            &Manifest::referring(artifact_type, layers, subject.clone()),
            &[bytes],
        )
        .await?;
    }
    Ok(())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        Some((_, "md")) => "text/markdown",
        _ => "text/plain",
    }
}
