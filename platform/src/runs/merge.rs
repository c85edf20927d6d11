//! Makes the members that a whole run delivered those of its connection: who appeared, changed,
//! returned or is gone. It is part of the transaction that concludes the run.
//!
//! It goes through the ids in parts: what a database keeps to undo one statement stays small,
//! however many members there are.

use sqlx::{Row, query};

use super::table::Claimed;
use crate::clock::now;
use crate::members::NOW;
use crate::problem::Problem;
use crate::store::Writing;

/// Members of one statement.
const AT_ONCE: i64 = 5_000;

/// Merges what is staged. `first` says that the connection has no members yet.
pub(super) async fn merge(
    writing: &mut Writing,
    run: &Claimed,
    first: bool,
) -> Result<(), Problem> {
    if run.sweep > 0 {
        // Only the last sweep says who is there.
        let sql = "DELETE FROM staged \
                   WHERE run = $1 AND sweep < (SELECT sweep FROM runs WHERE id = $1)";
        query(sql).bind(run.id.clone()).execute(&mut **writing).await?;
    }
    let at = now();
    let mut part = Part { after: String::new(), up_to: None };
    loop {
        part.up_to = bound(writing, run, &part.after).await?;
        if !first {
            part.note_who_is_gone(writing, run, at).await?;
        }
        part.take_in(writing, run, at).await?;
        if !first {
            part.end_what_was(writing, run).await?;
        }
        match part.up_to {
            Some(up_to) => part = Part { after: up_to, up_to: None },
            None => return Ok(()),
        }
    }
}

/// Ids after one, up to and with another, or to the last.
struct Part {
    after: String,
    up_to: Option<String>,
}

/// The last id of the next part; `None` if the rest is small enough.
async fn bound(
    writing: &mut Writing,
    run: &Claimed,
    after: &str,
) -> Result<Option<String>, Problem> {
    let mut bound = None::<String>;
    for (sql, whose) in [
        ("SELECT id FROM staged WHERE run = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3", &run.id),
        (
            "SELECT id FROM members WHERE connection = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3",
            &run.connection,
        ),
    ] {
        let row = query(sql).bind(whose.clone()).bind(after.to_owned()).bind(AT_ONCE - 1);
        if let Some(row) = row.fetch_optional(&mut **writing).await? {
            let id: String = row.try_get("id")?;
            bound = Some(bound.map_or_else(|| id.clone(), |other| other.min(id.clone())));
        }
    }
    Ok(bound)
}

impl Part {
    /// The condition that an id is of this part: two parameters, the first of this number.
    fn condition(&self, id: &str, number: usize) -> String {
        match self.up_to {
            Some(_) => format!("{id} > ${number} AND {id} <= ${}", number + 1),
            // The second parameter is given all the same.
            None => format!("{id} > ${number} AND ${} = ''", number + 1),
        }
    }

    fn bounds(&self) -> (String, String) {
        (self.after.clone(), self.up_to.clone().unwrap_or_default())
    }

    async fn note_who_is_gone(
        &self,
        writing: &mut Writing,
        run: &Claimed,
        at: i64,
    ) -> Result<(), Problem> {
        // The plus has SQLite look in the order of ids.
        let sql = format!(
            "INSERT INTO members (connection, id, since, until, present, what, at, first_seen, \
             hash, core, record, sort, search, status, kind, affiliation, last_seen, uses) \
             SELECT m.connection, m.id, $3, $4, 0, 'gone', $5, m.first_seen, m.hash, m.core, \
             m.record, m.sort, m.search, m.status, m.kind, m.affiliation, m.last_seen, m.uses \
             FROM members m LEFT JOIN staged s ON s.run = $2 AND s.id = m.id \
             WHERE m.connection = $1 AND +m.until = $4 AND +m.present = 1 AND s.id IS NULL AND {}",
            self.condition("m.id", 6)
        );
        self.put(writing, run, at, sql).await
    }

    async fn take_in(&self, writing: &mut Writing, run: &Claimed, at: i64) -> Result<(), Problem> {
        let sql = format!(
            "INSERT INTO members (connection, id, since, until, present, what, at, first_seen, \
             hash, core, record, sort, search, status, kind, affiliation, last_seen, uses) \
             SELECT $1, s.id, $3, $4, 1, s.what, $5, coalesce(o.first_seen, $5), s.hash, s.core, \
             s.record, s.sort, s.search, s.status, s.kind, s.affiliation, s.last_seen, s.uses \
             FROM staged s LEFT JOIN members o ON o.connection = $1 AND o.id = s.id \
             AND +o.until = $4 AND o.since < $3 \
             WHERE s.run = $2 AND s.what IS NOT NULL AND {} ORDER BY s.id",
            self.condition("s.id", 6)
        );
        self.put(writing, run, at, sql).await
    }

    async fn put(
        &self,
        writing: &mut Writing,
        run: &Claimed,
        at: i64,
        sql: String,
    ) -> Result<(), Problem> {
        let (after, up_to) = self.bounds();
        query(sqlx::AssertSqlSafe(sql))
            .bind(run.connection.clone())
            .bind(run.id.clone())
            .bind(run.seq)
            .bind(NOW)
            .bind(at)
            .bind(after)
            .bind(up_to)
            .execute(&mut **writing)
            .await?;
        Ok(())
    }

    /// What has a new row since this run was so until it.
    async fn end_what_was(&self, writing: &mut Writing, run: &Claimed) -> Result<(), Problem> {
        let sql = format!(
            "UPDATE members SET until = $2 \
             WHERE connection = $1 AND +until = $3 AND since < $2 AND id IN \
             (SELECT n.id FROM members n WHERE n.connection = $1 AND n.since = $2 AND {})",
            self.condition("n.id", 4)
        );
        let (after, up_to) = self.bounds();
        query(sqlx::AssertSqlSafe(sql))
            .bind(run.connection.clone())
            .bind(run.seq)
            .bind(NOW)
            .bind(after)
            .bind(up_to)
            .execute(&mut **writing)
            .await?;
        Ok(())
    }
}
