//! The database: SQLite in a folder, or PostgreSQL. One set of queries serves both; what differs
//! is the migrations, and how a writing transaction begins.

pub mod audit;
pub mod connections;
pub mod connectors;
pub mod secrets;
pub mod serving;
pub mod tokens;

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Row, SqlSafeStr, Transaction, query,
};

use crate::members::totals::Totals;
use crate::problem::Problem;

/// How long a statement waits for another process that writes.
const BUSY: &str = "PRAGMA busy_timeout = 20000";
/// Begins a view of PostgreSQL's.
const AS_OF_NOW: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                         SET LOCAL idle_in_transaction_session_timeout = 0";
/// A process that is paused in the middle of a transaction keeps its rows from others no longer
/// than this: the server ends the transaction. Who reads holds nothing, and may be slow.
const NOT_IDLE: &str = "SET idle_in_transaction_session_timeout = '10s'";
/// Connections that read.
const READERS: u32 = 8;
/// Connections to PostgreSQL.
const MOST: u32 = 16;

/// The migrations of each database, in their order: version, what it does, SQL.
type Migrations = &'static [(i64, &'static str, &'static str)];
const SQLITE: Migrations = &[
    (1, "ledger", include_str!("../../migrations/sqlite/0001_ledger.sql")),
    (2, "many machines", include_str!("../../migrations/sqlite/0002_many_machines.sql")),
    (3, "pages", include_str!("../../migrations/sqlite/0003_pages.sql")),
    (4, "audit", include_str!("../../migrations/sqlite/0004_audit.sql")),
    (5, "few", include_str!("../../migrations/sqlite/0005_few.sql")),
    (6, "whole pages", include_str!("../../migrations/sqlite/0006_whole_pages.sql")),
    (7, "search", include_str!("../../migrations/sqlite/0007_search.sql")),
];
const POSTGRES: Migrations = &[
    (1, "ledger", include_str!("../../migrations/postgres/0001_ledger.sql")),
    (2, "many machines", include_str!("../../migrations/postgres/0002_many_machines.sql")),
    (3, "pages", include_str!("../../migrations/postgres/0003_pages.sql")),
    (4, "audit", include_str!("../../migrations/postgres/0004_audit.sql")),
    (5, "few", include_str!("../../migrations/postgres/0005_few.sql")),
    (6, "whole pages", include_str!("../../migrations/postgres/0006_whole_pages.sql")),
    (7, "storage", include_str!("../../migrations/postgres/0007_storage.sql")),
];
/// The instant of a statement, in milliseconds, as each database says it.
const SQLITE_CLOCK: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const POSTGRES_CLOCK: &str = "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)";
/// How long a statement waits for a connection.
const CONNECTION: Duration = Duration::from_secs(15);

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
    /// How a transaction that writes begins, in a folder.
    begin: Option<&'static str>,
    folder: Option<Arc<PathBuf>>,
    /// Totals of lists, which are the same until the next whole run.
    pub(crate) totals: Totals,
    /// Whether what was deleted is still in the write-ahead log.
    remembers: Arc<AtomicBool>,
}

