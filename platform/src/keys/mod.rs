//! Secrets of connections, sealed before anything is stored.
//!
//! A secret is encrypted with a data key of its own (AES-256-GCM), bound to its tenant,
//! connection, setting and version, so that a row that was moved does not open. The data key is
//! wrapped by a key that lies outside of the database: in a key file.

pub mod file;
pub mod seal;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::problem::Problem;
use crate::store::{Store, Writing, secrets};
use file::Ring;
use seal::{Context, Sealed};

/// The wrapping keys of a platform. Clones share them.
#[derive(Clone, Debug)]
pub struct Keys {
    path: Arc<PathBuf>,
    ring: Arc<RwLock<Ring>>,
}

impl Keys {
    /// Opens the key file, and makes it if the store has no secret yet.
    ///
    /// # Errors
    /// If it is lost or malformed: says what is lost with it, and what is not.
    pub async fn open(path: &Path, store: &Store) -> Result<Self, Problem> {
        let ring = match Ring::read(path)? {
            Some(ring) => ring,
            None => match secrets::connections(store).await? {
                0 => Ring::make(path)?,
                connections => return Err(lost(path, connections)),
            },
        };
        let keys = Self { path: Arc::new(path.to_owned()), ring: Arc::new(RwLock::new(ring)) };
        keys.opens_what_is_there(store).await?;
        let used = secrets::wrapping_key(store).await?;
        if used.is_none_or(|id| keys.ring().by_id(&id).is_none()) {
            let id = keys.ring().current().id();
            let mut writing = store.write().await?;
            secrets::wrap_with(&mut writing, &id).await?;
            writing.commit().await?;
        }
        Ok(keys)
    }

    /// Opens the key file that another process of the store made.
    ///
    /// # Errors
    /// If it is not there, or not the key of this store.
    pub async fn join(path: &Path, store: &Store) -> Result<Self, Problem> {
        let Some(ring) = Ring::read(path)? else {
            return Err(Problem::new(
                503,
                "key-file",
                format!("the key file `{}` is missing", path.display()),
            )
            .hint("Give the key file of `serve`, or a copy of it, with the mode 0600."));
        };
        let keys = Self { path: Arc::new(path.to_owned()), ring: Arc::new(RwLock::new(ring)) };
        keys.opens_what_is_there(store).await?;
        Ok(keys)
    }

    /// A wrong key file is noticed at the start, not in the middle of the night.
    async fn opens_what_is_there(&self, store: &Store) -> Result<(), Problem> {
        let some = secrets::after(store, "", "").await?;
        let known = some.iter().all(|secret| self.ring().has(&secret.sealed));
        if known {
            return Ok(());
        }
        let connections = secrets::connections(store).await?;
        Err(Problem::new(
            503,
            "key-file",
            format!("`{}` is not the key of this store", self.path.display()),
        )
        .hint(what_is_lost(connections)))
    }

    /// Seals a secret, in the transaction that stores it: a rotation in another process waits until
    /// it is stored, or has noted its new key before.
    ///
    /// # Errors
    /// If the key file cannot be read, the database fails, or the machine gives no random numbers.
    pub async fn seal(
        &self,
        writing: &mut Writing,
        context: &Context<'_>,
        secret: &str,
    ) -> Result<Sealed, Problem> {
        let id = secrets::hold_wrapping_key(writing).await?.ok_or_else(cannot_seal)?;
        if self.ring().by_id(&id).is_none() {
            self.reload()?;
        }
        let ring = self.ring();
        let key = ring.by_id(&id).ok_or_else(cannot_seal)?;
        seal::seal(key, context, secret.as_bytes())
    }

