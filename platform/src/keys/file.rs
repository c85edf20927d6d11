//! The key file: a line for each wrapping key, in base64, the current one first. There is more than
//! one only while a rotation goes on.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::seal::{Key, Sealed};
use crate::problem::Problem;

/// Largest file: a rotation that is interrupted again and again leaves a key each time.
const LARGEST: u64 = 64 * 1024;

/// The wrapping keys of a file.
#[derive(Clone, Debug)]
pub struct Ring {
    current: Key,
    earlier: Vec<Key>,
}

impl Ring {
    /// Reads a key file; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read, is malformed, or others may read it.
    pub fn read(path: &Path) -> Result<Option<Self>, Problem> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, &error.to_string())),
        };
        let about = file.metadata().map_err(|error| unusable(path, &error.to_string()))?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(unusable(path, "other users may read it: `chmod 600` it"));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(LARGEST)
            .read_to_string(&mut text)
            .map_err(|error| unusable(path, &error.to_string()))?;
        let mut keys = Vec::new();
        for line in text.lines() {
            let bytes = STANDARD.decode(line.trim()).map(Zeroizing::new).ok();
            let key = bytes.as_ref().and_then(|bytes| Key::of(bytes));
            keys.push(key.ok_or_else(|| unusable(path, "it is not a key file"))?);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or_else(|| unusable(path, "it is empty"))?;
        Ok(Some(Self { current, earlier: keys.collect() }))
    }

    /// Makes a key file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn make(path: &Path) -> Result<Self, Problem> {
        let ring = Self { current: Key::random()?, earlier: Vec::new() };
        ring.write(path)?;
        Ok(ring)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let text: Zeroizing<String> = Zeroizing::new(
            std::iter::once(&self.current)
                .chain(&self.earlier)
                .map(|key| format!("{}\n", STANDARD.encode(key.bytes())))
                .collect(),
        );
        let partial = path.with_extension("partial");
        let write = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let _ = std::fs::remove_file(&partial);
            let mut file =
                File::options().create_new(true).write(true).mode(0o600).open(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&partial, path)
        };
        write().map_err(|error: std::io::Error| {
            let _ = std::fs::remove_file(&partial);
            unusable(path, &error.to_string())
        })
    }

    /// The key that new secrets are wrapped with.
    #[must_use]
    pub fn current(&self) -> &Key {
        &self.current
    }

    /// The key that wrapped this secret.
    #[must_use]
    pub fn of(&self, sealed: &Sealed) -> Option<&Key> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|key| sealed.wrapped.starts_with(&key.id()))
    }

    /// The key of this id.
    #[must_use]
    pub fn by_id(&self, id: &[u8]) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.earlier).find(|key| key.id() == id)
    }

    /// Whether the key that wrapped this secret is here.
    #[must_use]
    pub fn has(&self, sealed: &Sealed) -> bool {
        self.of(sealed).is_some()
    }

    /// The ring with a new current key.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn with_new_key(&self) -> Result<Self, Problem> {
        let mut earlier = vec![self.current.clone()];
        earlier.extend(self.earlier.iter().cloned());
        Ok(Self { current: Key::random()?, earlier })
    }

    /// The ring without earlier keys.
    #[must_use]
    pub fn only_current(&self) -> Self {
        Self { current: self.current.clone(), earlier: Vec::new() }
    }
}

fn unusable(path: &Path, reason: &str) -> Problem {
    Problem::new(
        503,
        "key-file",
        format!("the key file `{}` cannot be used: {reason}", path.display()),
    )
    .hint("Put the file back from its backup, with the mode 0600.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_for_its_owner_only_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/key");
        assert!(Ring::read(&path).unwrap().is_none());
        let made = Ring::make(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Ring::read(&path).unwrap().unwrap();
        assert_eq!(read.current().bytes(), made.current().bytes());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(Ring::read(&path).unwrap_err().detail.contains("chmod 600"));
        for text in ["", "not base64\n", "c2hvcnQ=\n"] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            assert!(Ring::read(&path).is_err(), "{text:?}");
        }
    }
}
