//! A destination on SQLite. A page and its mark are one transaction, so what is kept always says
//! where to go on. Only a complete list tells which members are gone.

use smp_host::collect::destination::*;
use smp_host::collect::guard::{Admitted, Counts};
use smp_host::collect::report::RunReport;
use smp_host::failure::{Code, Failure};
use sqlx::{Connection, SqliteConnection, query, query_as};

/// A database for the members of one organization.
pub(crate) struct Database(pub(crate) SqliteConnection, pub(crate) String);

type Kept<'a, T> = BoxFuture<'a, Result<T, DestinationError>>;

fn lost(error: impl std::error::Error) -> DestinationError {
    Failure::new(Code::Output, format!("the database failed: {error}")).into()
}

impl Destination for Database {
    fn resumable(&self) -> bool {
        true
    }

    fn position<'a>(&'a mut self, whose: &'a Provenance) -> Kept<'a, Position> {
        Box::pin(async move {
            self.1 = serde_json::to_string(whose).map_err(lost)?;
            // Another build or other settings: that collection begins at the first page.
            let other = query("DELETE FROM page WHERE whose != ?").bind(&self.1);
            other.execute(&mut self.0).await.map_err(lost)?;
            let sql = "SELECT number, next, counts, marks, restarted FROM page ORDER BY number";
            let pages = query_as::<_, (u32, Option<String>, String, Vec<u8>, bool)>(sql);
            let pages = pages.fetch_all(&mut self.0).await.map_err(lost)?;
            if pages.is_empty() {
                query("UPDATE member SET here = 0").execute(&mut self.0).await.map_err(lost)?;
            }
            let mut delivered = Delivered::default();
            for (number, next, counts, marks, restarted) in pages {
                let (counts, notes) = serde_json::from_str(&counts).map_err(lost)?;
                let admitted = Admitted::from_bytes(&marks).unwrap_or_default();
                delivered.page(&PageMark { number: number.into(), next, counts, admitted, notes });
                restarted.then(|| delivered.restart());
            }
            Ok(Position::Open(delivered))
        })
    }

    fn deliver(&mut self, Delivery { page, again, mark }: Delivery) -> Kept<'_, ()> {
        Box::pin(async move {
            let mut all = self.0.begin().await.map_err(lost)?;
            for member in page.members.into_iter().chain(again) {
                let row = query("INSERT OR REPLACE INTO member VALUES (?, ?, ?, 1)");
                let row = row.bind(member.id).bind(member.name).bind(member.email);
                row.execute(&mut *all).await.map_err(lost)?;
            }
            let counts = serde_json::to_string(&(mark.counts, mark.notes)).map_err(lost)?;
            let row = query("INSERT INTO page VALUES (?, ?, ?, ?, ?, 0)").bind(&self.1);
            let row = row.bind(mark.number as i64).bind(mark.next).bind(counts);
            let row = row.bind(mark.admitted.to_bytes());
            row.execute(&mut *all).await.map_err(lost)?;
            all.commit().await.map_err(lost)
        })
    }

    fn restart(&mut self, _: Counts) -> Kept<'_, ()> {
        let sql = "UPDATE page SET restarted = 1 WHERE number = (SELECT max(number) FROM page)";
        Box::pin(async move { query(sql).execute(&mut self.0).await.map(drop).map_err(lost) })
    }

    fn conclude<'a>(&'a mut self, end: Ending, _: &'a RunReport) -> Kept<'a, Option<String>> {
        let sql = match end {
            Ending::Complete => "DELETE FROM member WHERE NOT here; DELETE FROM page",
            Ending::Incomplete | Ending::Over => "DELETE FROM page",
            Ending::Stopped | Ending::Kept => "",
        };
        Box::pin(async move {
            sqlx::raw_sql(sql).execute(&mut self.0).await.map_err(lost).map(|_| None)
        })
    }
}
