//! A package: the component of one release with the files that belong to it, in a folder or in
//! memory.
//!
//! ```text
//! SHA256SUMS.sig ── signature ─▶ SHA256SUMS ── digests ─▶ ID.wasm · listing.json, .md, .html · sbom.cdx.json · CHANGELOG.md
//! ```
//! Every [`Package`] has been checked against its own `SHA256SUMS`: each file that it names is
//! present with that digest, and there is no other file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::file;
use super::metadata::{Identity, Metadata};
use super::signature::bundle;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;
use smp_host::remedy::{Place, Remedy};

/// Name of the file that lists all others with their digests.
pub const SUMS: &str = "SHA256SUMS";
/// Name of the signature over it.
pub const SIGNATURE: &str = "SHA256SUMS.sig";
/// Name of the signature over it in the form of cosign 3.
pub const BUNDLE: &str = "SHA256SUMS.sigstore.json";
/// Name of the manifest of the artifact that a package was pulled from. It is kept only if the
/// package's files do not determine it.
pub const ORIGIN: &str = "SHA256SUMS.manifest.json";
/// Name of the listing for scripts.
pub const LISTING: &str = "listing.json";
/// Name of the software bill of materials.
pub const SBOM: &str = "sbom.cdx.json";

/// Largest `SHA256SUMS`, in bytes: room for a line for each of [`MOST_FILES`].
pub const LARGEST_SUMS: u64 = 16 * 1024;
/// Largest signature, in bytes: one of P-256 takes about a hundred in base64.
pub const LARGEST_SIGNATURE: u64 = 4 * 1024;
/// Largest manifest, in bytes: the same bound as for a registry's.
const LARGEST_ORIGIN: u64 = 1024 * 1024;
/// Largest file other than the component, in bytes: documents for people and marketplaces.
pub const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// Most files: a package has seven, and one with a picture eight.
pub const MOST_FILES: usize = 32;
/// Longest name of a file.
const LONGEST_NAME: usize = 128;

/// A package, or a component alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    component: (String, Vec<u8>),
    sums: Option<Sums>,
    /// The files other than the component, by name.
    files: BTreeMap<String, Vec<u8>>,
    signature: Option<Vec<u8>>,
    bundle: Option<Vec<u8>>,
    origin: Option<Vec<u8>>,
}

/// `SHA256SUMS`: its bytes, and its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    bytes: Vec<u8>,
    digests: BTreeMap<String, Digest>,
}

