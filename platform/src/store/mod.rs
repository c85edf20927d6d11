//! The database: SQLite in a folder, or PostgreSQL. One set of queries serves both; what differs
//! is the migrations, and how a writing transaction begins.

pub mod audit;
pub mod connections;
pub mod connectors;
pub mod secrets;
pub mod tokens;

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Any, AnyPool, AssertSqlSafe, SqlSafeStr, Transaction};

use crate::members::totals::Totals;
use crate::problem::Problem;

/// How long a statement waits for another process that writes.
const BUSY: &str = "PRAGMA busy_timeout = 20000";
/// Connections that read.
const READERS: u32 = 4;
/// Connections to PostgreSQL.
const MOST: u32 = 16;

/// The migrations of each database, in their order: version, what it does, SQL.
type Migrations = &'static [(i64, &'static str, &'static str)];
const SQLITE: Migrations =
    &[(1, "ledger", include_str!("../../migrations/sqlite/0001_ledger.sql"))];
const POSTGRES: Migrations =
    &[(1, "ledger", include_str!("../../migrations/postgres/0001_ledger.sql"))];

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A PostgreSQL server.
    Server(String),
}

/// An open store. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    readers: AnyPool,
    writers: AnyPool,
    begin: Option<&'static str>,
    folder: Option<Arc<PathBuf>>,
    /// Totals of lists, which are the same until the next whole run.
    pub(crate) totals: Totals,
}

/// A transaction that writes.
pub type Writing = Transaction<'static, Any>;

/// The right to serve a folder, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Place {
    /// The folder of the store, if it has one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Server(_) => None,
        }
    }
}

impl Store {
    /// Opens the store, and makes or migrates it.
    ///
    /// # Errors
    /// If it cannot be opened, or was made by a later version.
    pub async fn open(place: &Place) -> Result<Self, Problem> {
        sqlx::any::install_default_drivers();
        match place {
            Place::Folder(folder) => Self::open_folder(folder).await,
            Place::Server(url) => Self::open_server(url).await,
        }
    }

    async fn open_folder(folder: &Path) -> Result<Self, Problem> {
        make_folder(folder)?;
        let file = folder.join("platform.db");
        let unusable = |error: &dyn std::fmt::Display| {
            Problem::new(503, "database", format!("`{}` cannot be used: {error}", file.display()))
                .hint("Give a folder that this user may write to, on a disk with room.")
        };
        // SQLite would make the file readable by others.
        let made = File::options().create(true).append(true).mode(0o600).open(&file);
        made.map_err(|error| unusable(&error))?;
        let path = percent_encode(file.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
        let options = AnyConnectOptions::from_str(&format!("sqlite://{path}"))
            .map_err(|error| unusable(&error))?;
        let prepared = |most: u32| {
            AnyPoolOptions::new()
                .max_connections(most)
                .min_connections(0)
                .acquire_timeout(Duration::from_secs(60))
                .after_connect(|connection, _| {
                    Box::pin(async move {
                        // What is deleted is overwritten. A commit that a crash of the machine
                        // undoes takes its position with it.
                        let sql = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                                   PRAGMA secure_delete = ON; PRAGMA temp_store = FILE; \
                                   PRAGMA cache_size = -32768; \
                                   PRAGMA journal_size_limit = 67108864";
                        sqlx::raw_sql(BUSY).execute(&mut *connection).await?;
                        sqlx::raw_sql(sql).execute(&mut *connection).await?;
                        Ok(())
                    })
                })
        };
        let writers = prepared(1).connect_with(options.clone()).await;
        let writers = writers.map_err(|error| unusable(&error))?;
        migrate(SQLITE, &writers).await?;
        let readers = prepared(READERS).connect_lazy_with(options);
        let folder = Some(Arc::new(folder.to_owned()));
        let (begin, totals) = (Some("BEGIN IMMEDIATE"), Totals::default());
        Ok(Self { readers, writers, begin, folder, totals })
    }

    async fn open_server(url: &str) -> Result<Self, Problem> {
        let unusable = |error: &dyn std::fmt::Display| {
            Problem::new(503, "database", format!("the database cannot be used: {error}")).hint(
                "Give the address of a PostgreSQL database: postgres://USER@HOST:PORT/DATABASE.",
            )
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(unusable(&"its address does not begin with `postgres://`"));
        }
        // The address may hold a password: it is in no message.
        let options =
            AnyConnectOptions::from_str(url).map_err(|_| unusable(&"its address is malformed"))?;
        let pool = AnyPoolOptions::new().max_connections(MOST).connect_with(options).await;
        let pool = pool.map_err(|error| unusable(&error))?;
        migrate(POSTGRES, &pool).await?;
        let (readers, totals) = (pool.clone(), Totals::default());
        Ok(Self { readers, writers: pool, begin: None, folder: None, totals })
    }

    /// The connections that read.
    #[must_use]
    pub fn read(&self) -> &AnyPool {
        &self.readers
    }

    /// Begins a transaction that writes. With SQLite there is one at a time, in order of arrival.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn write(&self) -> Result<Writing, sqlx::Error> {
        match self.begin {
            Some(begin) => self.writers.begin_with(begin).await,
            None => self.writers.begin().await,
        }
    }

