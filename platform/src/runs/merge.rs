//! Makes the members that a whole run delivered those of its connection: who appeared, changed,
//! returned or is gone. It is part of the transaction that concludes the run.
//!
//! It goes through them in parts, each in the order of the ids: the indexes grow at one end of each
//! part and not all over, and what is held in memory stays small, however many members there are.

use std::collections::HashMap;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _, query};

use super::array::Array;
use super::gone;
use super::staged::{self, Staged};
use super::table::Claimed;
use crate::clock::now;
use crate::members::NOW;
use crate::members::search;
use crate::problem::Problem;
use crate::store::{Store, Writing};

/// Members that are put in order at a time, and bytes of what their pages delivered: one or the other
/// ends a part after a page.
const IN_ORDER: usize = if cfg!(test) { 3 } else { 50_000 };
const MOST_BYTES: usize = 48 << 20;
/// Members of a statement that changes others than it reads, in a folder and on a server.
const AT_ONCE: i64 = if cfg!(test) { 3 } else { 5_000 };
const AT_ONCE_ON_SERVER: i64 = 100_000;
/// Rows of one statement, and bytes of them: SQLite permits 32,766 parameters.
const MOST_ROWS: usize = 1_000;
const MOST_OF_ROWS: usize = 8 << 20;

/// Columns of a member: those that a run has the same of all, and those of [`bound`].
const COMMON: &str = "connection, since, until, present, at";
const OWN: &str = "id, what, first_seen, hash, core, record, sort, search, status, kind, \
                   affiliation, last_seen, uses";
/// Places for one row of the latter. SQLite would look for a place with a number among all before
/// it.
const PLACES: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// What SQLite does at a conflict. It would keep each page as it was before, in memory, to undo the
/// statement alone; nothing here goes on after one.
const OR_ALL: &str = "OR ROLLBACK";

/// A member as it was after the last whole run.
struct Known {
    present: bool,
    first_seen: i64,
    /// Its hashes, in hexadecimal digits.
    hash: String,
    core: String,
}

/// A member that is not as it was, what that is, and when it was first seen.
type Changed<'a> = (&'a Staged<'a>, &'static str, i64);

/// A merge that goes on.
struct Merge<'a> {
    writing: &'a mut Writing,
    run: &'a Claimed,
    /// The instant of the run.
    at: i64,
    /// The connection has no members yet.
    first: bool,
    on_server: bool,
}

/// Merges what is staged. `first` says that the connection has no members yet.
pub(super) async fn merge(
    store: &Store,
    writing: &mut Writing,
    run: &Claimed,
    first: bool,
) -> Result<(), Problem> {
    let (at, on_server) = (now(), store.is_shared());
    let place = if on_server { None } else { Some(search::last_place(writing).await?) };
    if !first {
        gone::note(writing, run, at, on_server).await?;
    }
    let mut merge = Merge { writing, run, at, first, on_server };
    let mut after = merge.before().await?;
    loop {
        let (values, last) = merge.part(after).await?;
        let Some(last) = last else { break };
        merge.take_in(&values).await?;
        after = last;
    }
    if !first {
        end_what_was(writing, run, on_server).await?;
    }
    if let Some(place) = place {
        search::note_stored(writing, &run.connection, place).await?;
    }
    Ok(())
}