impl Package {
    /// Reads a package folder, or the file of a component without a package.
    ///
    /// # Errors
    /// `component` if something cannot be read, is too large or is not a package; `untrusted` if a
    /// file does not match `SHA256SUMS`.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, Failure> {
        if path.is_dir() {
            return Self::folder(path, limits);
        }
        let bytes = file::read_named(path, limits.component)
            .map_err(|error| unreadable(path, &error, limits))?;
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|name| is_plain_name(name))
            .unwrap_or("component.wasm");
        Ok(Self::alone(name, bytes))
    }

    /// A component without a package.
    #[must_use]
    pub fn alone(name: &str, component: Vec<u8>) -> Self {
        Self {
            component: (name.to_owned(), component),
            sums: None,
            files: BTreeMap::new(),
            signature: None,
            bundle: None,
            origin: None,
        }
    }

    fn folder(folder: &Path, limits: &Limits) -> Result<Self, Failure> {
        let sums = read(folder, SUMS, LARGEST_SUMS, limits)?.ok_or_else(|| no_package(folder))?;
        let sums = Sums::read(sums)?;
        let mut files = BTreeMap::new();
        for name in sums.digests.keys() {
            let most = if is_component(name) { limits.component } else { LARGEST_FILE };
            let bytes = read(folder, name, most, limits)?.ok_or_else(|| {
                changed(format!("`{name}` is missing, which {SUMS} names"))
                    .with_hint("Get the package again; it is incomplete.")
            })?;
            files.insert(name.clone(), bytes);
        }
        // The whole folder: the first name that does not belong to it ends the reading.
        let unreadable = |error| unreadable(folder, &error, limits);
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if ![SUMS, SIGNATURE, BUNDLE, ORIGIN].contains(&name.as_str())
                && !files.contains_key(&name)
            {
                let name = smp_host::text::shortened(&name, 100).into_owned();
                return Err(changed(format!("`{name}` is in the folder but not in {SUMS}"))
                    .with_hint(
                        "It does not belong to the package: remove it, or make the package again.",
                    ));
            }
        }
        let signature = read(folder, SIGNATURE, LARGEST_SIGNATURE, limits)?;
        let bundle = read(folder, BUNDLE, bundle::LARGEST, limits)?;
        let origin = read(folder, ORIGIN, LARGEST_ORIGIN, limits)?;
        Ok(Self { origin, bundle, ..Self::whole(sums, files, signature)? })
    }

    /// Adds a signature over the sums in the form of cosign 3.
    #[must_use]
    pub fn with_bundle(self, bundle: Option<Vec<u8>>) -> Self {
        Self { bundle, ..self }
    }

    /// Adds the manifest of the artifact that it was pulled from.
    #[must_use]
    pub fn pulled_from(self, manifest: Vec<u8>) -> Self {
        Self { origin: Some(manifest), ..self }
    }

    /// Makes a package of files that were read. Each must match the sums.
    ///
    /// # Errors
    /// `untrusted` if one does not; `component` if there is not exactly one component.
    pub fn whole(
        sums: Sums,
        mut files: BTreeMap<String, Vec<u8>>,
        signature: Option<Vec<u8>>,
    ) -> Result<Self, Failure> {
        for (name, digest) in &sums.digests {
            match files.get(name) {
                Some(bytes) if Digest::of(bytes) == *digest => {}
                Some(_) => return Err(tampered(name)),
                None => {
                    return Err(changed(format!("`{name}` is missing, which {SUMS} names"))
                        .with_hint("Get the package again."));
                }
            }
        }
        let name = sums.component()?.to_owned();
        let component = files.remove(&name).unwrap_or_default();
        files.retain(|name, _| sums.digests.contains_key(name));
        let (component, sums) = ((name, component), Some(sums));
        Ok(Self { component, sums, files, signature, bundle: None, origin: None })
    }

    /// The component's bytes.
    #[must_use]
    pub fn component(&self) -> &[u8] {
        &self.component.1
    }

    /// The name of the component's file.
    #[must_use]
    pub fn component_name(&self) -> &str {
        &self.component.0
    }

    /// The sums of the files. `None` for a component without a package.
    #[must_use]
    pub fn sums(&self) -> Option<&Sums> {
        self.sums.as_ref()
    }

    /// The files beside the component, by name.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The signature over the sums, in the form of its file.
    #[must_use]
    pub fn signature(&self) -> Option<&[u8]> {
        self.signature.as_deref()
    }

    /// The signature over the sums in the form of cosign 3.
    #[must_use]
    pub fn bundle(&self) -> Option<&[u8]> {
        self.bundle.as_deref()
    }

    /// The manifest of the artifact that it was pulled from, if it was kept. No signature covers
    /// it, so it may only make a package less trusted.
    #[must_use]
    pub fn origin(&self) -> Option<&[u8]> {
        self.origin.as_deref()
    }

    /// The component's metadata.
    ///
    /// # Errors
    /// `component` if they cannot be read.
    pub fn metadata(&self) -> Result<Metadata, Failure> {
        Metadata::read(self.component())
    }

    /// The identity of the connector.
    ///
    /// # Errors
    /// `component` if the metadata do not give it.
    pub fn identity(&self) -> Result<Identity, Failure> {
        self.metadata()?.identity()
    }

    /// Writes it as a folder: whole, or not at all.
    ///
    /// # Errors
    /// `output` if something else is there, or it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let fault = |error: io::Error| {
            Failure::new(Code::Output, format!("`{}` cannot be written: {error}", shown(folder)))
        };
        if folder.symlink_metadata().is_ok() {
            // Writing the same package again is not an error: a script may be repeated.
            return if self.is_at(folder) {
                self.keep_origin(folder).map_err(fault)
            } else {
                Err(Failure::new(
                    Code::Output,
                    format!(
                        "`{}` exists already, and is not the package that was pulled",
                        shown(folder)
                    ),
                )
                .with_remedy(Remedy::OtherPlace { of: Place::Output })
                .with_hint("Remove it first, or name another folder."))
            };
        }
        let parent = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or_else(|| PathBuf::from("."), Path::to_owned);
        fs::create_dir_all(&parent).map_err(fault)?;
        let working =
            tempfile::Builder::new().prefix(".package-").tempdir_in(&parent).map_err(fault)?;
        let whole = working.path().join("package");
        fs::create_dir(&whole).map_err(fault)?;
        for (name, bytes) in self.all() {
            fs::write(whole.join(name), bytes).map_err(fault)?;
        }
        fs::rename(&whole, folder).map_err(fault)
    }

    /// Whether the folder holds this package, from the same artifact. An older command did not keep
    /// the artifact's manifest.
    fn is_at(&self, folder: &Path) -> bool {
        let same = |(name, bytes): &(&str, &[u8])| {
            file::read(&folder.join(name), bytes.len() as u64).is_ok_and(|there| there == *bytes)
        };
        let names = names(folder).unwrap_or_default();
        let (origin, files): (Vec<_>, Vec<_>) =
            self.all().into_iter().partition(|(name, _)| *name == ORIGIN);
        let kept = names.iter().any(|name| name == ORIGIN);
        files.iter().all(same)
            && names.len() == files.len() + usize::from(kept)
            && (!kept || origin.first().is_some_and(same))
    }

    fn keep_origin(&self, folder: &Path) -> io::Result<()> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(origin)?;
        file.as_file().set_permissions(fs::metadata(folder.join(SUMS))?.permissions())?;
        file.persist(folder.join(ORIGIN)).map(drop).map_err(|error| error.error)
    }

    /// All files by name.
    fn all(&self) -> Vec<(&str, &[u8])> {
        let mut all: Vec<(&str, &[u8])> =
            self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        all.push((self.component_name(), self.component()));
        all.extend(self.sums.as_ref().map(|sums| (SUMS, sums.bytes())));
        all.extend(self.origin.as_deref().map(|origin| (ORIGIN, origin)));
        all.extend(self.bundle.as_deref().map(|bundle| (BUNDLE, bundle)));
        all.extend(self.signature.as_deref().map(|signature| (SIGNATURE, signature)));
        all
    }
}

