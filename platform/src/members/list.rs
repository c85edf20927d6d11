//! Lists members as of now or as of a whole run, filtered and by pages. Every value of a filter is
//! a parameter of the query.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Row as _, query};

use super::NOW;
use super::row::product;
use super::search;
use crate::clock::{DAY, HOUR, now, rfc3339};
use crate::problem::Problem;
use crate::store::Store;

/// Most members of a page.
pub const MOST: i64 = 1_000;
/// Longest text of a filter, in characters.
const LONGEST: usize = 200;

/// What is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of name, nickname or e-mail.
    pub q: Option<String>,
    /// Key or name of a product.
    pub product: Option<String>,
    /// Not seen for so many days; who was never seen to be active is unknown, not idle.
    pub idle_days: Option<i64>,
    /// The status.
    pub status: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The affiliation.
    pub affiliation: Option<String>,
    /// Who is gone, instead of who is there.
    pub gone: bool,
    /// As of this run, by its number; as of the last whole one if there is none.
    pub at: Option<At>,
}

/// A whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its number.
    pub seq: i64,
    /// When it began, from which idle days are counted.
    pub started: i64,
}

/// A page of members.
#[derive(Clone, Debug)]
pub struct Page {
    /// The members.
    pub members: Vec<Listed>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A listed member.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The record, as it was stored.
    pub record: String,
    /// When it was first seen.
    pub first_seen: i64,
    /// Since when it is gone.
    pub gone: Option<i64>,
    sort: String,
}

/// A condition with its parameters.
#[derive(Default)]
struct Where {
    /// Which members are looked at; all of the connection if it is empty.
    from: String,
    sql: String,
    values: Vec<Bound>,
}

enum Bound {
    Text(String),
    Number(i64),
}

impl Filter {
    /// Refuses what no member can have.
    ///
    /// # Errors
    /// If a text is too long, or a number out of range.
    pub fn check(&self) -> Result<(), Problem> {
        for (name, text) in [
            ("q", &self.q),
            ("product", &self.product),
            ("status", &self.status),
            ("kind", &self.kind),
            ("affiliation", &self.affiliation),
        ] {
            let is_long = |text: &str| text.chars().nth(LONGEST).is_some();
            if text.as_ref().is_some_and(|text| is_long(text) || text.contains('\0')) {
                return Err(Problem::invalid(format!("`{name}` is too long or holds a NUL"))
                    .hint(format!("Give at most {LONGEST} characters.")));
            }
        }
        if self.idle_days.is_some_and(|days| !(0..=36_500).contains(&days)) {
            return Err(Problem::invalid("`idle_days` is out of range")
                .hint("Give a number of days from 0 to 36500."));
        }
        Ok(())
    }

    fn condition(&self, connection: &str) -> Where {
        let mut condition = Where::default();
        condition.and("m.connection = ", Bound::Text(connection.to_owned()));
        match self.at {
            None => condition.and("m.until = ", Bound::Number(NOW)),
            Some(at) => {
                condition.and("m.since <= ", Bound::Number(at.seq));
                condition.and("m.until > ", Bound::Number(at.seq));
            }
        }
        condition.and("m.present = ", Bound::Number(i64::from(!self.gone)));
        for (column, value, usual) in [
            ("m.status", &self.status, "active"),
            ("m.kind", &self.kind, "person"),
            ("m.affiliation", &self.affiliation, "managed"),
        ] {
            let Some(value) = value else { continue };
            condition.and(&format!("{column} = "), Bound::Text(value.clone()));
            if value != usual && self.at.is_none() {
                // What few have is in an index of its own, which is used if this says so.
                condition.sql.push_str(&format!(" AND {column} <> '{usual}'"));
            }
        }
        if let Some(days) = self.idle_days {
            // By the hour, so that the pages of a list agree.
            let from = self.at.map_or_else(|| now() / HOUR * HOUR, |at| at.started);
            let from = from.saturating_sub(days * DAY);
            condition.and("m.last_seen <= ", Bound::Number(from));
        }
        if let Some(text) = &self.product {
            condition.like("m.uses LIKE ", &product(text));
        }
        if let Some(text) = self.q.as_ref().filter(|text| !text.is_empty()) {
            condition.like("m.search LIKE ", &text.to_lowercase());
        }
        condition
    }
}

