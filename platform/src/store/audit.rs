//! The audit table: who changed a key, a grant or a connection, and who exported members.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _, query};

use super::{Store, Writing};
use crate::clock::{now, rfc3339};
use crate::problem::Problem;

/// An action that is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    /// The tenant concerned.
    pub tenant: Option<&'a str>,
    /// The token that acted, by its id, or `operator` on the command line.
    pub actor: &'a str,
    /// What was done.
    pub what: &'a str,
    /// Whereupon.
    pub subject: &'a str,
    /// More about it, without a secret and a person.
    pub detail: Option<&'a str>,
}

/// Records an action in the transaction that does it.
///
/// # Errors
/// If the database fails.
pub async fn record(writing: &mut Writing, action: Action<'_>) -> Result<(), Problem> {
    let sql = "INSERT INTO audit (at, tenant, actor, what, subject, detail) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    query(sql)
        .bind(now())
        .bind(action.tenant.map(str::to_owned))
        .bind(action.actor.to_owned())
        .bind(action.what.to_owned())
        .bind(action.subject.to_owned())
        .bind(action.detail.map(str::to_owned))
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// An action as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its place in the audit.
    pub place: i64,
    /// When it was done.
    pub at: i64,
    /// The tenant concerned.
    pub tenant: Option<String>,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub what: String,
    /// Whereupon.
    pub subject: String,
    /// More about it.
    pub detail: Option<String>,
}

impl Recorded {
    /// The action as the API answers it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "at": rfc3339(self.at),
            "tenant": self.tenant,
            "actor": self.actor,
            "what": self.what,
            "subject": self.subject,
            "detail": self.detail,
        })
    }
}

/// Actions before a place, the latest first: of a tenant, or all of them.
///
/// # Errors
/// If the database fails.
pub async fn list(
    store: &Store,
    tenant: Option<&str>,
    before: i64,
    limit: i64,
) -> Result<Vec<Recorded>, Problem> {
    let whose = if tenant.is_some() { "AND tenant = $3" } else { "" };
    let sql = format!(
        "SELECT place, at, tenant, actor, what, subject, detail FROM audit \
         WHERE place < $1 {whose} ORDER BY place DESC LIMIT $2"
    );
    let mut list = query(AssertSqlSafe(sql)).bind(before).bind(limit);
    if let Some(tenant) = tenant {
        list = list.bind(tenant.to_owned());
    }
    let rows = list.fetch_all(store.read()).await?;
    rows.iter()
        .map(|row| {
            Ok(Recorded {
                place: row.try_get("place")?,
                at: row.try_get("at")?,
                tenant: row.try_get("tenant")?,
                actor: row.try_get("actor")?,
                what: row.try_get("what")?,
                subject: row.try_get("subject")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}