impl Sums {
    /// Reads the file: a line for each file, with a digest, two blanks and a name.
    ///
    /// # Errors
    /// `component` if a line has another form, a name is not a plain name or occurs twice, or there
    /// are too many.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Failure> {
        let malformed = |line: usize| {
            Failure::new(
                Code::Component,
                format!("line {line} of {SUMS} does not name a file of a package"),
            )
            .with_hint(
                "A line is a SHA-256 digest, two blanks and a plain file name, as `sha256sum` \
                 writes it; each file is listed once.",
            )
        };
        let mut digests = BTreeMap::new();
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed(1))?;
        for (number, line) in text.lines().enumerate() {
            let number = number.saturating_add(1);
            let (digest, rest) = line.split_at_checked(64).ok_or_else(|| malformed(number))?;
            let name = rest
                .strip_prefix("  ")
                .or_else(|| rest.strip_prefix(" *"))
                .filter(|name| is_plain_name(name));
            let (Some(digest), Some(name)) = (Digest::from_hex(digest), name) else {
                return Err(malformed(number));
            };
            let reserved = name.starts_with(SUMS) || digests.len() >= MOST_FILES;
            if reserved || digests.insert(name.to_owned(), digest).is_some() {
                return Err(malformed(number));
            }
        }
        let sums = Self { bytes, digests };
        sums.component()?;
        Ok(sums)
    }

    /// The file's bytes, which a signature covers.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of every file, by its name.
    #[must_use]
    pub fn digests(&self) -> &BTreeMap<String, Digest> {
        &self.digests
    }

    /// The name of the component.
    ///
    /// # Errors
    /// `component` if there is none, or more than one.
    pub fn component(&self) -> Result<&str, Failure> {
        let mut components = self.digests.keys().filter(|name| is_component(name));
        match (components.next(), components.next()) {
            (Some(name), None) => Ok(name),
            _ => Err(Failure::new(
                Code::Component,
                format!("{SUMS} does not name exactly one `.wasm` file"),
            )
            .with_remedy(Remedy::WholePackage)
            .with_hint("A package holds one connector. Make the package again.")),
        }
    }
}

/// The refusal of a file that does not match its digest.
pub(crate) fn tampered(name: &str) -> Failure {
    changed(format!(
        "`{name}` does not match its digest in {SUMS}: it was changed after the package was made"
    ))
    .with_hint(
        "Do not use it. Get the package again, and compare; if you changed the file yourself, \
         make the package again.",
    )
}

fn changed(message: String) -> Failure {
    Failure::new(Code::Untrusted, message)
}

fn no_package(folder: &Path) -> Failure {
    Failure::new(Code::Component, format!("`{}` is not a package: it has no {SUMS}", shown(folder)))
        .with_remedy(Remedy::WholePackage)
        .with_hint("Make a package, or give the `.wasm` file itself.")
}

fn unreadable(path: &Path, error: &io::Error, limits: &Limits) -> Failure {
    if error.kind() == io::ErrorKind::FileTooLarge
        && path.extension().is_some_and(|ending| ending == "wasm")
    {
        return limits.component_too_large(&format!("`{}`", shown(path)));
    }
    Failure::new(Code::Component, format!("`{}` cannot be read: {error}", shown(path)))
        .with_remedy(Remedy::WholePackage)
        .with_hint("Give the folder of a package, or the `.wasm` file of a connector.")
}

fn read(folder: &Path, name: &str, most: u64, limits: &Limits) -> Result<Option<Vec<u8>>, Failure> {
    let path = folder.join(name);
    match file::read(&path, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error, limits)),
    }
}

/// The names in a folder: at most a few more than a package may have.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.take(2 * MOST_FILES);
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn is_component(name: &str) -> bool {
    name.ends_with(".wasm")
}

/// Whether a name is that of a file in the same folder, on any system, and is safe to show.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain
        && !name.is_empty()
        && !name.starts_with('.')
        && !name.starts_with('-')
        && name.len() <= LONGEST_NAME
}

fn shown(path: &Path) -> String {
    smp_host::text::shortened(&path.to_string_lossy(), 200).into_owned()
}

#[cfg(test)]
mod tests;