impl Where {
    /// Looks at these members only, by their numbers.
    fn among(&mut self, places: String) {
        self.values.push(Bound::Text(places));
        // Nothing but a cross join keeps this order.
        self.from = format!("json_each(${}) found CROSS JOIN ", self.values.len());
        self.sql.push_str(" AND m.place = found.value");
    }

    fn and(&mut self, sql: &str, value: Bound) {
        self.values.push(value);
        let and = if self.sql.is_empty() { "" } else { " AND " };
        self.sql.push_str(&format!("{and}{sql}${}", self.values.len()));
    }

    /// The text anywhere in the column; nothing in it is a pattern.
    fn like(&mut self, sql: &str, text: &str) {
        let mut pattern = String::from("%");
        for character in text.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        self.and(sql, Bound::Text(pattern));
        self.sql.push_str(" ESCAPE '\\'");
    }

    fn after(&mut self, sort: String, id: String) {
        self.values.push(Bound::Text(sort));
        self.values.push(Bound::Text(id));
        let (sort, id) = (self.values.len() - 1, self.values.len());
        self.sql.push_str(&format!(" AND (m.sort, m.id) > (${sort}, ${id})"));
    }

    fn bind<'q>(self, mut query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        for value in self.values {
            query = match value {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            };
        }
        query
    }
}

