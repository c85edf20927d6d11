//! The trust policy: whose signature this machine accepts for which connector, and from which
//! version on. It is pure, and applied before anything is compiled.
//!
//! ```toml
//! revoked = ["sha256:…"]                             # of a component or of an artifact in a registry
//!
//! [[publisher]]
//! name = "Example Ltd"
//! keys = ["-----BEGIN PUBLIC KEY-----…"]             # as many as are in use
//! connectors = { example-cloud = { minimum = "1.2.0" }, example-desk = {} }
//! ```
//! Whatever the file does not name is not trusted. Nothing is remembered between runs: to keep an
//! old release from coming back, raise the minimum.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use semver::Version;
use serde::Deserialize;

use super::digest::Digest;
use super::metadata::Identity;
use super::package::{BUNDLE, ORIGIN, Package, SIGNATURE, SUMS};
use super::registry::artifact;
use super::signature;
use super::signature::bundle::{self, Vouched};
use super::signature::key::PublicKey;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;
use smp_host::remedy::Remedy;

/// Largest trust file, in bytes: room for hundreds of publishers.
pub const LARGEST_FILE: u64 = 1024 * 1024;
/// Most publishers: a marketplace with more needs its own service.
const MOST_PUBLISHERS: usize = 1_000;
/// Most keys of one publisher: the one in use, the one before, and a few machines.
const MOST_KEYS: usize = 16;
/// Most connectors of one publisher.
const MOST_CONNECTORS: usize = 1_000;
/// Most revoked digests: every release of many connectors.
const MOST_REVOKED: usize = 10_000;
/// Most signatures of one artifact that are read: each costs a request.
pub const MOST_SIGNATURES: usize = 16;

/// A trust policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    publishers: Vec<Publisher>,
    revoked: BTreeSet<Digest>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Publisher {
    name: String,
    keys: Vec<PublicKey>,
    connectors: BTreeMap<String, Option<Version>>,
}

/// A verified signature: what it covers, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The publisher, by its name in the trust file.
    pub publisher: String,
    /// The identity of the connector.
    pub identity: Identity,
    /// The key's fingerprint.
    pub key: Digest,
}

