//! Connections of tenants, as they lie in the database.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{Row, query};

use super::{Store, Writing};
use crate::clock::now;
use crate::members::deletion::{self, Doomed};
use crate::problem::Problem;

/// Longest name of a tenant or a connection, in bytes.
pub const LONGEST_NAME: usize = 200;

/// A connection, without its secrets.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The tenant.
    pub tenant: String,
    /// Id of the connector.
    pub connector: String,
    /// Digest of the build that it uses.
    pub digest: String,
    /// Why it does not use the active build yet, as JSON.
    pub upgrade: Option<String>,
    /// What the tenant calls it.
    pub name: String,
    /// Settings that are not secret.
    pub settings: BTreeMap<String, String>,
    /// The account's stable id at the service.
    pub account: String,
    /// The account's name.
    pub account_name: String,
    /// The origin in place of the live one.
    pub upstream: Option<String>,
    /// Endpoints that the tenant wants; all approved ones if it named none.
    pub grants: Vec<String>,
    /// Hours between two runs.
    pub every_hours: i64,
    /// Whether it is paused.
    pub paused: bool,
    /// `ready`, `failing` or `attention`.
    pub state: String,
    /// The failure of the last run, as JSON.
    pub failure: Option<String>,
    /// Runs that failed in a row.
    pub failures: i64,
    /// When the secret ends.
    pub credential_expires: Option<i64>,
    /// Version of the secrets.
    pub secret_version: i64,
    /// When the next run is due.
    pub next_due: Option<i64>,
    /// Number of runs so far.
    pub runs: i64,
    /// Number of the last whole run; 0 before the first.
    pub complete: i64,
    /// When it was made.
    pub created: i64,
}

impl Connection {
    /// A connection that has collected nothing yet: each day, and not due by itself. Who makes it
    /// gives it its name, its account and its settings.
    #[must_use]
    pub fn new(id: &str, tenant: &str, connector: &str, digest: &str) -> Self {
        Self {
            id: id.to_owned(),
            tenant: tenant.to_owned(),
            connector: connector.to_owned(),
            digest: digest.to_owned(),
            upgrade: None,
            name: String::new(),
            settings: BTreeMap::new(),
            account: String::new(),
            account_name: String::new(),
            upstream: None,
            grants: Vec::new(),
            every_hours: 24,
            paused: false,
            state: "ready".to_owned(),
            failure: None,
            failures: 0,
            credential_expires: None,
            secret_version: 1,
            next_due: None,
            runs: 0,
            complete: 0,
            created: now(),
        }
    }
}

const COLUMNS: &str = "id, tenant, connector, digest, name, settings, account, account_name, \
                       upstream, grants, \
                       every_hours, paused, state, failure, failures, credential_expires, \
                       secret_version, next_due, \
                       runs, complete, created, upgrade";

fn connection(row: &AnyRow) -> Result<Connection, Problem> {
    let json = |name: &str| row.try_get::<String, _>(name);
    Ok(Connection {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        connector: row.try_get("connector")?,
        digest: row.try_get("digest")?,
        upgrade: row.try_get("upgrade")?,
        name: row.try_get("name")?,
        settings: serde_json::from_str(&json("settings")?).unwrap_or_default(),
        account: row.try_get("account")?,
        account_name: row.try_get("account_name")?,
        upstream: row.try_get("upstream")?,
        grants: serde_json::from_str(&json("grants")?).unwrap_or_default(),
        every_hours: row.try_get("every_hours")?,
        paused: row.try_get::<i64, _>("paused")? != 0,
        state: row.try_get("state")?,
        failure: row.try_get("failure")?,
        failures: row.try_get("failures")?,
        credential_expires: row.try_get("credential_expires")?,
        secret_version: row.try_get("secret_version")?,
        next_due: row.try_get("next_due")?,
        runs: row.try_get("runs")?,
        complete: row.try_get("complete")?,
        created: row.try_get("created")?,
    })
}

