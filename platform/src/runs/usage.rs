//! Usage, after the members of a run: what is paid and used by product. It is kept only whole; a
//! failure leaves what the run before told, and ends nothing.

use std::sync::Arc;

use smp_host::collect::destination::Ending;
use smp_host::collect::in_memory::InMemory;
use smp_host::component::plugin::Plugin;
use smp_host::contract::UsagePage;
use smp_host::files::row::Rowed;
use smp_host::http::base::{Purpose, needed};
use smp_host::http::policy::method_of;
use smp_host::observer::Silent;
use sqlx::{Row, query};

use crate::connections::Connections;
use crate::problem::Problem;
use crate::store::Store;
use crate::store::connections::Connection;
use crate::store::connectors::Build;

/// Collects usage, if the connector tells it and everything that it needs is approved.
///
/// # Errors
/// If the database fails.
pub(super) async fn collect(
    all: &Connections,
    connection: &Connection,
    plugin: &Plugin,
    build: &Build,
    run: &str,
) -> Result<(), Problem> {
    let endpoints = Connections::endpoints(build, connection);
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
        return Ok(());
    }
    let session = all.session(connection, Purpose::Usage, run, Arc::new(Silent)).await;
    let Ok((session, ..)) = session else { return Ok(()) };
    let mut entries = InMemory::<UsagePage>::default();
    let report = session.collect_usage(&mut entries, std::future::pending()).await;
    if entries.ending() != Some(Ending::Complete) {
        let code = report.error.map_or("other", |failure| failure.code.as_str());
        tracing::warn!(run, code, "usage could not be collected; what was told before is kept");
        return Ok(());
    }
    store(&all.store, &connection.id, entries.pages()).await
}

async fn store(store: &Store, connection: &str, pages: &[UsagePage]) -> Result<(), Problem> {
    let mut writing = store.write().await?;
    query("DELETE FROM seats WHERE connection = $1")
        .bind(connection.to_owned())
        .execute(&mut *writing)
        .await?;
    let mut place = 0_i64;
    for page in pages {
        for record in page.rows() {
            let record = serde_json::to_string(&record)
                .map_err(|error| Problem::broken(format!("usage cannot be written: {error}")))?;
            query("INSERT INTO seats (connection, place, record) VALUES ($1, $2, $3)")
                .bind(connection.to_owned())
                .bind(place)
                .bind(record)
                .execute(&mut *writing)
                .await?;
            place += 1;
        }
    }
    writing.commit().await?;
    Ok(())
}

/// The usage that the last run told.
///
/// # Errors
/// If the database fails.
pub async fn list(store: &Store, connection: &str) -> Result<Vec<serde_json::Value>, Problem> {
    let sql = "SELECT record FROM seats WHERE connection = $1 ORDER BY place";
    let rows = query(sql).bind(connection.to_owned()).fetch_all(store.read()).await?;
    rows.iter()
        .map(|row| {
            let record: String = row.try_get("record")?;
            Ok(serde_json::from_str(&record).unwrap_or_default())
        })
        .collect()
}
