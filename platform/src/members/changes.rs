//! What changed between two whole runs: who appeared, changed, returned or is gone. Activity alone
//! is no change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sqlx::{Row, query};

use super::list::{MOST, place};
use crate::clock::rfc3339;
use crate::problem::Problem;
use crate::store::Store;

/// A page of changes.
#[derive(Clone, Debug)]
pub struct Page {
    /// The changes, in the order of the runs.
    pub changes: Vec<Value>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Fields whose change is told.
const FIELDS: [&str; 9] = [
    "email",
    "name",
    "role",
    "products",
    "status",
    "kind",
    "affiliation",
    "billable",
    "attributes",
];

/// A page of the changes after the run `from` and up to the run `to`, by their numbers.
///
/// # Errors
/// If `after` is not what an earlier page gave, or the database fails.
pub async fn page(
    store: &Store,
    connection: &str,
    (from, to): (i64, i64),
    after: Option<&str>,
    limit: i64,
) -> Result<Page, Problem> {
    let (since, id) = match after {
        None => (from, None),
        Some(after) => {
            let (since, id) = place(after)?;
            let since = since.parse().map_err(|_| {
                Problem::invalid("`after` is not what a page gave as `next`")
                    .hint("Leave it out for the first page.")
            })?;
            (since, Some(id))
        }
    };
    let limit = limit.clamp(1, MOST);
    // Of the run where the page before ended, only what comes after that member.
    let sql = "SELECT m.since, m.id, m.what, m.at, m.record, p.record AS before, r.id AS run \
               FROM members m \
               LEFT JOIN members p ON p.connection = m.connection AND p.id = m.id AND +p.until = \
               m.since \
               LEFT JOIN runs r ON r.connection = m.connection AND r.seq = m.since \
               WHERE m.connection = $1 AND m.since <= $2 AND m.what <> 'seen' AND (m.since > $3 \
               OR (m.since = $3 AND m.id > $4 AND $5 = 1)) AND m.since > $6 \
               ORDER BY m.since, m.id LIMIT $7";
    let rows = query(sql)
        .bind(connection.to_owned())
        .bind(to)
        .bind(since)
        .bind(id.clone().unwrap_or_default())
        .bind(i64::from(id.is_some()))
        .bind(from)
        .bind(limit + 1)
        .fetch_all(store.read())
        .await?;
    let mut changes = Vec::new();
    let mut last = None;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    for row in rows.iter().take(limit) {
        let (since, id): (i64, String) = (row.try_get("since")?, row.try_get("id")?);
        let what: String = row.try_get("what")?;
        let record: String = row.try_get("record")?;
        let before: Option<String> = row.try_get("before")?;
        changes.push(json!({
            "what": what,
            "id": id,
            "name": member(&record).get("name"),
            "email": member(&record).get("email"),
            "run": row.try_get::<Option<String>, _>("run")?,
            "at": rfc3339(row.try_get("at")?),
            "fields": before.filter(|_| what == "changed").map(|before| fields(&before, &record)),
        }));
        last = Some((since, id));
    }
    let next = last.filter(|_| rows.len() > limit).map(|(since, id)| {
        let place = serde_json::to_vec(&[since.to_string(), id]).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(place)
    });
    Ok(Page { changes, next })
}

fn member(record: &str) -> Map<String, Value> {
    serde_json::from_str(record).unwrap_or_default()
}

/// The fields that differ, activity aside, each with what it was and what it is.
fn fields(before: &str, after: &str) -> Value {
    let (before, after) = (member(before), member(after));
    let told = |record: &Map<String, Value>, field: &str| {
        let mut value = record.get(field).cloned().unwrap_or_default();
        for product in value.as_array_mut().into_iter().flatten() {
            if let Some(product) = product.as_object_mut() {
                product.shift_remove("last_active");
            }
        }
        value
    };
    let mut fields = Map::new();
    for field in FIELDS {
        let (before, after) = (told(&before, field), told(&after, field));
        if before != after {
            fields.insert(field.to_owned(), json!({"before": before, "after": after}));
        }
    }
    fields.into()
}
