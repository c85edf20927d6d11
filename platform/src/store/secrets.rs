//! Secrets of connections, as they lie in the database: sealed.

use sqlx::{Row, query};

use super::{Store, Writing};
use crate::keys::seal::Sealed;
use crate::problem::Problem;

/// A sealed secret of a connection.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The connection.
    pub connection: String,
    /// The setting.
    pub setting: String,
    /// Its version, from 1: raised by each new key.
    pub version: i64,
    /// The secret.
    pub sealed: Sealed,
}

/// Stores a secret in place of an earlier version.
///
/// # Errors
/// If the database fails.
pub async fn put(writing: &mut Writing, secret: &Stored) -> Result<(), Problem> {
    let sql = "INSERT INTO secrets (connection, setting, version, wrapped, sealed) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (connection, setting) DO UPDATE SET \
               version = excluded.version, wrapped = excluded.wrapped, sealed = excluded.sealed";
    query(sql)
        .bind(secret.connection.clone())
        .bind(secret.setting.clone())
        .bind(secret.version)
        .bind(secret.sealed.wrapped.clone())
        .bind(secret.sealed.text.clone())
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// The secrets of a connection.
///
/// # Errors
/// If the database fails.
pub async fn of(store: &Store, connection: &str) -> Result<Vec<Stored>, Problem> {
    let sql = "SELECT connection, setting, version, wrapped, sealed FROM secrets \
               WHERE connection = $1 ORDER BY setting";
    rows(query(sql).bind(connection.to_owned()).fetch_all(store.read()).await?)
}

/// All secrets after this one, a hundred at most, for a new wrapping.
///
/// # Errors
/// If the database fails.
pub async fn after(store: &Store, connection: &str, setting: &str) -> Result<Vec<Stored>, Problem> {
    let sql = "SELECT connection, setting, version, wrapped, sealed FROM secrets \
               WHERE (connection, setting) > ($1, $2) ORDER BY connection, setting LIMIT 100";
    let rows_of = query(sql).bind(connection.to_owned()).bind(setting.to_owned());
    rows(rows_of.fetch_all(store.read()).await?)
}

/// Replaces the wrapping of a secret that has not changed meanwhile.
///
/// # Errors
/// If the database fails.
pub async fn rewrap(writing: &mut Writing, old: &Stored, wrapped: &[u8]) -> Result<bool, Problem> {
    let sql = "UPDATE secrets SET wrapped = $4 \
               WHERE connection = $1 AND setting = $2 AND version = $3 AND wrapped = $5";
    let done = query(sql)
        .bind(old.connection.clone())
        .bind(old.setting.clone())
        .bind(old.version)
        .bind(wrapped.to_vec())
        .bind(old.sealed.wrapped.clone())
        .execute(&mut **writing)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The id of the key that new secrets are wrapped with.
///
/// # Errors
/// If the database fails.
pub async fn wrapping_key(store: &Store) -> Result<Option<Vec<u8>>, Problem> {
    let row = query("SELECT value FROM facts WHERE name = 'wrapping-key'");
    id(row.fetch_optional(store.read()).await?)
}

/// The same; until this transaction ends, it does not change.
///
/// # Errors
/// If the database fails.
pub async fn hold_wrapping_key(writing: &mut Writing) -> Result<Option<Vec<u8>>, Problem> {
    let row = query("UPDATE facts SET value = value WHERE name = 'wrapping-key' RETURNING value");
    id(row.fetch_optional(&mut **writing).await?)
}

/// Notes the id of the key that new secrets are wrapped with.
///
/// # Errors
/// If the database fails.
pub async fn wrap_with(writing: &mut Writing, id: &[u8]) -> Result<(), Problem> {
    let sql = "INSERT INTO facts (name, value) VALUES ('wrapping-key', $1) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    query(sql).bind(hex::encode(id)).execute(&mut **writing).await?;
    Ok(())
}

fn id(row: Option<sqlx::any::AnyRow>) -> Result<Option<Vec<u8>>, Problem> {
    let Some(row) = row else { return Ok(None) };
    let value: String = row.try_get("value")?;
    Ok(hex::decode(value).ok())
}

/// How many connections have a secret.
///
/// # Errors
/// If the database fails.
pub async fn connections(store: &Store) -> Result<i64, Problem> {
    let row = query("SELECT count(DISTINCT connection) AS n FROM secrets");
    Ok(row.fetch_one(store.read()).await?.try_get("n")?)
}

fn rows(rows: Vec<sqlx::any::AnyRow>) -> Result<Vec<Stored>, Problem> {
    rows.iter()
        .map(|row| {
            Ok(Stored {
                connection: row.try_get("connection")?,
                setting: row.try_get("setting")?,
                version: row.try_get("version")?,
                sealed: Sealed { wrapped: row.try_get("wrapped")?, text: row.try_get("sealed")? },
            })
        })
        .collect()
}
