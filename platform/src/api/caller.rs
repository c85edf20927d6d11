//! Who calls: the holder of the bearer token, what it may do, and which connection it may see.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::Api;
use crate::problem::Problem;
use crate::store::connections::{self, Connection};
use crate::store::tokens::{self, Holder, Role};

/// The caller of a route that reads.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Holder);

/// The caller of a route that writes.
#[derive(Clone, Debug)]
pub(super) struct Admin(pub(super) Caller);

impl Caller {
    /// The tenant whose things the caller may see; any if there is none.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// A connection that the caller may see.
    pub(super) async fn connection(&self, api: &Api, id: &str) -> Result<Connection, Problem> {
        connections::get(&api.connections.store, id, self.tenant()).await
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let holder = match token {
            Some(token) => tokens::holder(&api.connections.store, token).await?,
            None => None,
        };
        holder.map(Self).ok_or_else(|| {
            Problem::new(401, "no-token", "the request has no valid token")
                .hint("Send `Authorization: Bearer TOKEN`; `smp-platform token new` makes one.")
        })
    }
}

impl FromRequestParts<Api> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        if caller.0.role == Role::Admin {
            return Ok(Self(caller));
        }
        Err(Problem::new(403, "read-only", "a viewer's token changes nothing")
            .hint("Use a token with the role `admin`."))
    }
}
