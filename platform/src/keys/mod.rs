//! Secrets of connections, sealed before anything is stored.
//!
//! A secret is encrypted with a data key of its own (AES-256-GCM), bound to its tenant,
//! connection, setting and version, so that a row that was moved does not open. The data key is
//! wrapped by a key that lies outside of the database: in a key file, or in a Vault.

pub mod file;
pub mod seal;
pub mod vault;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::problem::Problem;
use crate::store::{Store, Writing, secrets};
use file::Ring;
use seal::{Context, Key, Sealed};
use vault::Vault;

/// Where the wrapping key is.
#[derive(Clone, Debug)]
pub enum Source {
    /// In this key file.
    File(PathBuf),
    /// In a Vault.
    Vault(vault::Options),
}

/// The wrapping keys of a platform. Clones share them.
#[derive(Clone, Debug)]
pub struct Keys(Wrapping);

#[derive(Clone, Debug)]
enum Wrapping {
    File(KeyFile),
    Vault(Arc<Vault>),
}

/// Data keys for secrets that are about to be sealed. No transaction waits for a Vault.
#[derive(Debug, Default)]
pub struct DataKeys(Vec<(Key, Vec<u8>)>);

#[derive(Clone, Debug)]
struct KeyFile {
    path: Arc<PathBuf>,
    ring: Arc<RwLock<Ring>>,
}

impl Keys {
    /// Opens the wrapping key. A key file is made if the store has no secret yet.
    ///
    /// # Errors
    /// If it is lost or malformed: says what is lost with it, and what is not.
    pub async fn open(source: &Source, store: &Store) -> Result<Self, Problem> {
        let keys = match source {
            Source::Vault(options) => Self::of_vault(options.clone())?,
            Source::File(path) => Self(Wrapping::File(KeyFile::of(match Ring::read(path)? {
                Some(ring) => (path, ring),
                None => match secrets::connections(store).await? {
                    0 => (path, Ring::make(path)?),
                    connections => return Err(lost(path, connections)),
                },
            }))),
        };
        keys.opens_what_is_there(store).await?;
        let used = secrets::wrapping_key(store).await?;
        if used.is_none_or(|id| !keys.has(&id)) {
            let mut writing = store.write().await?;
            secrets::wrap_with(&mut writing, &keys.id()).await?;
            writing.commit().await?;
        }
        Ok(keys)
    }

    /// Opens the wrapping key that another process of the store uses.
    ///
    /// # Errors
    /// If it is not there, or not the key of this store.
    pub async fn join(source: &Source, store: &Store) -> Result<Self, Problem> {
        let keys = match source {
            Source::Vault(options) => Self::of_vault(options.clone())?,
            Source::File(path) => {
                let Some(ring) = Ring::read(path)? else {
                    return Err(Problem::new(
                        503,
                        "key-file",
                        format!("the key file `{}` is missing", path.display()),
                    )
                    .hint("Give the key file of `serve`, or a copy of it, with the mode 0600."));
                };
                Self(Wrapping::File(KeyFile::of((path, ring))))
            }
        };
        keys.opens_what_is_there(store).await?;
        Ok(keys)
    }

    fn of_vault(options: vault::Options) -> Result<Self, Problem> {
        Ok(Self(Wrapping::Vault(Arc::new(Vault::new(options)?))))
    }

    /// A wrong key is noticed at the start, not in the middle of the night.
    async fn opens_what_is_there(&self, store: &Store) -> Result<(), Problem> {
        let some = secrets::after(store, "", "").await?;
        let (known, called) = match &self.0 {
            Wrapping::File(file) => {
                let ring = file.ring();
                let known = some.iter().all(|secret| ring.has(&secret.sealed));
                (known, format!("`{}`", file.path.display()))
            }
            Wrapping::Vault(vault) => {
                // One is enough to know that the Vault answers, and that it is the right one.
                let known = match some.first() {
                    Some(secret) => vault.unwrapped(&secret.sealed.wrapped).await?.is_some(),
                    None => vault.data_key().await.map(|_| true)?,
                };
                (known, vault.called())
            }
        };
        if known {
            return Ok(());
        }
        let connections = secrets::connections(store).await?;
        Err(Problem::new(503, "key-file", format!("{called} is not the key of this store"))
            .hint(what_is_lost(connections)))
    }

