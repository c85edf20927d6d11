//! The route of the audit: who changed a key, a grant or a connection, and who exported members.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::Api;
use super::caller::Caller;
use super::connections::limit;
use super::extract::Params;
use super::schema::{AuditBody, ProblemBody, Reading};
use crate::problem::Problem;
use crate::store::audit::{self, Recorded};
use crate::store::tokens::Role;

/// The page of the audit.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditParams {
    /// Only what concerns this tenant.
    #[param(nullable = false)]
    tenant: Option<String>,
    /// The `next` of the page before.
    #[param(nullable = false)]
    after: Option<String>,
    /// At most 1000.
    #[param(nullable = false, minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// Lists what was done, the latest first, for tokens with the role `admin`. A token of a tenant
/// sees what concerns that tenant.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    params(AuditParams),
    responses(
        (status = 200, body = AuditBody),
        (
            status = 403,
            description = "The token reads no audit.",
            body = ProblemBody,
            content_type = "application/problem+json"
        ),
        Reading
    )
)]
pub(super) async fn list(
    caller: Caller,
    State(api): State<Api>,
    Params(params): Params<AuditParams>,
) -> Result<Json<Value>, Problem> {
    if caller.0.role != Role::Admin {
        return Err(Problem::new(403, "admin-only", "a viewer's token reads no audit")
            .hint("Use a token with the role `admin`."));
    }
    let tenant = match (caller.tenant(), params.tenant.as_deref()) {
        (Some(own), Some(asked)) if own != asked => return Err(Problem::not_found("tenant")),
        (own, asked) => asked.or(own),
    };
    let before = match params.after {
        None => i64::MAX,
        Some(after) => after.parse().map_err(|_| {
            Problem::invalid("`after` is not what a page gave as `next`")
                .hint("Leave it out for the first page.")
        })?,
    };
    let limit = limit(params.limit)?;
    let mut found = audit::list(&api.connections.store, tenant, before, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.place.to_string());
    let data: Vec<Value> = found.iter().map(Recorded::to_json).collect();
    Ok(Json(json!({"data": data, "next": next})))
}