/// A page of members by name.
///
/// # Errors
/// If `after` is not what an earlier page gave, or the database fails.
pub async fn page(
    store: &Store,
    connection: &str,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Page, Problem> {
    if store.is_shared() || !search::applies(filter) {
        let mut reading = store.read().acquire().await?;
        return page_of(&mut reading, connection, filter, after, limit).await;
    }
    // Two queries, of one moment.
    let mut view = store.view().await?;
    page_of(&mut view, connection, filter, after, limit).await
}

/// The same, as this connection to the database sees it.
///
/// # Errors
/// Likewise.
pub async fn page_of(
    reading: &mut AnyConnection,
    connection: &str,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Page, Problem> {
    filter.check()?;
    let mut condition = found(reading, connection, filter).await?;
    if let Some(after) = after {
        let (sort, id) = place(after)?;
        condition.after(sort, id);
    }
    let limit = limit.clamp(1, MOST);
    let sql = selected(&condition, limit + 1);
    let rows = condition.bind(query(sqlx::AssertSqlSafe(sql))).fetch_all(reading).await?;
    let mut members = rows.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = members.len() > limit;
    members.truncate(limit);
    let next = members.last().filter(|_| more).map(|last| {
        let place = serde_json::to_vec(&[&last.sort, &last.id]).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(place)
    });
    Ok(Page { members, next })
}

/// The condition of a filter, and where its members are found.
async fn found(
    reading: &mut AnyConnection,
    connection: &str,
    filter: &Filter,
) -> Result<Where, Problem> {
    let mut condition = filter.condition(connection);
    if let Some(places) = search::candidates(reading, connection, filter).await? {
        condition.among(places);
    }
    Ok(condition)
}

fn listed(row: &AnyRow) -> Result<Listed, sqlx::Error> {
    let at: i64 = row.try_get("at")?;
    let present: i64 = row.try_get("present")?;
    Ok(Listed {
        id: row.try_get("id")?,
        record: row.try_get("record")?,
        first_seen: row.try_get("first_seen")?,
        gone: (present == 0).then_some(at),
        sort: row.try_get("sort")?,
    })
}

/// How many members the filter leaves. It is counted once for each whole run.
///
/// # Errors
/// If the database fails.
pub async fn count(store: &Store, connection: &str, filter: &Filter) -> Result<i64, Problem> {
    filter.check()?;
    let row = query("SELECT complete FROM connections WHERE id = $1").bind(connection.to_owned());
    let row = row.fetch_optional(store.read()).await?;
    let complete: i64 = row.map_or(Ok(0), |row| row.try_get("complete"))?;
    let hour = filter.idle_days.map(|_| now() / HOUR);
    let list = (connection.to_owned(), complete, format!("{filter:?} {hour:?}"));
    if let Some(total) = store.totals.get(&list) {
        return Ok(total);
    }
    let mut view = store.view().await?;
    let condition = found(&mut view, connection, filter).await?;
    let Where { from, sql, .. } = &condition;
    let sql = format!("SELECT count(*) AS n FROM {from}members m WHERE {sql}");
    let row = condition.bind(query(sqlx::AssertSqlSafe(sql))).fetch_one(&mut *view).await?;
    let total = row.try_get("n")?;
    store.totals.put(list, total);
    Ok(total)
}

/// How SQLite finds the members of a filter: which indexes it uses.
///
/// # Errors
/// If the database fails.
pub async fn plan(
    store: &Store,
    connection: &str,
    filter: &Filter,
) -> Result<Vec<String>, Problem> {
    let mut view = store.view().await?;
    let condition = found(&mut view, connection, filter).await?;
    let sql = format!("EXPLAIN QUERY PLAN {}", selected(&condition, 101));
    let rows = condition.bind(query(sqlx::AssertSqlSafe(sql))).fetch_all(&mut *view).await?;
    rows.iter().map(|row| Ok(row.try_get("detail")?)).collect()
}

/// The query of a page.
fn selected(condition: &Where, limit: i64) -> String {
    let Where { from, sql, .. } = condition;
    format!(
        "SELECT m.id, m.record, m.first_seen, m.present, m.at, m.sort \
         FROM {from}members m WHERE {sql} ORDER BY m.sort, m.id LIMIT {limit}"
    )
}

/// One member as of now, also one that is gone.
///
/// # Errors
/// `not-found`.
pub async fn one(store: &Store, connection: &str, id: &str) -> Result<Listed, Problem> {
    let sql = "SELECT id, record, first_seen, present, at, sort \
               FROM members WHERE connection = $1 AND id = $2 AND +until = $3";
    let row = query(sql).bind(connection.to_owned()).bind(id.to_owned()).bind(NOW);
    let row = row.fetch_optional(store.read()).await?;
    let row = row.ok_or_else(|| Problem::not_found("member"))?;
    Ok(listed(&row)?)
}

impl Listed {
    /// The member as the API answers it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut record: Value = serde_json::from_str(&self.record).unwrap_or_default();
        if let Some(record) = record.as_object_mut() {
            record.insert("first_seen".into(), rfc3339(self.first_seen).into());
            record.insert("gone".into(), self.gone.and_then(rfc3339).into());
        }
        record
    }
}

/// The place in an opaque `after`.
pub(super) fn place(after: &str) -> Result<(String, String), Problem> {
    let decoded = URL_SAFE_NO_PAD.decode(after).ok();
    let place = decoded.and_then(|bytes| serde_json::from_slice::<(String, String)>(&bytes).ok());
    place.filter(|(sort, id)| !sort.contains('\0') && !id.contains('\0')).ok_or_else(|| {
        Problem::invalid("`after` is not what a page gave as `next`")
            .hint("Leave it out for the first page.")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::store::Place;

    #[tokio::test]
    async fn what_few_members_have_is_found_by_an_index_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
        let text = |text: &str| Some(text.to_owned());
        for (filter, index) in [
            (Filter::default(), "members_now"),
            (Filter { kind: text("app"), ..Filter::default() }, "members_kind"),
            (Filter { kind: text("person"), ..Filter::default() }, "members_now"),
            (Filter { status: text("closed"), ..Filter::default() }, "members_status"),
            (Filter { status: text("active"), ..Filter::default() }, "members_now"),
            (Filter { affiliation: text("external"), ..Filter::default() }, "members_affiliation"),
            (Filter { gone: true, kind: text("app"), ..Filter::default() }, "members_kind"),
        ] {
            let plan = plan(&store, "c", &filter).await.unwrap();
            let used = plan.iter().any(|step| step.contains(&format!("USING INDEX {index} ")));
            // In the order of the list, without sorting.
            assert!(used && plan.len() == 1, "{filter:?}: {plan:?}");
        }
    }
}
