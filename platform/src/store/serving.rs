//! The right to serve a store: one process has it. In a folder it is a locked file, on a server an
//! advisory lock of PostgreSQL, which ends with the connection that took it. Workers need neither.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection, Row, query};

use super::{Place, make_folder, malformed, unusable, unwritable};
use crate::problem::Problem;

/// The number of the lock, within a database.
const NUMBER: i64 = i64::from_be_bytes(*b"smp-serv");
/// Time between two looks whether the lock is still there.
const TURN: Duration = Duration::from_secs(2);
/// Time of one look.
const LOOK: Duration = Duration::from_secs(10);
/// How long one that begins waits for it: after the process that had it has ended, the server takes
/// a moment to notice.
const BEGINNING: Duration = Duration::from_secs(5);
/// Time between two tries of one that begins.
const TRY: Duration = Duration::from_millis(100);
/// How long another may have it, after the connection was lost, before this one ends: the server may
/// notice late that the old connection is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// The right to serve a store, until it is dropped.
#[derive(Debug)]
pub struct Lock(Held);

#[derive(Debug)]
enum Held {
    File { _file: File },
    Server { options: Box<AnyConnectOptions>, connection: Box<AnyConnection> },
}

impl Lock {
    /// Takes the right to serve this store.
    ///
    /// # Errors
    /// If another process has it, or the store cannot be used.
    pub async fn of(place: &Place) -> Result<Self, Problem> {
        match place {
            Place::Folder(folder) => Self::of_folder(folder),
            Place::Server(url) => Self::of_server(url).await,
        }
    }

    fn of_folder(folder: &Path) -> Result<Self, Problem> {
        make_folder(folder)?;
        let path = folder.join("lock");
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| unwritable(folder, &error))?;
        file.try_lock().map_err(|_| {
            Problem::conflict(format!("another `serve` runs on `{}`", folder.display()))
                .hint("Use the one that runs, stop it, or give another folder with `--data`.")
        })?;
        Ok(Self(Held::File { _file: file }))
    }

    async fn of_server(url: &str) -> Result<Self, Problem> {
        sqlx::any::install_default_drivers();
        let options = Box::new(AnyConnectOptions::from_str(url).map_err(|_| malformed())?);
        let begun = Instant::now();
        let (mut connection, mut taken) = take(&options).await.map_err(|error| unusable(&error))?;
        while !taken && begun.elapsed() < BEGINNING {
            tokio::time::sleep(TRY).await;
            taken = tried(&mut connection).await.map_err(|error| unusable(&error))?;
        }
        if taken {
            return Ok(Self(Held::Server { options, connection: Box::new(connection) }));
        }
        Err(Problem::conflict("another `serve` runs on this database").hint(
            "Use the one that runs, or stop it. For more runs at the same time, start \
             `smp-platform work`, as often as you like.",
        ))
    }

    /// Keeps the right, also after the database was away. Returns when another process has it.
    pub async fn keep(self) -> Problem {
        let Held::Server { options, mut connection } = self.0 else {
            return std::future::pending().await;
        };
        let mut lost = None::<Instant>;
        loop {
            tokio::time::sleep(TURN).await;
            if lost.is_none() {
                let look = query("SELECT 1").execute(&mut *connection);
                if matches!(tokio::time::timeout(LOOK, look).await, Ok(Ok(_))) {
                    continue;
                }
                tracing::warn!("the connection that keeps other `serve` away was lost");
            }
            let since = *lost.get_or_insert_with(Instant::now);
            match tokio::time::timeout(LOOK, take(&options)).await {
                Ok(Ok((again, true))) => (*connection, lost) = (again, None),
                Ok(Ok((_, false))) if since.elapsed() >= PATIENCE => {
                    return Problem::conflict("another `serve` has taken this database over")
                        .hint("This one ends. Workers go on, and so do the runs.");
                }
                _ => {}
            }
        }
    }
}

/// A connection, and whether it has the lock.
async fn take(options: &AnyConnectOptions) -> Result<(AnyConnection, bool), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    let taken = tried(&mut connection).await?;
    Ok((connection, taken))
}

/// Whether this connection has the lock now.
async fn tried(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let row = query("SELECT pg_try_advisory_lock($1) AS taken").bind(NUMBER);
    row.fetch_one(connection).await?.try_get("taken")
}
