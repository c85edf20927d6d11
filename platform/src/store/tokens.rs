//! Bearer tokens of the API. Only their hash is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{Row, query};

use super::{Store, audit};
use crate::clock::{now, rfc3339};
use crate::problem::Problem;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads and writes.
    Admin,
    /// Reads.
    Viewer,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
        }
    }
}

/// A token, as the client that shows it is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The token's id.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// The only tenant that it sees; all of them if there is none.
    pub tenant: Option<String>,
}

/// A token in the list of tokens.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its id, which is no secret.
    pub id: String,
    /// What it may do.
    pub role: String,
    /// The only tenant that it sees.
    pub tenant: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// When it ends.
    pub expires: Option<String>,
    /// When it was revoked.
    pub revoked: Option<String>,
}

/// Makes a token, and returns it. It is not shown again.
///
/// # Errors
/// If the database fails.
pub async fn make(
    store: &Store,
    role: Role,
    tenant: Option<&str>,
    expires: Option<i64>,
) -> Result<(String, String), Problem> {
    let random: [u8; 32] = rand::random();
    let token = format!("smp_{}", URL_SAFE_NO_PAD.encode(random));
    let id = new_id("t");
    let mut writing = store.write().await?;
    if let Some(tenant) = tenant {
        super::connections::tenant(&mut writing, tenant).await?;
    }
    let sql = "INSERT INTO tokens (id, hash, role, tenant, created, expires) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    query(sql)
        .bind(id.clone())
        .bind(hash(&token))
        .bind(role.as_str())
        .bind(tenant.map(str::to_owned))
        .bind(now())
        .bind(expires)
        .execute(&mut *writing)
        .await?;
    let action = audit::Action {
        tenant,
        actor: "operator",
        what: "token-made",
        subject: &id,
        detail: Some(role.as_str()),
    };
    audit::record(&mut writing, action).await?;
    writing.commit().await?;
    Ok((id, token))
}

/// Whether the store has a token that is not revoked.
///
/// # Errors
/// If the database fails.
pub async fn any(store: &Store) -> Result<bool, Problem> {
    let row = query("SELECT 1 FROM tokens WHERE revoked IS NULL LIMIT 1");
    Ok(row.fetch_optional(store.read()).await?.is_some())
}

/// The holder of a token, if it is valid now.
///
/// # Errors
/// If the database fails.
pub async fn holder(store: &Store, token: &str) -> Result<Option<Holder>, Problem> {
    let sql = "SELECT id, role, tenant FROM tokens WHERE hash = $1 AND revoked IS NULL \
               AND (expires IS NULL OR expires > $2)";
    let row = query(sql).bind(hash(token)).bind(now()).fetch_optional(store.read()).await?;
    row.map(|row| {
        let role = match row.try_get::<String, _>("role")?.as_str() {
            "admin" => Role::Admin,
            _ => Role::Viewer,
        };
        Ok(Holder { id: row.try_get("id")?, role, tenant: row.try_get("tenant")? })
    })
    .transpose()
}

/// All tokens.
///
/// # Errors
/// If the database fails.
pub async fn list(store: &Store) -> Result<Vec<Listed>, Problem> {
    let sql = "SELECT id, role, tenant, created, expires, revoked FROM tokens ORDER BY created, id";
    let rows = query(sql).fetch_all(store.read()).await?;
    let at = |at: Option<i64>| at.and_then(rfc3339);
    rows.iter()
        .map(|row| {
            Ok(Listed {
                id: row.try_get("id")?,
                role: row.try_get("role")?,
                tenant: row.try_get("tenant")?,
                created: rfc3339(row.try_get("created")?),
                expires: at(row.try_get("expires")?),
                revoked: at(row.try_get("revoked")?),
            })
        })
        .collect()
}

/// Revokes a token. It is refused from then on.
///
/// # Errors
/// If there is none of that id, or it was revoked before.
pub async fn revoke(store: &Store, id: &str) -> Result<(), Problem> {
    let mut writing = store.write().await?;
    let sql = "UPDATE tokens SET revoked = $2 WHERE id = $1 AND revoked IS NULL";
    let done = query(sql).bind(id.to_owned()).bind(now()).execute(&mut *writing).await?;
    if done.rows_affected() == 0 {
        return Err(Problem::not_found("token that is not revoked")
            .hint("`smp-platform token list` shows the ids."));
    }
    let action = audit::Action {
        tenant: None,
        actor: "operator",
        what: "token-revoked",
        subject: id,
        detail: None,
    };
    audit::record(&mut writing, action).await?;
    writing.commit().await?;
    Ok(())
}

/// A new id that cannot be guessed.
#[must_use]
pub fn new_id(kind: &str) -> String {
    format!("{kind}_{:032x}", rand::random::<u128>())
}

/// A token has 256 random bits: a plain hash cannot be reversed.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