/// The publisher and the key of a valid signature. Nothing has been decided yet about the signed
/// content.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    publisher: &'a Publisher,
    key: &'a PublicKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    revoked: Vec<Digest>,
    publisher: Vec<FilePublisher>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePublisher {
    name: String,
    keys: Vec<String>,
    connectors: BTreeMap<String, FileConnector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConnector {
    minimum: Option<Version>,
}

impl TrustPolicy {
    /// Reads a trust file.
    ///
    /// # Errors
    /// `invalid-settings` if it is malformed or ambiguous.
    pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8 text"))?;
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
            });
            unusable(&format!("line {line}: {}", smp_host::text::shortened(error.message(), 200)))
        })?;
        let bounds = [
            (file.publisher.len(), MOST_PUBLISHERS, "publishers"),
            (file.revoked.len(), MOST_REVOKED, "revoked digests"),
        ];
        bounded(&bounds)?;
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let mut publishers = Vec::new();
        for publisher in file.publisher {
            let publisher = Publisher::read(publisher)?;
            if !names.insert(publisher.name.clone()) {
                return Err(unusable(&format!("the publisher `{}` appears twice", publisher.name)));
            }
            // If one key had two names, its signatures would be ambiguous.
            if let Some(key) = publisher.keys.iter().find(|key| !keys.insert((*key).clone())) {
                return Err(unusable(&format!("the key {} appears twice", key.fingerprint())));
            }
            publishers.push(publisher);
        }
        Ok(Self { publishers, revoked: file.revoked.into_iter().collect() })
    }

    /// The signer of the message. `None` if no trusted key signed it.
    #[must_use]
    pub fn signer(&self, message: &[u8], signature: &[u8]) -> Option<Signer<'_>> {
        self.publishers.iter().find_map(|publisher| {
            let key = publisher.keys.iter().find(|key| key.verifies(message, signature))?;
            Some(Signer { publisher, key })
        })
    }

    /// Refuses a revoked digest.
    ///
    /// # Errors
    /// `untrusted`.
    pub fn not_revoked(&self, digest: &Digest) -> Result<(), Failure> {
        if !self.revoked.contains(digest) {
            return Ok(());
        }
        Err(refused(format!("{digest} is revoked by the trust file"))
            .with_remedy(Remedy::OtherRelease)
            .with_hint("This release must no longer be used. Get a newer one from its publisher."))
    }

    /// Refuses a package if its component is revoked, or an artifact of it in a registry. A folder
    /// need not say where it was pulled from: the artifacts' digests are derived from its files.
    ///
    /// # Errors
    /// `untrusted`.
    pub fn package_not_revoked(&self, package: &Package) -> Result<(), Failure> {
        self.not_revoked(&Digest::of(package.component()))?;
        if let Some(manifest) = package.origin() {
            if !artifact::is_of(manifest, package) {
                return Err(refused(format!("{ORIGIN} is not the manifest of this package"))
                    .with_hint(
                        "Pull the package again, into another folder; something was changed in \
                         this one.",
                    ));
            }
            self.not_revoked(&Digest::of(manifest))?;
        }
        // Nothing is derived if nothing can be refused.
        let made = if self.revoked.is_empty() { Vec::new() } else { artifact::digests(package) };
        made.iter().try_for_each(|artifact| self.not_revoked(artifact))
    }

    /// Judges a component's file by the package that it is in. It returns the bytes to run, because
    /// the file may change meanwhile.
    ///
    /// # Errors
    /// As [`TrustPolicy::judge`], and `untrusted` if it is not in a package.
    pub fn judge_file(&self, path: &Path, limits: &Limits) -> Result<(Package, Verified), Failure> {
        let folder =
            path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let alone = || {
            let name = smp_host::text::shortened(&path.to_string_lossy(), 200).into_owned();
            refused(format!("`{name}` is not signed: no {SUMS} beside it lists it"))
                .with_remedy(Remedy::WholePackage)
                .with_hint("Give the file inside its package, with all of the package's files.")
        };
        if !folder.join(SUMS).exists() {
            return Err(alone());
        }
        let package = Package::open(folder, limits)?;
        if path.file_name().is_none_or(|name| name != package.component_name()) {
            return Err(alone());
        }
        let verified = self.judge(&package)?;
        Ok((package, verified))
    }

    /// Judges a package in a folder by the signature over its sums.
    ///
    /// # Errors
    /// `untrusted` if it is revoked, not signed, not signed by a permitted publisher, or too old.
    pub fn judge(&self, package: &Package) -> Result<Verified, Failure> {
        self.package_not_revoked(package)?;
        let unsigned = || {
            refused(format!("it is not signed: there is no {SIGNATURE} beside a {SUMS}"))
                .with_remedy(Remedy::Sign)
                .with_hint("Get the whole package, with its signature, from its publisher.")
        };
        let sums = package.sums().ok_or_else(unsigned)?.bytes();
        let signer = match (package.signature(), package.bundle()) {
            (None, None) => Err(unsigned()),
            (None, Some(bundle)) => self.bundled(bundle, sums).map_err(Unvouched::into_failure),
            (Some(text), None) => self.detached(text, sums),
            // One signature of a trusted key is enough, and the other file, which is not signed
            // itself, must be one too.
            (Some(text), Some(bundle)) => match self.bundled(bundle, sums) {
                Err(Unvouched::Nothing(failure)) => Err(failure),
                _ if signature::from_text(text).is_none() => Err(damaged(SIGNATURE)),
                bundled => {
                    self.detached(text, sums).or_else(|failure| bundled.map_err(|_| failure))
                }
            },
        }?;
        signer.vouches_for(package.identity()?)
    }

    fn detached(&self, text: &[u8], message: &[u8]) -> Result<Signer<'_>, Failure> {
        let signature = signature::from_text(text).ok_or_else(|| damaged(SIGNATURE))?;
        self.signer(message, &signature).ok_or_else(wrong_key)
    }

    fn bundled(&self, bundle: &[u8], message: &[u8]) -> Result<Signer<'_>, Unvouched> {
        match bundle::vouched(|text, signature| self.signer(text, signature), bundle, message) {
            Vouched::By(signer) => Ok(signer),
            Vouched::Unknown => Err(Unvouched::By(wrong_key())),
            Vouched::Keyless => Err(Unvouched::By(keyless())),
            Vouched::ForOther => Err(Unvouched::Nothing(of_other_content(BUNDLE))),
            Vouched::Unread => Err(Unvouched::Nothing(damaged(BUNDLE))),
        }
    }
}

/// Why a bundle vouches for nothing.
enum Unvouched {
    /// It is a signature, and not one of a trusted key.
    By(Failure),
    /// It is no signature of this content.
    Nothing(Failure),
}

impl Unvouched {
    fn into_failure(self) -> Failure {
        match self {
            Self::By(failure) | Self::Nothing(failure) => failure,
        }
    }
}