    /// Opens a secret. After a rotation in another process, the key file is read again.
    ///
    /// # Errors
    /// If it was sealed in another context, changed, or by a key that is not there.
    pub fn unseal(
        &self,
        context: &Context<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<String>, Problem> {
        if !self.ring().has(sealed) {
            self.reload()?;
        }
        let ring = self.ring();
        let key = ring.of(sealed).ok_or_else(cannot_open)?;
        let bytes = seal::unseal(key, context, sealed).ok_or_else(cannot_open)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| cannot_open())?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Makes a new wrapping key, wraps all data keys with it, and forgets the old ones. Runs go on
    /// meanwhile. Returns how many were wrapped.
    ///
    /// # Errors
    /// If the file or the database cannot be written; calling it again completes it.
    pub async fn rotate(&self, store: &Store) -> Result<u64, Problem> {
        let ring = self.ring().with_new_key()?;
        ring.write(&self.path)?;
        let id = ring.current().id();
        self.set(ring);
        // From here on, every process seals with the new key.
        let mut writing = store.write().await?;
        secrets::wrap_with(&mut writing, &id).await?;
        writing.commit().await?;
        let mut wrapped = 0;
        let (mut connection, mut setting) = (String::new(), String::new());
        loop {
            let some = secrets::after(store, &connection, &setting).await?;
            let Some(last) = some.last() else { break };
            connection.clone_from(&last.connection);
            setting.clone_from(&last.setting);
            let mut writing = store.write().await?;
            for secret in &some {
                let new = {
                    let ring = self.ring();
                    ring.of(&secret.sealed)
                        .and_then(|old| seal::rewrapped(old, ring.current(), &secret.sealed))
                        .ok_or_else(cannot_open)?
                };
                wrapped += u64::from(secrets::rewrap(&mut writing, secret, &new).await?);
            }
            writing.commit().await?;
        }
        let ring = self.ring().only_current();
        ring.write(&self.path)?;
        self.set(ring);
        store.forget().await?;
        Ok(wrapped)
    }

    /// Begins with a new key file after the old one was lost: forgets the secrets that cannot be
    /// opened any more. Returns how many connections need their keys again.
    ///
    /// # Errors
    /// If the key file is there and opens what is stored, or the database fails.
    pub async fn begin_again(path: &Path, store: &Store) -> Result<i64, Problem> {
        if Self::open(path, store).await.is_ok() {
            return Err(Problem::conflict("the key file is not lost: it opens what is stored")
                .hint("Use `rotate-key` without `--lost` for a new key."));
        }
        let connections = secrets::connections(store).await?;
        if path.exists() {
            let aside = path.with_extension("wrong");
            std::fs::rename(path, &aside).map_err(|error| {
                Problem::new(
                    503,
                    "key-file",
                    format!("`{}` cannot be moved: {error}", path.display()),
                )
                .hint("Move it away yourself.")
            })?;
        }
        let mut writing = store.write().await?;
        let failure = serde_json::json!({
            "code": "credentials",
            "message": "the stored key was lost with the key file of the platform",
            "hint": "Give the connection its key again.",
            "retryable": false,
        });
        sqlx::query(
            "UPDATE connections SET state = 'attention', next_due = NULL, failure = $1 \
             WHERE id IN (SELECT connection FROM secrets)",
        )
        .bind(failure.to_string())
        .execute(&mut *writing)
        .await?;
        sqlx::query("DELETE FROM secrets").execute(&mut *writing).await?;
        let ring = Ring::make(path)?;
        secrets::wrap_with(&mut writing, &ring.current().id()).await?;
        writing.commit().await?;
        Ok(connections)
    }

    fn reload(&self) -> Result<(), Problem> {
        if let Some(ring) = Ring::read(&self.path)? {
            self.set(ring);
        }
        Ok(())
    }

    fn set(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }

    fn ring(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cannot_seal() -> Problem {
    Problem::new(503, "key-file", "the key file has not the key that new secrets are sealed with")
        .hint("Start every process of this store with the same key file.")
}

fn cannot_open() -> Problem {
    Problem::new(503, "key-file", "the stored key of this connection cannot be opened")
        .hint("Give the connection its key again; members and history are kept.")
}

fn lost(path: &Path, connections: i64) -> Problem {
    Problem::new(503, "key-file", format!("the key file `{}` is missing", path.display()))
        .hint(what_is_lost(connections))
}

fn what_is_lost(connections: i64) -> String {
    format!(
        "Put the right file back. Without it, the keys of {connections} connections cannot be \
         opened and must be entered again; members, history and runs are not lost. To begin with \
         a new key file, run `smp-platform rotate-key --lost`."
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::{Place, secrets::Stored};

    fn context(connection: &str) -> Context<'_> {
        Context { tenant: "t", connection, setting: "api-key", version: 1 }
    }

    #[tokio::test]
    async fn a_rotation_keeps_every_secret_and_another_process_follows() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
        let path = folder.path().join("key");
        let keys = Keys::open(&path, &store).await.unwrap();
        let other = Keys::open(&path, &store).await.unwrap();
        let mut writing = store.write().await.unwrap();
        for number in 0..250 {
            let connection = format!("c{number:03}");
            let secret = format!("key {number}");
            let sealed = keys.seal(&mut writing, &context(&connection), &secret).await.unwrap();
            let stored = Stored { connection, setting: "api-key".into(), version: 1, sealed };
            secrets::put(&mut writing, &stored).await.unwrap();
        }
        writing.commit().await.unwrap();
        let before = std::fs::read(&path).unwrap();
        assert_eq!(keys.rotate(&store).await.unwrap(), 250);
        assert_ne!(std::fs::read(&path).unwrap(), before);
        for number in [0, 99, 100, 249] {
            let connection = format!("c{number:03}");
            let stored = secrets::of(&store, &connection).await.unwrap();
            for keys in [&keys, &other] {
                let opened = keys.unseal(&context(&connection), &stored[0].sealed).unwrap();
                assert_eq!(*opened, format!("key {number}"));
            }
        }
        // What the other process seals after the rotation opens after the old key is forgotten.
        let mut writing = store.write().await.unwrap();
        let sealed = other.seal(&mut writing, &context("c250"), "later").await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(*keys.unseal(&context("c250"), &sealed).unwrap(), "later");
        std::fs::remove_file(&path).unwrap();
        let lost = Keys::open(&path, &store).await.unwrap_err();
        assert!(lost.hint.unwrap().contains("keys of 250 connections"));
        std::fs::write(&path, before).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let wrong = Keys::open(&path, &store).await.unwrap_err();
        assert!(wrong.detail.contains("is not the key of this store"), "{wrong}");
    }
}