/// Makes the tenant if it is new.
///
/// # Errors
/// If the name cannot be one, or the database fails.
pub async fn tenant(writing: &mut Writing, name: &str) -> Result<(), Problem> {
    is_name("tenant", name)?;
    query("INSERT INTO tenants (id, created) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(name.to_owned())
        .bind(now())
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// Whether a text can be the name of a tenant or a connection.
///
/// # Errors
/// If it cannot.
pub fn is_name(what: &str, text: &str) -> Result<(), Problem> {
    let good = !text.trim().is_empty()
        && text.len() <= LONGEST_NAME
        && !text.chars().any(char::is_control);
    if good {
        return Ok(());
    }
    Err(Problem::invalid(format!("the {what} cannot be used as a name"))
        .hint(format!("Give 1 to {LONGEST_NAME} bytes without control characters.")))
}

/// Stores a new connection.
///
/// # Errors
/// `conflict` if the tenant has one of this account already.
pub async fn insert(writing: &mut Writing, new: &Connection) -> Result<(), Problem> {
    let sql = format!(
        "INSERT INTO connections ({COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20, $21, $22) \
         ON CONFLICT (tenant, connector, account) DO NOTHING"
    );
    let done = query(sqlx::AssertSqlSafe(sql))
        .bind(new.id.clone())
        .bind(new.tenant.clone())
        .bind(new.connector.clone())
        .bind(new.digest.clone())
        .bind(new.name.clone())
        .bind(serde_json::to_string(&new.settings).unwrap_or_default())
        .bind(new.account.clone())
        .bind(new.account_name.clone())
        .bind(new.upstream.clone())
        .bind(serde_json::to_string(&new.grants).unwrap_or_default())
        .bind(new.every_hours)
        .bind(i64::from(new.paused))
        .bind(new.state.clone())
        .bind(new.failure.clone())
        .bind(new.failures)
        .bind(new.credential_expires)
        .bind(new.secret_version)
        .bind(new.next_due)
        .bind(new.runs)
        .bind(new.complete)
        .bind(new.created)
        .bind(new.upgrade.clone())
        .execute(&mut **writing)
        .await?;
    if done.rows_affected() == 0 {
        return Err(Problem::conflict("the tenant has a connection to this account already")
            .hint("Give that connection a new key, or delete it first."));
    }
    Ok(())
}

/// A connection that this tenant may see; any tenant's if none is given.
///
/// # Errors
/// `not-found`.
pub async fn get(store: &Store, id: &str, tenant: Option<&str>) -> Result<Connection, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM connections WHERE id = $1");
    let row = query(sqlx::AssertSqlSafe(sql)).bind(id.to_owned());
    let row = row.fetch_optional(store.read()).await?;
    let found = row.as_ref().map(connection).transpose()?;
    found
        .filter(|found| tenant.is_none_or(|tenant| tenant == found.tenant))
        .ok_or_else(|| Problem::not_found("connection"))
}

/// The connection as it is now, and as it stays until this transaction ends. What changes a
/// connection and its runs takes the connection first, so that no two transactions deadlock.
///
/// # Errors
/// If the database fails.
pub async fn locked(writing: &mut Writing, id: &str) -> Result<Option<Connection>, Problem> {
    let sql = format!("UPDATE connections SET runs = runs WHERE id = $1 RETURNING {COLUMNS}");
    let row = query(sqlx::AssertSqlSafe(sql)).bind(id.to_owned());
    row.fetch_optional(&mut **writing).await?.as_ref().map(connection).transpose()
}

/// Connections of a tenant, or of all of them, after this id.
///
/// # Errors
/// If the database fails.
pub async fn list(
    store: &Store,
    tenant: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Connection>, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} FROM connections WHERE ($1 = '' OR tenant = $1) AND id > $2 \
         ORDER BY id LIMIT $3"
    );
    let rows = query(sqlx::AssertSqlSafe(sql))
        .bind(tenant.unwrap_or_default().to_owned())
        .bind(after.to_owned())
        .bind(limit)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(connection).collect()
}

/// Stores name, schedule and pause.
///
/// # Errors
/// If the database fails.
pub async fn reschedule(writing: &mut Writing, changed: &Connection) -> Result<(), Problem> {
    let sql = "UPDATE connections SET name = $2, every_hours = $3, paused = $4, next_due = $5 \
               WHERE id = $1";
    query(sql)
        .bind(changed.id.clone())
        .bind(changed.name.clone())
        .bind(changed.every_hours)
        .bind(i64::from(changed.paused))
        .bind(changed.next_due)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// Notes when the next run is due.
///
/// # Errors
/// If the database fails.
pub async fn due(writing: &mut Writing, id: &str, due: i64) -> Result<(), Problem> {
    let sql = "UPDATE connections SET next_due = $2 WHERE id = $1";
    query(sql).bind(id.to_owned()).bind(due).execute(&mut **writing).await?;
    Ok(())
}

/// Notes the build that a connection uses, or why it does not use the active one.
///
/// # Errors
/// If the database fails.
pub async fn upgraded(
    writing: &mut Writing,
    id: &str,
    digest: &str,
    held_back: Option<String>,
) -> Result<(), Problem> {
    let sql = "UPDATE connections SET digest = $2, upgrade = $3 WHERE id = $1";
    let done = query(sql).bind(id.to_owned()).bind(digest.to_owned()).bind(held_back);
    done.execute(&mut **writing).await?;
    Ok(())
}

/// Notes that a person mended the connection: with a new key, or because a validation passed.
///
/// # Errors
/// If the database fails.
pub async fn mended(
    writing: &mut Writing,
    id: &str,
    expires: Option<i64>,
    due: i64,
) -> Result<(), Problem> {
    let sql = "UPDATE connections SET state = 'ready', failure = NULL, failures = 0, \
               credential_expires = $2, next_due = CASE WHEN next_due IS NULL OR state <> \
               'ready' THEN $3 ELSE next_due END \
               WHERE id = $1";
    query(sql).bind(id.to_owned()).bind(expires).bind(due).execute(&mut **writing).await?;
    Ok(())
}

/// Deletes a connection with all that was kept of it.
///
/// # Errors
/// If the database fails.
pub async fn delete(writing: &mut Writing, id: &str) -> Result<(), Problem> {
    for sql in [
        // No run is asked for meanwhile, and a page on its way comes before this or not at all.
        "UPDATE connections SET runs = runs WHERE id = $1",
        "UPDATE runs SET stop = 1 WHERE connection = $1",
        "DELETE FROM pages WHERE run IN (SELECT id FROM runs WHERE connection = $1)",
        "DELETE FROM staged WHERE run IN (SELECT id FROM runs WHERE connection = $1)",
        "DELETE FROM runs WHERE connection = $1",
        "DELETE FROM seats WHERE connection = $1",
        "DELETE FROM secrets WHERE connection = $1",
        "DELETE FROM connections WHERE id = $1",
    ] {
        query(sql).bind(id.to_owned()).execute(&mut **writing).await?;
    }
    deletion::delete(writing, id, Doomed::All).await?;
    Ok(())
}

/// A connection for tests.
#[cfg(test)]
pub(crate) fn sample(id: &str, tenant: &str) -> Connection {
    let mut connection = Connection::new(id, tenant, "sample", "sha256:0");
    (connection.name, connection.account) = (id.into(), id.into());
    connection.account_name = id.into();
    connection
}
