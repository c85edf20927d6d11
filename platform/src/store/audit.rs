//! The audit table: who changed a key, a grant or a connection, and who exported members.

use sqlx::query;

use super::Writing;
use crate::clock::now;
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
