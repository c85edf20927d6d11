//! Bodies and queries, with problems in place of the framework's texts.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

/// The query.
pub(super) struct Params<T>(pub(super) T);

/// Parts of the path.
pub(super) struct Segments<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| {
            if refused.status().as_u16() == 413 {
                Problem::new(413, "too-large", "the body is too large")
                    .hint(format!("Send at most {} bytes.", super::LARGEST_BODY))
            } else {
                Problem::new(400, "malformed", "the body could not be read").hint("Send it again.")
            }
        })?;
        // The error's own words may repeat a value, which may be a secret.
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            if error.is_data() {
                Problem::invalid(format!("the body is not as described, at {place}"))
                    .hint("See `/openapi.json` for its fields and their types.")
            } else {
                Problem::new(400, "malformed", format!("the body is no JSON, at {place}"))
                    .hint("Send a JSON object.")
            }
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(_) => {
                Err(Problem::invalid("the query has a parameter or a value that is not known")
                    .hint("See `/openapi.json` for the parameters of this route."))
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(_) => Err(Problem::not_found("page")),
        }
    }
}
