//! An export as an answer, for the interface and for the console.

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use crate::members::export::{self, Format, Which};
use crate::problem::Problem;
use crate::store::audit;
use crate::store::connections::Connection;
use crate::store::tokens::Holder;

/// The format of this name.
///
/// # Errors
/// If there is none.
pub(crate) fn format(name: Option<&str>) -> Result<Format, Problem> {
    name.and_then(Format::named).ok_or_else(|| {
        Problem::invalid("`format` names no format").hint("Give `csv`, `ndjson` or `xlsx`.")
    })
}

/// The headers of an export.
pub(crate) fn headers(format: Format) -> [(HeaderName, String); 2] {
    let disposition = format!("attachment; filename=\"members.{}\"", format.ending());
    [(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, disposition)]
}

/// Exports members, and records it in the audit. `place` is held until it ends.
///
/// # Errors
/// If there are too many members for the format, or the database fails.
pub(crate) async fn answer(
    api: &Api,
    holder: &Holder,
    connection: &Connection,
    which: Which,
    format: Format,
    place: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let store = &api.connections.store;
    let mut writing = store.write().await?;
    let action = audit::Action {
        tenant: Some(&connection.tenant),
        actor: &holder.id,
        what: "members-exported",
        subject: &connection.id,
        detail: Some(format.ending()),
    };
    audit::record(&mut writing, action).await?;
    writing.commit().await?;
    let body = match format {
        Format::Xlsx => Body::from(export::workbook(store, &connection.id, which).await?),
        Format::Csv | Format::Ndjson => {
            let parts = export::stream(store, &connection.id, which, format, place).await?;
            Body::from_stream(ReceiverStream::new(parts))
        }
    };
    Ok((headers(format), body).into_response())
}
