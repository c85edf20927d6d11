//! Usage, after the members of a run: what is paid and used by product. It is kept by run, and only
//! whole; a failure leaves what an earlier run told, and ends nothing.

use std::sync::Arc;

use smp_host::collect::destination::Ending;
use smp_host::collect::in_memory::InMemory;
use smp_host::contract::UsagePage;
use smp_host::files::rowed::Rowed;
use smp_host::http::base::{Purpose, needed};
use smp_host::http::policy::method_of;
use smp_host::observer::Silent;
use sqlx::{Row, query};

use super::claims;
use crate::clock::now;
use crate::connections::Connections;
use crate::problem::Problem;
use crate::store::Store;
use crate::store::connections::{self, Connection};

/// A run that ended so lately is still with the process that ended it.
const JUST_NOW: i64 = 60_000;

/// Collects the usage of a whole run, if the connector tells it and everything that it needs is
/// approved.
///
/// # Errors
/// If the database fails.
pub(super) async fn collect(all: &Connections, connection: &str, run: &str) -> Result<(), Problem> {
    if !claims::claim_usage(&all.store, run, &all.worker).await? {
        return Ok(());
    }
    let pages = match connections::get(&all.store, connection, None).await {
        Ok(connection) => told(all, &connection, run).await?,
        // It was deleted meanwhile.
        Err(problem) if problem.status == 404 => return Ok(()),
        Err(problem) => return Err(problem),
    };
    store(&all.store, connection, run, pages.as_deref()).await
}

/// Runs whose usage is still to be collected, with their connections: the process that collected
/// it has ended.
///
/// # Errors
/// If the database fails.
pub(super) async fn due(store: &Store) -> Result<Vec<(String, String)>, Problem> {
    let sql = format!(
        "SELECT connection, id FROM runs \
         WHERE usage = 1 AND ended < $1 AND (held IS NULL OR held_until <= {})",
        store.clock()
    );
    // The process that concluded a run takes it in the next moment.
    let before = if store.is_shared() { now() - JUST_NOW } else { i64::MAX };
    let rows = query(sqlx::AssertSqlSafe(sql)).bind(before).fetch_all(store.read());
    rows.await?.iter().map(|row| Ok((row.try_get("connection")?, row.try_get("id")?))).collect()
}

async fn told(
    all: &Connections,
    connection: &Connection,
    run: &str,
) -> Result<Option<Vec<UsagePage>>, Problem> {
    let observer = Arc::new(Silent);
    let session = all.session(connection, Purpose::Usage, run, None, observer).await;
    let Ok((session, plugin, build)) = session else { return Ok(None) };
    let endpoints = Connections::endpoints(&build, connection);
    let settings: Vec<_> = connection
        .settings
        .iter()
        .map(|(key, value)| smp_host::contract::Setting { key: key.clone(), value: value.clone() })
        .collect();
    let granted =
        needed(plugin.descriptor(), &settings, Purpose::Usage).into_iter().all(|endpoint| {
            let text = format!("{} {}", method_of(endpoint.method), endpoint.path);
            endpoints.contains(&text.as_str())
        });
    if !plugin.tells_usage() || !granted {
        return Ok(None);
    }
    let mut entries = InMemory::<UsagePage>::default();
    let report = session.collect_usage(&mut entries, std::future::pending()).await;
    if entries.ending() != Some(Ending::Complete) {
        let code = report.error.map_or("other", |failure| failure.code.as_str());
        tracing::warn!(run, code, "usage could not be collected; what was told before is kept");
        return Ok(None);
    }
    Ok(Some(entries.pages().to_vec()))
}

async fn store(
    store: &Store,
    connection: &str,
    run: &str,
    pages: Option<&[UsagePage]>,
) -> Result<(), Problem> {
    let mut writing = store.write().await?;
    let sql = "UPDATE runs SET usage = $2, held = NULL, held_until = NULL \
               WHERE id = $1 AND usage = 1 RETURNING seq";
    let row = query(sql).bind(run.to_owned()).bind(if pages.is_some() { 2_i64 } else { 0 });
    let Some(row) = row.fetch_optional(&mut *writing).await? else { return Ok(()) };
    let seq: i64 = row.try_get("seq")?;
    let rows = pages.into_iter().flatten().flat_map(|page| page.rows());
    for (place, record) in (0_i64..).zip(rows) {
        let record = serde_json::to_string(&record)
            .map_err(|error| Problem::broken(format!("usage cannot be written: {error}")))?;
        query("INSERT INTO seats (connection, seq, place, record) VALUES ($1, $2, $3, $4)")
            .bind(connection.to_owned())
            .bind(seq)
            .bind(place)
            .bind(record)
            .execute(&mut *writing)
            .await?;
    }
    writing.commit().await?;
    Ok(())
}

/// Usage, and the run that told it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The rows.
    pub rows: Vec<serde_json::Value>,
    /// Id of the run; `None` if no run has told usage.
    pub run: Option<String>,
    /// When the run ended.
    pub at: Option<i64>,
}

/// The usage that was told last, up to the run of this number.
///
/// # Errors
/// If the database fails.
pub async fn list(store: &Store, connection: &str, seq: i64) -> Result<Told, Problem> {
    let sql = "SELECT id, seq, ended FROM runs WHERE connection = $1 AND usage = 2 AND seq <= $2 \
               ORDER BY seq DESC LIMIT 1";
    let row = query(sql).bind(connection.to_owned()).bind(seq).fetch_optional(store.read()).await?;
    let Some(row) = row else { return Ok(Told::default()) };
    let seq: i64 = row.try_get("seq")?;
    let sql = "SELECT record FROM seats WHERE connection = $1 AND seq = $2 ORDER BY place";
    let rows = query(sql).bind(connection.to_owned()).bind(seq).fetch_all(store.read()).await?;
    let rows = rows
        .iter()
        .map(|row| {
            let record: String = row.try_get("record")?;
            Ok(serde_json::from_str(&record).unwrap_or_default())
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok(Told { rows, run: Some(row.try_get("id")?), at: row.try_get("ended")? })
}