impl Merge<'_> {
    /// The page before those of the last sweep, which alone says who is there.
    async fn before(&mut self) -> Result<i64, Problem> {
        let sql = "SELECT coalesce(max(page), -1) AS page FROM pages \
                   WHERE run = $1 AND restarted = 1";
        let row = query(sql).bind(self.run.id.clone()).fetch_one(&mut **self.writing).await?;
        Ok(row.try_get("page")?)
    }

    /// What the pages after this one delivered, as far as it makes a part, and its last page.
    async fn part(&mut self, mut after: i64) -> Result<(Vec<Vec<u8>>, Option<i64>), Problem> {
        let sql = "SELECT page, members FROM pages WHERE run = $1 AND page > $2 \
                   ORDER BY page LIMIT 1";
        let (mut values, mut last, mut members, mut bytes) = (Vec::new(), None, 0, 0);
        while members < IN_ORDER && bytes < MOST_BYTES {
            let row = query(sql).bind(self.run.id.clone()).bind(after);
            let Some(row) = row.fetch_optional(&mut **self.writing).await? else { break };
            let opened = staged::opened(row.try_get("members")?)?;
            members += staged::members(&opened)?.len();
            bytes += opened.len();
            values.push(opened);
            after = row.try_get("page")?;
            last = Some(after);
        }
        Ok((values, last))
    }

    /// Takes in the members of these values.
    async fn take_in(&mut self, values: &[Vec<u8>]) -> Result<(), Problem> {
        let mut members = Vec::new();
        for value in values {
            members.extend(staged::members(value)?);
        }
        members.sort_unstable_by_key(|member| member.id);
        let mut changed = Vec::new();
        for some in members.chunks(MOST_ROWS) {
            let known = self.known(some).await?;
            changed.extend(some.iter().filter_map(|member| self.changed(member, &known)));
        }
        let mut rest = changed.as_slice();
        while !rest.is_empty() {
            let (some, after) = rest.split_at(rows(rest));
            self.put(some).await?;
            rest = after;
        }
        Ok(())
    }

    /// These members as they were after the last whole run. They come as one row: with SQLite, each
    /// row would be a way from one thread to another.
    async fn known(&mut self, members: &[Staged<'_>]) -> Result<HashMap<String, Known>, Problem> {
        if self.first {
            // A server would keep the plan of a query of an empty table.
            return Ok(HashMap::new());
        }
        let ids = members.iter().map(|member| member.id);
        // The plus keeps SQLite from reading the whole list, which is in another index, and a server
        // from it too. A server without statistics of the table would still read all members for
        // each of these, were each not looked up by itself. Who is gone as of this run is not among
        // these members.
        let (sql, ids) = if self.on_server {
            let mut array = Array::default();
            ids.for_each(|id| array.text(Some(id)));
            let sql = "SELECT json_agg(json_build_array(m.id, present, first_seen, \
                       encode(hash, 'hex'), encode(core, 'hex')))::text AS known \
                       FROM unnest($3::text[]) AS asked (id) CROSS JOIN LATERAL \
                       (SELECT * FROM members m WHERE m.connection = $1 AND m.id = asked.id \
                       AND +m.until = $2 LIMIT 1) AS m";
            (sql, array.end())
        } else {
            let sql = "SELECT json_group_array(json_array(id, present, first_seen, \
                       lower(hex(hash)), lower(hex(core)))) AS known \
                       FROM members WHERE connection = $1 AND +until = $2 \
                       AND id IN (SELECT value FROM json_each($3))";
            (sql, serde_json::to_string(&ids.collect::<Vec<_>>()).unwrap_or_default())
        };
        let find = query(sql).bind(self.run.connection.clone()).bind(NOW).bind(ids);
        let found: Option<String> = find.fetch_one(&mut **self.writing).await?.try_get("known")?;
        let found: Vec<(String, i64, i64, String, String)> =
            serde_json::from_str(found.as_deref().unwrap_or("[]"))
                .map_err(|_| Problem::broken("the members of before cannot be read"))?;
        let known = |(id, present, first_seen, hash, core)| {
            (id, Known { present: present != 0, first_seen, hash, core })
        };
        Ok(found.into_iter().map(known).collect())
    }

    /// What a member is that is not as it was.
    fn changed<'a>(
        &self,
        member: &'a Staged<'a>,
        known: &HashMap<String, Known>,
    ) -> Option<Changed<'a>> {
        let Some(known) = known.get(member.id) else { return Some((member, "appeared", self.at)) };
        let what = if !known.present {
            "returned"
        } else if known.core != hex::encode(member.core) {
            "changed"
        } else if known.hash != hex::encode(member.hash) {
            "seen"
        } else {
            return None;
        };
        Some((member, what, known.first_seen))
    }

    /// Gives each of these a row as of this run.
    async fn put(&mut self, changed: &[Changed<'_>]) -> Result<(), Problem> {
        let put = if self.on_server {
            let sql = format!(
                "INSERT INTO members ({COMMON}, {OWN}) SELECT $1, $2, $3, 1, $4, m.* \
                 FROM unnest($5::text[], $6::text[], $7::bigint[], $8::bytea[], $9::bytea[], \
                 $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], \
                 $16::bigint[], $17::text[]) AS m"
            );
            let columns = columns(changed);
            columns
                .into_iter()
                .fold(self.common(query(AssertSqlSafe(sql))), |put, column| put.bind(column.end()))
        } else {
            let places = vec![PLACES; changed.len()].join(", ");
            let sql = format!(
                "WITH common AS (SELECT ? AS c, ? AS s, ? AS u, 1 AS p, ? AS a), \
                 rows AS (VALUES {places}) \
                 INSERT {OR_ALL} INTO members ({COMMON}, {OWN}) SELECT common.*, rows.* \
                 FROM rows CROSS JOIN common"
            );
            changed.iter().fold(self.common(query(AssertSqlSafe(sql))), bound)
        };
        put.execute(&mut **self.writing).await?;
        Ok(())
    }

    fn common<'q>(&self, put: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        put.bind(self.run.connection.clone()).bind(self.run.seq).bind(NOW).bind(self.at)
    }
}