    /// The folder of the store, if it has one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref().map(PathBuf::as_path)
    }

    /// Writes what was deleted out of the write-ahead log too.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget(&self) -> Result<(), Problem> {
        if self.begin.is_some() {
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writers).await?;
        }
        Ok(())
    }

    /// Copies the store into a new file, while it is in use.
    ///
    /// # Errors
    /// If it cannot be written, or the store is on a server, which has its own way.
    pub async fn backup(&self, to: &Path) -> Result<(), Problem> {
        if self.begin.is_none() {
            return Err(Problem::invalid("`backup` copies a store in a folder")
                .hint("Use `pg_dump` for a PostgreSQL database."));
        }
        if to.exists() {
            return Err(Problem::conflict(format!("`{}` exists already", to.display()))
                .hint("Name a file that does not exist yet."));
        }
        let text = to.to_str().ok_or_else(|| Problem::invalid("the path is not UTF-8"))?;
        let made = File::options().create_new(true).write(true).mode(0o600).open(to);
        made.map_err(|error| {
            Problem::invalid(format!("`{}` cannot be written: {error}", to.display()))
        })?;
        let copied =
            sqlx::query("VACUUM INTO $1").bind(text.to_owned()).execute(&self.readers).await;
        if let Err(error) = copied {
            let _ = std::fs::remove_file(to);
            return Err(error.into());
        }
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

impl Lock {
    /// Takes the right to serve this folder.
    ///
    /// # Errors
    /// If another process has it.
    pub fn of(folder: &Path) -> Result<Self, Problem> {
        make_folder(folder)?;
        let path = folder.join("lock");
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| unwritable(folder, &error))?;
        file.try_lock().map_err(|_| {
            Problem::conflict(format!("another `serve` runs on `{}`", folder.display()))
                .hint("Use the one that runs, stop it, or give another folder with `--data`.")
        })?;
        Ok(Self { _file: file })
    }
}

fn make_folder(folder: &Path) -> Result<(), Problem> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| unwritable(folder, &error))
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Problem {
    Problem::new(503, "database", format!("`{}` cannot be written: {error}", folder.display()))
        .hint("Give a folder that this user may write to, with `--data DIR`.")
}

async fn migrate(migrations: Migrations, pool: &AnyPool) -> Result<(), Problem> {
    let migrations = migrations.iter().map(|(version, does, sql)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        Migration::new(*version, (*does).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect()).run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => Problem::new(
            503,
            "database",
            "the database was made by a later version of smp-platform",
        )
        .hint("Start that version, or restore a backup from before the upgrade."),
        MigrateError::VersionMismatch(_) | MigrateError::Dirty(_) => Problem::new(
            503,
            "database",
            "the tables of the database are not those of smp-platform",
        )
        .hint("Give another folder or database, or restore a backup."),
        error => Problem::new(503, "database", format!("the database cannot be used: {error}"))
            .hint("Give a folder on a disk with room, or a PostgreSQL database of its own."),
    })
}
