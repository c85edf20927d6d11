//! Installed builds of connectors, and what the operator approved for each.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Row, query};

use super::{Store, Writing};
use crate::clock::{now, rfc3339};
use crate::problem::Problem;

/// What the operator approved for a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// Origins that the key may go to, as the descriptor declares them.
    pub origins: Vec<String>,
    /// Endpoints, as method and path template.
    pub endpoints: Vec<String>,
}

/// A build, without its component.
#[derive(Clone, Debug)]
pub struct Build {
    /// `sha256:` and the digest of the component.
    pub digest: String,
    /// Id of the connector.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who signed it.
    pub publisher: Option<String>,
    /// What the operator approved.
    pub approved: Approved,
    /// `active`, `waiting` for approval, or `retired`.
    pub state: String,
    /// What an upgrade to it changes, if it waits.
    pub changes: Option<String>,
    /// When it was installed.
    pub installed: Option<String>,
}

const COLUMNS: &str = "digest, id, name, version, publisher, approved, state, changes, installed";

fn build(row: &AnyRow) -> Result<Build, Problem> {
    let approved: String = row.try_get("approved")?;
    Ok(Build {
        digest: row.try_get("digest")?,
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        publisher: row.try_get("publisher")?,
        approved: serde_json::from_str(&approved).unwrap_or_default(),
        state: row.try_get("state")?,
        changes: row.try_get("changes")?,
        installed: rfc3339(row.try_get("installed")?),
    })
}

/// All builds, the active one of a connector first.
///
/// # Errors
/// If the database fails.
pub async fn list(store: &Store) -> Result<Vec<Build>, Problem> {
    let sql =
        format!("SELECT {COLUMNS} FROM connectors ORDER BY id, state, installed DESC, digest");
    let rows = query(sqlx::AssertSqlSafe(sql)).fetch_all(store.read()).await?;
    rows.iter().map(build).collect()
}

/// The active build of a connector.
///
/// # Errors
/// If there is none.
pub async fn active(store: &Store, id: &str) -> Result<Build, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM connectors WHERE id = $1 AND state = 'active'");
    let row = query(sqlx::AssertSqlSafe(sql)).bind(id.to_owned());
    let row = row.fetch_optional(store.read()).await?;
    row.as_ref().map(build).transpose()?.ok_or_else(|| {
        Problem::new(
            422,
            "unknown-connector",
            format!("no connector `{}` is installed", smp_host::text::shortened(id, 80)),
        )
        .hint("`GET /api/v1/connectors` lists those that are; an operator installs others.")
    })
}

/// A build by its digest.
///
/// # Errors
/// If the database fails.
pub async fn by_digest(store: &Store, digest: &str) -> Result<Option<Build>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM connectors WHERE digest = $1");
    let row = query(sqlx::AssertSqlSafe(sql)).bind(digest.to_owned());
    row.fetch_optional(store.read()).await?.as_ref().map(build).transpose()
}

/// The component of a build.
///
/// # Errors
/// If it is not there.
pub async fn component(store: &Store, digest: &str) -> Result<Vec<u8>, Problem> {
    let sql = "SELECT component FROM connectors WHERE digest = $1";
    let row = query(sql).bind(digest.to_owned()).fetch_optional(store.read()).await?;
    match row {
        Some(row) => Ok(row.try_get("component")?),
        None => Err(Problem::broken("the build of the connector is not installed any more")),
    }
}

/// Stores a build, or replaces what was approved for it.
///
/// # Errors
/// If the database fails.
pub async fn put(writing: &mut Writing, build: &Build, component: &[u8]) -> Result<(), Problem> {
    let sql = "INSERT INTO connectors (digest, id, name, version, publisher, component, \
               approved, state, changes, installed) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
               ON CONFLICT (digest) DO UPDATE SET approved = excluded.approved, publisher = \
               excluded.publisher, state = excluded.state, changes = excluded.changes";
    query(sql)
        .bind(build.digest.clone())
        .bind(build.id.clone())
        .bind(build.name.clone())
        .bind(build.version.clone())
        .bind(build.publisher.clone())
        .bind(component.to_vec())
        .bind(serde_json::to_string(&build.approved).unwrap_or_default())
        .bind(build.state.clone())
        .bind(build.changes.clone())
        .bind(now())
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// Makes this build the active one of its connector.
///
/// # Errors
/// If the database fails.
pub async fn activate(writing: &mut Writing, build: &Build) -> Result<(), Problem> {
    query(
        "UPDATE connectors SET state = 'retired' \
         WHERE id = $1 AND state = 'active' AND digest <> $2",
    )
    .bind(build.id.clone())
    .bind(build.digest.clone())
    .execute(&mut **writing)
    .await?;
    let sql =
        "UPDATE connectors SET state = 'active', changes = NULL, approved = $2 WHERE digest = $1";
    query(sql)
        .bind(build.digest.clone())
        .bind(serde_json::to_string(&build.approved).unwrap_or_default())
        .execute(&mut **writing)
        .await?;
    Ok(())
}
