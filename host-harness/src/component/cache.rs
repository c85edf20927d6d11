//! A cache of compiled code, keyed by the component's digest and by the engine that compiled it.
//!
//! Compiled code is trusted like the host itself, so it is only ever read from a folder that belongs to this user and that nobody
//! else can write to; it is never taken from a package. Whatever is wrong with the cache, the component is compiled instead.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

/// Bytes of the checksum that a file begins with.
const CHECKSUM: usize = 32;

/// A folder of compiled components.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    engine: String,
}

/// Feeds a `Hash` into SHA-256: the standard hashers are not meant to be compared from one build to the next.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.clone().finalize().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }
}

impl Cache {
    /// The cache in this folder for this engine. The folder is made when something is stored.
    #[must_use]
    pub fn new(folder: PathBuf, engine: &wasmtime::Engine) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self { folder, engine: format!("{:016x}", hasher.finish()) }
    }

    /// The compiled component, if it is there and nobody else can have put it there.
    pub(super) fn load(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        let path = self.path(digest)?;
        if !is_private(&self.folder) || !is_private(&path) {
            return None;
        }
        let file = fs::read(path).ok()?;
        let (checksum, code) = file.split_at_checked(CHECKSUM)?;
        if Sha256::digest(code).as_slice() != checksum {
            return None;
        }
        #[expect(unsafe_code, reason = "compiled by this user on this machine: owner, mode, checksum and engine are checked above")]
        // SAFETY: the bytes were made by `Component::serialize` in `store`, and have not changed since.
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    /// Keeps a compiled component. It is no failure when that does not work out.
    pub(super) fn store(&self, component: &Component, digest: &str) {
        let Some(path) = self.path(digest) else { return };
        if let Err(error) = self.write(component, &path) {
            tracing::debug!("compiled code is not cached: {error}");
        }
    }

    fn write(&self, component: &Component, path: &Path) -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        if !is_private(&self.folder) {
            return Err(std::io::Error::other("its folder can be written to by others"));
        }
        let code = component.serialize().map_err(std::io::Error::other)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&Sha256::digest(&code))?;
        file.write_all(&code)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        let hex = digest.strip_prefix("sha256:")?;
        Some(self.folder.join(format!("{hex}-{}.cwasm", self.engine)))
    }
}

/// Whether a file or folder belongs to this user, is no link, and cannot be written to by anybody else.
fn is_private(path: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else { return false };
    !metadata.is_symlink() && metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const DIGEST: &str = "sha256:00ff";

    fn stored() -> (tempfile::TempDir, wasmtime::Engine, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let engine = wasmtime::Engine::default();
        let cache = Cache::new(folder.path().join("compiled"), &engine);
        cache.store(&Component::from_binary(&engine, EMPTY).unwrap(), DIGEST);
        (folder, engine, cache)
    }

    #[test]
    fn what_was_compiled_is_found_again() {
        let (_folder, engine, cache) = stored();
        assert!(cache.load(&engine, DIGEST).is_some());
        assert!(cache.load(&engine, "sha256:00fe").is_none());
    }

    #[test]
    fn what_others_could_have_written_is_not_loaded() {
        let (_folder, engine, cache) = stored();
        fs::set_permissions(&cache.folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(cache.load(&engine, DIGEST).is_none());
        fs::set_permissions(&cache.folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(cache.path(DIGEST).unwrap(), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(cache.load(&engine, DIGEST).is_none());
    }

    #[test]
    fn what_changed_on_the_disk_is_not_loaded() {
        let (_folder, engine, cache) = stored();
        let path = cache.path(DIGEST).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(cache.load(&engine, DIGEST).is_none());
    }
}
