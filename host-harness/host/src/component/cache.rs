//! A cache of compiled code, keyed by the component's digest and by the engine that compiled it.
//!
//! Compiled code is trusted like the host itself. So it is read only from a folder that belongs to
//! this user and that no one else can write to, and never from a package. If anything is wrong with
//! the cache, the component is compiled instead. The cache is bounded: the least recently used file
//! is removed first.

use std::fs;
#[cfg(feature = "compile")]
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::compile::Compiled;

/// Bytes of the checksum at the start of a file.
const CHECKSUM: usize = 32;
/// Bytes of all files together: some hundred connectors.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Age at which an unfinished file counts as abandoned by its writer. Writing one takes less than a
/// second.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// A folder of compiled components.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    engine: String,
    most_bytes: u64,
}

impl Cache {
    /// The cache in this folder for this engine. The folder is created when something is stored.
    #[must_use]
    pub fn new(folder: PathBuf, engine: &wasmtime::Engine) -> Self {
        Self { folder, engine: key(engine), most_bytes: MOST_BYTES }
    }

    /// The compiled component, if it is cached and no one else can have written it.
    pub(super) fn load(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        let file = private_file(&self.folder, &self.path(digest)?)?;
        let (checksum, code) = file.split_at_checked(CHECKSUM)?;
        if Sha256::digest(code).as_slice() != checksum {
            return None;
        }
        Compiled::trusted(code.to_vec()).component(engine).ok()
    }

    /// Stores compiled code. An error only means that it is not cached.
    pub(super) fn store(&self, code: &Compiled, digest: &str) {
        let Some(path) = self.path(digest) else { return };
        if let Err(error) = self.write(code.bytes(), &path).and_then(|()| self.make_room(&path)) {
            tracing::warn!("compiled code is not cached: {error}");
        }
    }

    /// Removes the least recently used files, except for the one just written, until the rest fits.
    ///
    /// Other processes may do the same at the same time: a file that is removed while another
    /// process reads it is still read to its end, and a missing one is compiled again.
    fn make_room(&self, written: &Path) -> std::io::Result<()> {
        let now = SystemTime::now();
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            // It may have been removed meanwhile.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let used = metadata.modified()?;
            if path.extension().is_some_and(|extension| extension == "cwasm") {
                files.push((used, metadata.len(), path));
            } else if metadata.is_file()
                && now.duration_since(used).is_ok_and(|age| age > ABANDONED)
            {
                let _ = fs::remove_file(path);
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files.iter().filter(|(.., path)| path != written) {
            if bytes <= self.most_bytes {
                break;
            }
            let _ = fs::remove_file(path);
            bytes = bytes.saturating_sub(*size);
        }
        Ok(())
    }

    fn write(&self, code: &[u8], path: &Path) -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        if !fs::symlink_metadata(&self.folder)
            .is_ok_and(|folder| folder.is_dir() && is_private(&folder))
        {
            return Err(std::io::Error::other("its folder can be written to by others"));
        }
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        let hex = digest.strip_prefix("sha256:")?;
        Some(self.folder.join(format!("{hex}-{}.cwasm", self.engine)))
    }
}