/// How many of these one statement takes, at least one.
fn rows(changed: &[Changed<'_>]) -> usize {
    let bytes = changed.iter().scan(0, |sum, (member, ..)| {
        *sum += member.record.len() + member.search.len() + member.uses.len();
        Some(*sum)
    });
    bytes.take(MOST_ROWS).take_while(|sum| *sum <= MOST_OF_ROWS).count().max(1)
}

fn bound<'q>(
    put: Query<'q, Any, AnyArguments>,
    (member, what, first_seen): &Changed<'_>,
) -> Query<'q, Any, AnyArguments> {
    put.bind(member.id.to_owned())
        .bind(*what)
        .bind(*first_seen)
        .bind(member.hash.to_vec())
        .bind(member.core.to_vec())
        .bind(member.record.to_owned())
        .bind(member.sort.to_owned())
        .bind(member.search.to_owned())
        .bind(member.status.map(str::to_owned))
        .bind(member.kind.map(str::to_owned))
        .bind(member.affiliation.map(str::to_owned))
        .bind(member.last_seen)
        .bind(member.uses.to_owned())
}

/// The same as a server takes it: each column as an array.
fn columns(changed: &[Changed<'_>]) -> [Array; 13] {
    let mut columns: [Array; 13] = Default::default();
    let [
        ids,
        whats,
        firsts,
        hashes,
        cores,
        records,
        sorts,
        searches,
        statuses,
        kinds,
        affiliations,
        seen,
        uses,
    ] = &mut columns;
    for (member, what, first_seen) in changed {
        ids.text(Some(member.id));
        whats.text(Some(what));
        firsts.number(Some(*first_seen));
        hashes.bytes(&member.hash);
        cores.bytes(&member.core);
        records.text(Some(member.record));
        sorts.text(Some(member.sort));
        searches.text(Some(member.search));
        statuses.text(member.status);
        kinds.text(member.kind);
        affiliations.text(member.affiliation);
        seen.number(member.last_seen);
        uses.text(Some(member.uses));
    }
    columns
}

/// What has a new row since this run was so until it.
async fn end_what_was(
    writing: &mut Writing,
    run: &Claimed,
    on_server: bool,
) -> Result<(), Problem> {
    let part = "SELECT id FROM members WHERE connection = $1 AND since = $2 AND id > $3 \
                ORDER BY id LIMIT $4";
    let last = format!("SELECT max(id) AS id FROM ({part}) AS part");
    let sql = if on_server {
        // Each is looked up by itself, as in `known`, and then updated where it lies.
        format!(
            "UPDATE members SET until = $2 WHERE ctid = ANY (ARRAY(SELECT was.place \
             FROM ({part}) AS part CROSS JOIN LATERAL (SELECT m.ctid AS place FROM members m \
             WHERE m.connection = $1 AND m.id = part.id AND +m.until = $5 AND m.since < $2 \
             LIMIT 1) AS was))"
        )
    } else {
        format!(
            "UPDATE {OR_ALL} members SET until = $2 WHERE connection = $1 AND +until = $5 \
             AND since < $2 AND id IN (SELECT id FROM ({part}) AS part)"
        )
    };
    let mut after = String::new();
    loop {
        let bound = |sql: &str| {
            query(AssertSqlSafe(sql.to_owned()))
                .bind(run.connection.clone())
                .bind(run.seq)
                .bind(after.clone())
                .bind(if on_server { AT_ONCE_ON_SERVER } else { AT_ONCE })
        };
        let row = bound(&last).fetch_one(&mut **writing).await?;
        let Some(up_to) = row.try_get::<Option<String>, _>("id")? else { return Ok(()) };
        bound(&sql).bind(NOW).execute(&mut **writing).await?;
        after = up_to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_few_rows_if_they_are_large_and_at_least_one() {
        let numbered = |bytes: usize| {
            let record = "x".repeat(bytes);
            let member = Staged {
                id: "a",
                record: &record,
                hash: Default::default(),
                core: Default::default(),
                sort: "",
                search: "",
                status: None,
                kind: None,
                affiliation: None,
                last_seen: None,
                uses: "",
            };
            rows(&vec![(&member, "appeared", 0); 2 * MOST_ROWS])
        };
        assert_eq!(numbered(400), MOST_ROWS);
        assert_eq!(numbered(MOST_OF_ROWS / 4), 4);
        assert_eq!(numbered(MOST_OF_ROWS + 1), 1);
    }
}
