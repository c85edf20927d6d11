//! Routes of connectors and connections.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::{Admin, Caller};
use super::extract::{Body, Params, Segments};
use super::schema::{
    ConnectionBody, ConnectionsBody, Connectors, MadeBody, Reading, ValidationBody, Writing,
};
use crate::connections::{Change, New, Secrets, to_json};
use crate::problem::Problem;
use crate::store::connections as stored;

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBody {
    /// The tenant; that of the token if it has one.
    tenant: Option<String>,
    /// Id of the connector.
    connector: String,
    /// What the tenant calls it; the connector's id if nothing.
    name: Option<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    /// Endpoints, of those that the operator approved; all of them if empty.
    #[serde(default)]
    grants: Vec<String>,
    /// The origin in place of the live one, if the operator allows it.
    upstream: Option<String>,
    #[schema(minimum = 1, maximum = 744, default = 24)]
    every_hours: Option<i64>,
}

/// What changes of a connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    name: Option<String>,
    paused: Option<bool>,
    #[schema(minimum = 1, maximum = 744)]
    every_hours: Option<i64>,
}

/// New secrets of a connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretsBody {
    secrets: BTreeMap<String, String>,
}

/// The page of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only this tenant's.
    #[param(nullable = false)]
    tenant: Option<String>,
    /// The `next` of the page before.
    #[param(nullable = false)]
    after: Option<String>,
    /// At most 1000.
    #[param(nullable = false, minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// Lists the connectors that are installed.
#[utoipa::path(
    get,
    path = "/api/v1/connectors",
    responses((status = 200, body = Connectors), Reading)
)]
pub(super) async fn connectors(_: Caller, State(api): State<Api>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"data": api.connections.catalog.listing().await?})))
}

/// Lists connections.
#[utoipa::path(
    get,
    path = "/api/v1/connections",
    params(ListParams),
    responses((status = 200, body = ConnectionsBody), Reading)
)]
pub(super) async fn list(
    caller: Caller,
    State(api): State<Api>,
    Params(params): Params<ListParams>,
) -> Result<Json<Value>, Problem> {
    let tenant = match (caller.tenant(), params.tenant.as_deref()) {
        (Some(own), Some(asked)) if own != asked => return Err(Problem::not_found("tenant")),
        (own, asked) => asked.or(own),
    };
    let limit = limit(params.limit)?;
    let after = params.after.unwrap_or_default();
    let mut found = stored::list(&api.connections.store, tenant, &after, limit + 1).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Json(json!({"data": found.iter().map(to_json).collect::<Vec<_>>(), "next": next})))
}

/// Makes a connection, if its settings are ready.
#[utoipa::path(
    post,
    path = "/api/v1/connections",
    request_body = NewBody,
    responses((status = 201, body = MadeBody), Writing)
)]
pub(super) async fn make(
    Admin(caller): Admin,
    State(api): State<Api>,
    Body(body): Body<NewBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let tenant = match (caller.tenant(), body.tenant) {
        (Some(own), Some(asked)) if own != asked => return Err(Problem::not_found("tenant")),
        (Some(own), _) => own.to_owned(),
        (None, Some(asked)) => asked,
        (None, None) => {
            return Err(Problem::invalid("`tenant` is missing").hint("Name the tenant."));
        }
    };
    let new = New {
        tenant,
        name: body.name.unwrap_or_else(|| body.connector.clone()),
        connector: body.connector,
        settings: body.settings,
        secrets: Secrets::new(body.secrets),
        grants: body.grants,
        upstream: body.upstream,
        every_hours: body.every_hours.unwrap_or(24),
    };
    let _place = api.place(&api.validations).await?;
    let (made, validation) = api.connections.make(new, &caller.0).await?;
    api.wake.now();
    let answer = json!({
        "id": made.id,
        "account": made.account,
        "state": made.state,
        "validation": validation.to_json(),
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Shows a connection.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}",
    params(("id" = String, Path)),
    responses((status = 200, body = ConnectionBody), Reading)
)]
pub(super) async fn get(
    caller: Caller,
    State(api): State<Api>,
    Segments(id): Segments<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(to_json(&caller.connection(&api, &id).await?)))
}

/// Changes name, schedule or pause.
#[utoipa::path(
    patch,
    path = "/api/v1/connections/{id}",
    params(("id" = String, Path)),
    request_body = ChangeBody,
    responses((status = 200, body = ConnectionBody), Writing)
)]
pub(super) async fn change(
    Admin(caller): Admin,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Body(body): Body<ChangeBody>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let ChangeBody { name, paused, every_hours } = body;
    let change = Change { name, paused, every_hours };
    let changed = api.connections.change(&connection, change, &caller.0).await?;
    api.wake.now();
    Ok(Json(to_json(&changed)))
}

/// Deletes a connection with its members, history, runs and secrets.
#[utoipa::path(
    delete,
    path = "/api/v1/connections/{id}",
    params(("id" = String, Path)),
    responses((status = 204), Writing)
)]
pub(super) async fn delete(
    Admin(caller): Admin,
    State(api): State<Api>,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    let connection = caller.connection(&api, &id).await?;
    api.connections.delete(&connection, &caller.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the secrets, once the new ones are validated and of the same account.
#[utoipa::path(
    put,
    path = "/api/v1/connections/{id}/secrets",
    params(("id" = String, Path)),
    request_body = SecretsBody,
    responses((status = 200, body = ValidationBody), Writing)
)]
pub(super) async fn renew(
    Admin(caller): Admin,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Body(body): Body<SecretsBody>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let secrets = Secrets::new(body.secrets);
    let _place = api.place(&api.validations).await?;
    let validation = api.connections.renew(&connection, &secrets, &caller.0).await?;
    api.wake.now();
    Ok(Json(validation.to_json()))
}

/// Validates a connection now.
#[utoipa::path(
    post,
    path = "/api/v1/connections/{id}/validate",
    params(("id" = String, Path)),
    responses((status = 200, body = ValidationBody), Writing)
)]
pub(super) async fn validate(
    Admin(caller): Admin,
    State(api): State<Api>,
    Segments(id): Segments<String>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let _place = api.place(&api.validations).await?;
    let validation = api.connections.validate(&connection).await?;
    api.wake.now();
    Ok(Json(validation.to_json()))
}

/// The number of entries of a page.
pub(super) fn limit(limit: Option<u16>) -> Result<i64, Problem> {
    match limit {
        None => Ok(100),
        Some(limit @ 1..=1_000) => Ok(i64::from(limit)),
        Some(_) => Err(Problem::invalid("`limit` is out of range").hint("Give 1 to 1000.")),
    }
}