/// The content of a file that no one else can have written. It is opened before it is checked, so
/// that it cannot be exchanged in between.
fn private_file(folder: &Path, path: &Path) -> Option<Vec<u8>> {
    if !fs::symlink_metadata(folder).is_ok_and(|folder| folder.is_dir() && is_private(&folder)) {
        return None;
    }
    // Without blocking, because a pipe in its place would stop the host.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).ok()?)
        .open(path)
        .ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || !is_private(&metadata) {
        return None;
    }
    // Notes the time of the last use. If that fails, the file is only removed earlier.
    let _ = file.set_modified(SystemTime::now());
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Whether it belongs to this user and no one else can write to it.
fn is_private(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

/// A key that is equal for engines that can run each other's code.
#[cfg(feature = "compile")]
fn key(engine: &wasmtime::Engine) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// An engine without a compiler cannot tell. It refuses code of another engine when it loads it;
/// then the code is compiled again.
#[cfg(not(feature = "compile"))]
fn key(_: &wasmtime::Engine) -> String {
    concat!("loads-", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Feeds a `Hash` into SHA-256, because the standard hashers may differ from one build to the next.
#[cfg(feature = "compile")]
struct Sha256Hasher(Sha256);

#[cfg(feature = "compile")]
impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        self.0
            .clone()
            .finalize()
            .iter()
            .take(8)
            .fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }
}

// A test needs a compiler to have something to cache.
#[cfg(feature = "compile")]
#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const DIGEST: &str = "sha256:00ff";

    fn stored() -> (tempfile::TempDir, wasmtime::Engine, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let engine = wasmtime::Engine::default();
        let cache = Cache::new(folder.path().join("compiled"), &engine);
        cache.store(&Compiled::trusted(engine.precompile_component(EMPTY).unwrap()), DIGEST);
        (folder, engine, cache)
    }

    #[test]
    fn what_was_compiled_is_found_again() {
        let (_folder, engine, cache) = stored();
        assert!(cache.load(&engine, DIGEST).is_some());
        assert!(cache.load(&engine, "sha256:00fe").is_none());
    }

    #[test]
    fn what_was_not_used_for_longest_goes_when_there_is_no_room() {
        let (_folder, engine, mut cache) = stored();
        let code = Compiled::trusted(engine.precompile_component(EMPTY).unwrap());
        let path = |digest: &str| cache.path(digest).unwrap();
        let files = [DIGEST, "sha256:01", "sha256:02"];
        let size = fs::metadata(path(DIGEST)).unwrap().len();
        let of_age = |digest: &str, seconds: u64| {
            let file = fs::OpenOptions::new().write(true).open(path(digest)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        };
        cache.store(&code, files[1]);
        of_age(DIGEST, 30);
        of_age(files[1], 20);
        // The older of the two is used again.
        assert!(cache.load(&engine, DIGEST).is_some());
        cache.most_bytes = 2 * size;
        cache.store(&code, files[2]);
        assert_eq!(files.map(|digest| cache.load(&engine, digest).is_some()), [true, false, true]);
        cache.most_bytes = 0;
        cache.store(&code, files[1]);
        assert_eq!(
            files.map(|digest| cache.load(&engine, digest).is_some()),
            [false, true, false],
            "what was just written stays"
        );
    }

    #[test]
    fn what_a_writer_left_unfinished_goes_when_it_is_old() {
        let (_folder, engine, cache) = stored();
        let code = Compiled::trusted(engine.precompile_component(EMPTY).unwrap());
        let [old, new] = [".tmp-old", ".tmp-new"].map(|name| cache.folder.join(name));
        for (path, age) in [(&old, 7_200), (&new, 60)] {
            fs::write(path, "x").unwrap();
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        cache.store(&code, "sha256:01");
        assert_eq!((old.exists(), new.exists()), (false, true));
    }

    #[test]
    fn many_processes_may_make_room_at_once() {
        let (_folder, engine, mut cache) = stored();
        let code = engine.precompile_component(EMPTY).unwrap();
        cache.most_bytes = 3 * code.len() as u64;
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (cache, code, engine) = (&cache, &code, &engine);
                scope.spawn(move || {
                    for number in 0..20 {
                        cache.store(
                            &Compiled::trusted(code.clone()),
                            &format!("sha256:{thread}{number:02}"),
                        );
                        let _ =
                            cache.load(engine, &format!("sha256:{}{number:02}", (thread + 1) % 8));
                    }
                });
            }
        });
        cache.store(&Compiled::trusted(code), DIGEST);
        assert!(cache.load(&engine, DIGEST).is_some());
        assert!(fs::read_dir(&cache.folder).unwrap().count() <= 3);
    }

    #[test]
    fn what_others_could_have_written_is_not_loaded() {
        let (_folder, engine, cache) = stored();
        fs::set_permissions(&cache.folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(cache.load(&engine, DIGEST).is_none());
        fs::set_permissions(&cache.folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(cache.path(DIGEST).unwrap(), fs::Permissions::from_mode(0o666))
            .unwrap();
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

    #[test]
    fn what_is_no_file_of_its_own_is_not_loaded() {
        let (folder, engine, cache) = stored();
        let (path, elsewhere) = (cache.path(DIGEST).unwrap(), folder.path().join("elsewhere"));
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(cache.load(&engine, DIGEST).is_none(), "a link");
        fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap();
        assert!(cache.load(&engine, DIGEST).is_none(), "a pipe without a writer");
        fs::remove_file(&path).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
        assert!(cache.load(&engine, DIGEST).is_some(), "the file itself");
        let real = folder.path().join("real");
        fs::rename(&cache.folder, &real).unwrap();
        std::os::unix::fs::symlink(&real, &cache.folder).unwrap();
        assert!(cache.load(&engine, DIGEST).is_none(), "a folder that is a link");
    }

    #[test]
    fn code_of_another_component_or_another_engine_is_not_taken_for_this_one() {
        let (_folder, _engine, cache) = stored();
        let mut other = wasmtime::Config::new();
        other.epoch_interruption(true);
        let other = wasmtime::Engine::new(&other).unwrap();
        assert!(Cache::new(cache.folder.clone(), &other).load(&other, DIGEST).is_none());
        assert!(
            cache.load(&other, DIGEST).is_none(),
            "wasmtime itself sees that the engine is another one"
        );
    }
}