    /// The id of the key that wraps what is sealed now.
    fn id(&self) -> [u8; seal::ID] {
        match &self.0 {
            Wrapping::File(file) => file.ring().current().id(),
            Wrapping::Vault(vault) => vault.id(),
        }
    }

    fn has(&self, id: &[u8]) -> bool {
        match &self.0 {
            Wrapping::File(file) => file.ring().by_id(id).is_some(),
            Wrapping::Vault(vault) => vault.id() == id,
        }
    }

    /// Data keys for so many secrets, where they are made elsewhere.
    ///
    /// # Errors
    /// If the Vault does not answer as it should.
    pub async fn data_keys(&self, secrets: usize) -> Result<DataKeys, Problem> {
        let mut keys = DataKeys::default();
        if let Wrapping::Vault(vault) = &self.0 {
            for _ in 0..secrets {
                keys.0.push(vault.data_key().await?);
            }
        }
        Ok(keys)
    }

    /// Seals a secret, in the transaction that stores it: a rotation in another process waits until
    /// it is stored, or has noted its new key before.
    ///
    /// # Errors
    /// If the key file cannot be read, the database fails, or the machine gives no random numbers.
    pub async fn seal(
        &self,
        writing: &mut Writing,
        made: &mut DataKeys,
        context: &Context<'_>,
        secret: &str,
    ) -> Result<Sealed, Problem> {
        let id = secrets::hold_wrapping_key(writing).await?.ok_or_else(cannot_seal)?;
        match &self.0 {
            Wrapping::File(file) => {
                if file.ring().by_id(&id).is_none() {
                    file.reload()?;
                }
                let ring = file.ring();
                let key = ring.by_id(&id).ok_or_else(cannot_seal)?;
                seal::seal(key, context, secret.as_bytes())
            }
            Wrapping::Vault(_) if !self.has(&id) => Err(cannot_seal()),
            Wrapping::Vault(_) => {
                let (data, wrapped) = made.0.pop().ok_or_else(cannot_seal)?;
                Ok(Sealed { wrapped, text: seal::encrypted(&data, context, secret.as_bytes())? })
            }
        }
    }