/// A transaction that writes.
pub type Writing = Transaction<'static, Any>;

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
            Place::Server(url) => Self::open_server(url, true).await,
        }
    }

    /// Opens the store of a server beside the process that serves it. One that is empty is made; the
    /// tables of another version stay as they are.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn join(url: &str) -> Result<Self, Problem> {
        sqlx::any::install_default_drivers();
        Self::open_server(url, false).await
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
                // What follows asks it too.
                .test_before_acquire(false)
                .before_acquire(|connection, _| {
                    Box::pin(async move {
                        // A disk that is full ends a transaction by itself. The library, which
                        // cannot end it again, would refuse every later one on this connection.
                        connection.ping().await?;
                        Ok(!connection.is_in_transaction())
                    })
                })
                .after_connect(|connection, _| {
                    Box::pin(async move {
                        // What is deleted is overwritten. A commit that a crash of the machine
                        // undoes takes its position with it.
                        let sql = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                                   PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; \
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
        let begin = Some("BEGIN IMMEDIATE");
        let (totals, remembers) = Default::default();
        Ok(Self { readers, writers, begin, folder, totals, remembers })
    }

    async fn open_server(url: &str, older_too: bool) -> Result<Self, Problem> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(unusable(&"its address does not begin with `postgres://`"));
        }
        // The address may hold a password: it is in no message.
        let options = AnyConnectOptions::from_str(url).map_err(|_| malformed())?;
        // The pool would try again for half a minute, and then not say why.
        let first = AnyConnection::connect_with(&options).await;
        first.map_err(|error| unusable(&error))?.close().await.map_err(|error| unusable(&error))?;
        let pool = AnyPoolOptions::new()
            .max_connections(MOST)
            .acquire_timeout(CONNECTION)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(NOT_IDLE).execute(&mut *connection).await?;
                    Ok(())
                })
            });
        let pool = pool.connect_with(options).await.map_err(|error| unusable(&error))?;
        let sql = "SELECT count(*) AS n FROM information_schema.tables \
                   WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'";
        let is_made: i64 = query(sql).fetch_one(&pool).await?.try_get("n")?;
        if older_too || is_made == 0 {
            migrate(POSTGRES, &pool).await?;
        }
        let (readers, writers, begin, folder) = (pool.clone(), pool, None, None);
        let (totals, remembers) = Default::default();
        Ok(Self { readers, writers, begin, folder, totals, remembers })
    }

    /// Whether other processes may have runs of this store: it is on a server.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.begin.is_none()
    }

    /// The instant of a statement in milliseconds since 1970, by the clock of the database.
    pub(crate) fn clock(&self) -> &'static str {
        if self.is_shared() { POSTGRES_CLOCK } else { SQLITE_CLOCK }
    }

    /// The version of the tables that this build works with.
    pub(crate) fn schema(&self) -> i64 {
        let migrations = if self.is_shared() { POSTGRES } else { SQLITE };
        migrations.last().map_or(0, |(version, ..)| *version)
    }

    /// Whether the tables are those of this build.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_of_this_build(&self) -> Result<bool, Problem> {
        let sql = "SELECT max(version) AS version FROM _sqlx_migrations";
        let version: Option<i64> = query(sql).fetch_one(self.read()).await?.try_get("version")?;
        Ok(version == Some(self.schema()))
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

    /// What is stored as of one moment, for several queries.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn view(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.begin {
            // With SQLite, the first query sets the moment.
            Some(_) => self.readers.begin().await,
            None => self.readers.begin_with(AS_OF_NOW).await,
        }
    }

    /// The folder of the store, if it has one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref().map(PathBuf::as_path)
    }

    /// Writes what was deleted out of the write-ahead log too. While somebody reads what was there
    /// before, it stays in the log, and [`Store::remembers`].
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget(&self) -> Result<(), Problem> {
        if self.is_shared() {
            return Ok(());
        }
        let mut writer = self.writers.acquire().await?;
        // A writer does not wait for readers.
        sqlx::raw_sql("PRAGMA busy_timeout = 0").execute(&mut *writer).await?;
        let done = query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *writer).await;
        sqlx::raw_sql(BUSY).execute(&mut *writer).await?;
        let busy: i64 = done?.try_get(0)?;
        self.remembers.store(busy != 0, Ordering::Relaxed);
        Ok(())
    }

    /// Whether [`Store::forget`] is to be called again.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.remembers.load(Ordering::Relaxed)
    }

    /// Copies the store into a new file, while it is in use.
    ///
    /// # Errors
    /// If it cannot be written, or the store is on a server, which has its own way.
    pub async fn backup(&self, to: &Path) -> Result<(), Problem> {
        if self.is_shared() {
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
        let copied = query("VACUUM INTO $1").bind(text.to_owned()).execute(&self.readers).await;
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

/// What an operator gives for a server.
const ADDRESS: &str =
    "Give the address of a PostgreSQL database: postgres://USER@HOST:PORT/DATABASE.";

fn unusable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(503, "database", format!("the database cannot be used: {error}")).hint(ADDRESS)
}

fn malformed() -> Problem {
    Problem::invalid("the address of the database is malformed").hint(ADDRESS)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_deleted_leaves_the_log_as_soon_as_no_one_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
        let log = folder.path().join("platform.db-wal");
        let change = async |sql: &'static str| {
            let mut writing = store.write().await.unwrap();
            query(sql).execute(&mut *writing).await.unwrap();
            writing.commit().await.unwrap();
        };
        change("INSERT INTO facts (name, value) VALUES ('person', 'zoe@example.test')").await;
        let mut view = store.view().await.unwrap();
        let there = "SELECT count(*) AS n FROM facts WHERE name = 'person'";
        query(there).fetch_one(&mut *view).await.unwrap();
        change("DELETE FROM facts WHERE name = 'person'").await;
        store.forget().await.unwrap();
        assert!(store.remembers());
        // A view stays as of its moment.
        let row = query(there).fetch_one(&mut *view).await.unwrap();
        assert_eq!(row.get::<i64, _>("n"), 1);
        view.rollback().await.unwrap();
        store.forget().await.unwrap();
        assert!(!store.remembers());
        assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
        let bytes = std::fs::read(folder.path().join("platform.db")).unwrap();
        assert!(!bytes.windows(16).any(|part| part == b"zoe@example.test"));
    }

    #[tokio::test]
    async fn members_of_an_earlier_version_stay_and_an_open_run_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}?mode=rwc", folder.path().join("platform.db").display());
        sqlx::any::install_default_drivers();
        let old = AnyPool::connect(&file).await.unwrap();
        migrate(&SQLITE[..5], &old).await.unwrap();
        let sql = "INSERT INTO members (connection, id, since, until, present, what, at, \
                   first_seen, hash, core, record, sort, search, uses, last_seen) VALUES \
                   ('c', 'b', 1, 2, 1, 'appeared', 5, 5, x'01', x'02', '{}', 'zoe', 'zoe', 'u', 7), \
                   ('c', 'b', 2, 9, 0, 'gone', 6, 5, x'01', x'02', '{}', 'zoe', 'zoe', 'u', NULL), \
                   ('c', 'a', 1, 9, 1, 'appeared', 5, 5, x'03', x'04', '{}', 'jo', 'jo', '', NULL); \
                   INSERT INTO runs (id, connection, seq, due, state, epoch, page, sweep, done, \
                   counts, notes, provenance, requests, retries, waited_ms, bytes, attempts, stop, \
                   started) VALUES \
                   ('r1', 'c', 1, 1, 'complete', 1, 1, 0, 1, '', '', 'p', 0, 0, 0, 0, 0, 0, 1), \
                   ('r2', 'c', 2, 2, 'open', 1, 1, 0, 0, '', '', 'p', 0, 0, 0, 0, 0, 0, 2)";
        sqlx::raw_sql(sql).execute(&old).await.unwrap();
        old.close().await;
        let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
        let text = async |sql: &'static str| {
            query(sql).fetch_one(store.read()).await.unwrap().get::<String, _>(0)
        };
        let rows = "SELECT group_concat(id || since || until || present || what || at || \
                    first_seen || hex(hash) || hex(core) || sort || search || uses || \
                    coalesce(last_seen, '-'), ' ') \
                    FROM (SELECT * FROM members ORDER BY place)";
        let expected = "a191appeared550304jojo- b121appeared550102zoezoeu7 b290gone650102zoezoeu-";
        assert_eq!(text(rows).await, expected);
        let runs = "SELECT group_concat(coalesce(provenance, '-'), ' ') \
                    FROM (SELECT * FROM runs ORDER BY id)";
        assert_eq!(text(runs).await, "p -");
        // They are added to what is searched.
        crate::members::search::catch_up(&store).await.unwrap();
        let found = "SELECT CAST(count(*) AS TEXT) FROM members_found";
        assert_eq!(text(found).await, "3");
    }

    #[test]
    fn both_databases_have_the_same_tables() {
        let plain = |(version, does, sql): &(i64, &str, &str)| {
            let mut sql = (*sql).to_owned();
            for (theirs, common) in [
                ("BYTEA", "BLOB"),
                (" COLLATE \"C\"", ""),
                ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "INTEGER PRIMARY KEY"),
                // Who has a run takes its row before its pages.
                ("LOCK TABLE runs IN EXCLUSIVE MODE;\n", ""),
                ("migrations/postgres", "migrations/other"),
                ("migrations/sqlite", "migrations/other"),
            ] {
                sql = sql.replace(theirs, common);
            }
            (*version, (*does).to_owned(), sql)
        };
        // The index that searches is SQLite's own, and with it the numbers of members; how values
        // are stored is told to PostgreSQL alone.
        let tables = |migrations: Migrations| -> Vec<_> {
            let common =
                migrations.iter().filter(|(_, does, _)| !["search", "storage"].contains(does));
            common.map(plain).collect()
        };
        assert_eq!(tables(SQLITE), tables(POSTGRES));
    }
}