/// The entry of a trust file for a key, with names to be replaced.
#[must_use]
pub fn entry(key: &PublicKey) -> String {
    format!(
        "# The key {}. Replace the names.\n[[publisher]]\nname = \"Publisher\"\nkeys = \
         [\"\"\"\n{}\"\"\"]\nconnectors = {{ connector-id = {{}} }}\n",
        key.fingerprint(),
        key.to_pem()
    )
}

fn damaged(name: &str) -> Failure {
    refused(format!("{name} holds no signature that is read here"))
        .with_hint("Get the package again; the file is damaged, or of another program.")
}

fn of_other_content(name: &str) -> Failure {
    refused(format!("{name} is a signature of other content than this package"))
        .with_hint("Get the package again: the file belongs to another one.")
}

/// The refusal of a signature with a certificate in place of a key.
#[must_use]
pub fn keyless() -> Failure {
    refused(
        "it is signed without a key, by a certificate of Sigstore, which is not verified here"
            .into(),
    )
    .with_hint(
        "Verify it with cosign, as docs/trust.md shows, or ask its publisher to sign it with a key \
         too.",
    )
}

impl Signer<'_> {
    /// Whether the signer may publish this release.
    ///
    /// # Errors
    /// `untrusted` if the connector is another publisher's, or the release is older than the
    /// minimum.
    pub fn vouches_for(&self, identity: Identity) -> Result<Verified, Failure> {
        let Publisher { name, connectors, .. } = self.publisher;
        let Some(minimum) = connectors.get(&identity.id) else {
            return Err(refused(format!(
                "{name} signed it, who may not publish the connector `{}`",
                identity.id
            ))
            .with_remedy(Remedy::TrustPublisher {
                publisher: name.clone(),
                connector: identity.id.clone(),
            })
            .with_hint(format!(
                "If {name} may publish it, add `{}` to the connectors of {name} in the trust file.",
                identity.id
            )));
        };
        // By precedence: another build of the same release is not older.
        if let Some(minimum) =
            minimum.as_ref().filter(|minimum| identity.version.cmp_precedence(minimum).is_lt())
        {
            return Err(refused(format!(
                "{identity} is older than the minimum in the trust file, which is {minimum}"
            ))
            .with_remedy(Remedy::OtherRelease)
            .with_hint(
                "An old release was served in place of a newer one, or it was not updated. Get the \
                 newest from its publisher.",
            ));
        }
        Ok(Verified { publisher: name.clone(), identity, key: self.key.fingerprint() })
    }
}

/// The refusal of content without a valid signature of a trusted key.
#[must_use]
pub fn wrong_key() -> Failure {
    refused(
        "it is signed, but not by a key in the trust file, or it was changed after signing".into(),
    )
    .with_hint(
        "Compare the publisher's key with the one in the trust file, by another channel than the \
         one that the package came by.",
    )
}

impl Publisher {
    fn read(file: FilePublisher) -> Result<Self, Failure> {
        let name = smp_host::text::shortened(file.name.trim(), 100).into_owned();
        if name.is_empty() {
            return Err(unusable("a publisher has no name"));
        }
        bounded(&[
            (file.keys.len(), MOST_KEYS, &format!("keys of {name}")),
            (file.connectors.len(), MOST_CONNECTORS, &format!("connectors of {name}")),
        ])?;
        let read = |(number, text): (usize, &String)| {
            PublicKey::from_pem(text).map_err(|error| {
                unusable(&format!("key {} of {name} cannot be used: {error}", number + 1))
            })
        };
        let keys = file.keys.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(unusable(&format!("{name} has no key")));
        }
        let connectors =
            file.connectors.into_iter().map(|(id, connector)| (id, connector.minimum)).collect();
        Ok(Self { name, keys, connectors })
    }
}

fn bounded(bounds: &[(usize, usize, &str)]) -> Result<(), Failure> {
    match bounds.iter().find(|(number, most, _)| number > most) {
        Some((number, most, what)) => {
            Err(unusable(&format!("it has {number} {what}, more than {most}")))
        }
        None => Ok(()),
    }
}

fn refused(message: String) -> Failure {
    Failure::new(Code::Untrusted, message)
}

fn unusable(reason: &str) -> Failure {
    let failure =
        Failure::new(Code::InvalidSettings, format!("the trust file cannot be used: {reason}"));
    failure.with_remedy(Remedy::CorrectInput { input: "trust" }).with_hint(
        "It is TOML with a `[[publisher]]` for each: `name`, `keys` (public keys in PEM form) and \
         `connectors` (ids, each with a `minimum` if you like).",
    )
}

#[cfg(test)]
mod tests;
