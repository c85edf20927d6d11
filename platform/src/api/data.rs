//! Routes of members, their changes, usage and exports.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::Api;
use super::caller::Caller;
use super::connections::limit;
use super::export;
use super::extract::{Params, Segments};
use super::schema::{ChangesBody, MemberBody, MembersBody, Reading, UsageBody};
use crate::clock::rfc3339;
use crate::members::changes;
use crate::members::export::Which;
use crate::members::list::{self, At, Filter};
use crate::problem::Problem;
use crate::runs::{table, usage as seats};

/// A query with a filter of members beside its own parameters.
macro_rules! filtered {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $own:ident: $kind:ty),* $(,)? }) => {
        $(#[$about])*
        #[derive(Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(super) struct $name {
            $($(#[$of])* $own: $kind,)*
            /// A part of name, nickname or e-mail.
            #[param(nullable = false, max_length = 200)]
            q: Option<String>,
            /// Key or name of a product.
            #[param(nullable = false, max_length = 200)]
            product: Option<String>,
            /// Last seen at least so many days ago.
            #[param(nullable = false, minimum = 0, maximum = 36500)]
            idle_days: Option<i64>,
            #[param(nullable = false, max_length = 200)]
            status: Option<String>,
            #[param(nullable = false, max_length = 200)]
            kind: Option<String>,
            #[param(nullable = false, max_length = 200)]
            affiliation: Option<String>,
            /// Who is gone, instead of who is there.
            #[param(nullable = false)]
            gone: Option<bool>,
            /// As of this run, which must be whole.
            #[param(nullable = false)]
            at_run: Option<String>,
        }

        impl $name {
            /// The filter, of a connection's members.
            async fn filter(&self, api: &Api, connection: &str) -> Result<Filter, Problem> {
                let filter = Filter {
                    q: self.q.clone(),
                    product: self.product.clone(),
                    idle_days: self.idle_days,
                    status: self.status.clone(),
                    kind: self.kind.clone(),
                    affiliation: self.affiliation.clone(),
                    gone: self.gone.unwrap_or(false),
                    at: at(api, connection, self.at_run.as_deref()).await?,
                };
                filter.check()?;
                Ok(filter)
            }
        }
    };
}

filtered! {
    /// Which members are listed.
    MembersParams {
        /// At most 1000.
        #[param(nullable = false, minimum = 1, maximum = 1000)]
        limit: Option<u16>,
        /// The `next` of the page before.
        #[param(nullable = false)]
        after: Option<String>,
    }
}

filtered! {
    /// Which members are exported.
    ExportParams {
        /// `csv`, `ndjson` or `xlsx`.
        format: String,
    }
}

/// As of which run.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageParams {
    /// As of this run, which must be whole; as of the last one if absent.
    #[param(nullable = false)]
    at_run: Option<String>,
}

/// Between which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesParams {
    /// After this run, which must be whole; since the beginning if absent.
    #[param(nullable = false)]
    from: Option<String>,
    /// Up to this run, which must be whole; up to the last one if absent.
    #[param(nullable = false)]
    to: Option<String>,
    /// The `next` of the page before.
    #[param(nullable = false)]
    after: Option<String>,
    /// At most 1000.
    #[param(nullable = false, minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// Lists members by name.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/members",
    params(("id" = String, Path), MembersParams),
    responses((status = 200, body = MembersBody), Reading)
)]
pub(super) async fn members(
    caller: Caller,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Params(params): Params<MembersParams>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let filter = params.filter(&api, &connection.id).await?;
    let (store, limit) = (&api.connections.store, limit(params.limit)?);
    let page = list::page(store, &connection.id, &filter, params.after.as_deref(), limit).await?;
    let total = list::count(store, &connection.id, &filter).await?;
    let data: Vec<Value> = page.members.iter().map(list::Listed::to_json).collect();
    Ok(Json(json!({"data": data, "next": page.next, "total": total})))
}

/// Shows one member, also one that is gone.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/members/{member}",
    params(("id" = String, Path), ("member" = String, Path)),
    responses((status = 200, body = MemberBody), Reading)
)]
pub(super) async fn member(
    caller: Caller,
    State(api): State<Api>,
    Segments((id, member)): Segments<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    if member.contains('\0') {
        return Err(Problem::not_found("member"));
    }
    Ok(Json(list::one(&api.connections.store, &connection.id, &member).await?.to_json()))
}

/// Lists what changed between two whole runs. Activity alone is no change.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/changes",
    params(("id" = String, Path), ChangesParams),
    responses((status = 200, body = ChangesBody), Reading)
)]
pub(super) async fn changes(
    caller: Caller,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Params(params): Params<ChangesParams>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let from = at(&api, &connection.id, params.from.as_deref()).await?.map_or(0, |at| at.seq);
    let to = at(&api, &connection.id, params.to.as_deref()).await?;
    let to = to.map_or(connection.complete, |at| at.seq);
    let (store, limit) = (&api.connections.store, limit(params.limit)?);
    let after = params.after.as_deref();
    let page = changes::page(store, &connection.id, (from, to), after, limit).await?;
    Ok(Json(json!({"data": page.changes, "next": page.next})))
}

/// Shows what is paid and used, by product, as the last run told it that told usage.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/usage",
    params(("id" = String, Path), UsageParams),
    responses((status = 200, body = UsageBody), Reading)
)]
pub(super) async fn usage(
    caller: Caller,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Params(params): Params<UsageParams>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let at = at(&api, &connection.id, params.at_run.as_deref()).await?;
    let seq = at.map_or(i64::MAX, |at| at.seq);
    let told = seats::list(&api.connections.store, &connection.id, seq).await?;
    Ok(Json(json!({"data": told.rows, "run": told.run, "at": told.at.and_then(rfc3339)})))
}

/// Exports members. The export is recorded in the audit; a `HEAD` exports nothing.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/export",
    params(("id" = String, Path), ExportParams),
    responses(
        (status = 200, content(
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        Reading,
    )
)]
pub(super) async fn export(
    caller: Caller,
    method: Method,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let format = export::format(Some(&params.format))?;
    if method == Method::HEAD {
        return Ok(export::headers(format).into_response());
    }
    let place = api.place(&api.exports).await?;
    let filter = params.filter(&api, &connection.id).await?;
    export::answer(&api, &caller.0, &connection, Which::Filter(filter), format, place).await
}

/// As of which run.
async fn at(api: &Api, connection: &str, run: Option<&str>) -> Result<Option<At>, Problem> {
    let Some(run) = run else { return Ok(None) };
    let run = table::whole(&api.connections.store, connection, run).await?;
    Ok(Some(At { seq: run.seq, started: run.started }))
}