    /// Opens a secret. After a rotation in another process, the key file is read again.
    ///
    /// # Errors
    /// If it was sealed in another context, changed, or by a key that is not there.
    pub async fn unseal(
        &self,
        context: &Context<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<String>, Problem> {
        let bytes = match &self.0 {
            Wrapping::File(file) => {
                if !file.ring().has(sealed) {
                    file.reload()?;
                }
                let ring = file.ring();
                ring.of(sealed).and_then(|key| seal::unseal(key, context, sealed))
            }
            Wrapping::Vault(vault) => {
                let data = vault.unwrapped(&sealed.wrapped).await?;
                data.and_then(|data| seal::decrypted(&data, context, &sealed.text))
            }
        };
        let bytes = bytes.ok_or_else(cannot_open)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| cannot_open())?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Makes a new wrapping key, wraps all data keys with it, and forgets the old ones. Runs go on
    /// meanwhile. Returns how many were wrapped.
    ///
    /// # Errors
    /// If the file or the database cannot be written, or the Vault does not permit it; calling it
    /// again completes it.
    pub async fn rotate(&self, store: &Store) -> Result<u64, Problem> {
        match &self.0 {
            Wrapping::File(file) => {
                let ring = file.ring().with_new_key()?;
                ring.write(&file.path)?;
                file.set(ring);
            }
            Wrapping::Vault(vault) => vault.rotate().await?,
        }
        let wrapped = self.wrap_all(store, None).await?;
        if let Wrapping::File(file) = &self.0 {
            let ring = file.ring().only_current();
            ring.write(&file.path)?;
            file.set(ring);
        }
        store.forget().await?;
        Ok(wrapped)
    }

    /// Wraps all data keys that a key file wrapped with the key in the Vault. Returns how many were
    /// wrapped. Processes that have the key file cannot seal or open any more.
    ///
    /// # Errors
    /// If the file does not open what is stored, or the Vault or the database fails; calling it
    /// again completes it.
    pub async fn take_over(path: &Path, to: vault::Options, store: &Store) -> Result<u64, Problem> {
        let ring = Ring::read(path)?
            .ok_or_else(|| lost(path, 0).hint("Name the key file that is used until now."))?;
        let wrapped = Self::of_vault(to)?.wrap_all(store, Some(&ring)).await?;
        store.forget().await?;
        Ok(wrapped)
    }

    /// Wraps all data keys with the current key: those of this ring, or its own.
    async fn wrap_all(&self, store: &Store, from: Option<&Ring>) -> Result<u64, Problem> {
        // From here on, every process seals with the new key.
        let mut writing = store.write().await?;
        secrets::wrap_with(&mut writing, &self.id()).await?;
        writing.commit().await?;
        let mut wrapped = 0;
        let (mut connection, mut setting) = (String::new(), String::new());
        loop {
            let some = secrets::after(store, &connection, &setting).await?;
            let Some(last) = some.last() else { break };
            connection.clone_from(&last.connection);
            setting.clone_from(&last.setting);
            // Before the transaction: none waits for a Vault.
            let new = self.wrapped(&some, from).await?;
            let mut writing = store.write().await?;
            for (secret, new) in some.iter().zip(&new) {
                wrapped += u64::from(secrets::rewrap(&mut writing, secret, new).await?);
            }
            writing.commit().await?;
        }
        Ok(wrapped)
    }

    async fn wrapped(
        &self,
        some: &[secrets::Stored],
        from: Option<&Ring>,
    ) -> Result<Vec<Vec<u8>>, Problem> {
        match &self.0 {
            Wrapping::File(file) => {
                let ring = file.ring();
                let new = |secret: &secrets::Stored| {
                    let old = ring.of(&secret.sealed)?;
                    seal::rewrapped(old, ring.current(), &secret.sealed)
                };
                some.iter().map(|secret| new(secret).ok_or_else(cannot_open)).collect()
            }
            Wrapping::Vault(vault) => {
                let mut all = Vec::with_capacity(some.len());
                for Sealed { wrapped, .. } in some.iter().map(|secret| &secret.sealed) {
                    all.push(wrapped.clone());
                }
                for (wrapped, secret) in all.iter_mut().zip(some) {
                    let old = from.and_then(|ring| ring.of(&secret.sealed));
                    if let Some(old) = old {
                        let data = seal::unwrap_key(old, &secret.sealed).ok_or_else(cannot_open)?;
                        *wrapped = vault.wrapped(&data).await?;
                    }
                }
                if all.iter().any(|wrapped| !Vault::is_wrapped(wrapped)) {
                    return Err(cannot_open());
                }
                vault.rewrapped(&all.iter().map(Vec::as_slice).collect::<Vec<_>>()).await
            }
        }
    }

    /// Begins with a new wrapping key after the old one was lost: forgets the secrets that cannot
    /// be opened any more. Returns how many connections need their keys again.
    ///
    /// # Errors
    /// If the key is there and opens what is stored, or the database fails.
    pub async fn begin_again(source: &Source, store: &Store) -> Result<i64, Problem> {
        match Self::open(source, store).await {
            Ok(_) => {
                return Err(Problem::conflict("the key is not lost: it opens what is stored")
                    .hint("Use `rotate-key` without `--lost` for a new key."));
            }
            // A Vault that is away is not lost.
            Err(problem) if problem.code == vault::CODE => return Err(problem),
            Err(_) => {}
        }
        let connections = secrets::connections(store).await?;
        if let Source::File(path) = source
            && path.exists()
        {
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
            "message": "the stored key was lost with the wrapping key of the platform",
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
        let id = match source {
            Source::File(path) => Ring::make(path)?.current().id(),
            Source::Vault(options) => Vault::new(options.clone())?.id(),
        };
        secrets::wrap_with(&mut writing, &id).await?;
        writing.commit().await?;
        Ok(connections)
    }
}

impl KeyFile {
    fn of((path, ring): (&PathBuf, Ring)) -> Self {
        Self { path: Arc::new(path.clone()), ring: Arc::new(RwLock::new(ring)) }
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
    Problem::new(503, "key-file", "this process has not the key that new secrets are sealed with")
        .hint("Start every process of this store with the same key file, or the same Vault.")
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
        "Put the right key back. Without it, the keys of {connections} connections cannot be \
         opened and must be entered again; members, history and runs are not lost. To begin with \
         a new one, run `smp-platform rotate-key --lost`."
    )
}
