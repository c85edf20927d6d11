//! Collects members into SQLite, a page in each transaction: killed at any moment, the next run
//! resumes after the last page that was kept.
//!
//! `API_KEY=… embed_database DATABASE CONNECTOR.wasm ORGANIZATION-ID ORIGIN`, the origin as in
//! `embed`. `database.rs` is the destination.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::error::Error;
use std::process::ExitCode;

use smp_host::component::worker;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, query_scalar, raw_sql};

#[path = "embed_database/database.rs"]
mod database;
#[path = "session/mod.rs"]
mod session;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS page (whose, number INTEGER PRIMARY KEY, next, counts, marks,
        restarted);
    CREATE TABLE IF NOT EXISTS member (id PRIMARY KEY, name, email, here);";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let collected = match arguments.as_slice() {
        [worker, job] if worker == session::WORKER => return worker::work(job),
        [file, connector, organization, url] => collect(file, connector, organization, url),
        _ => Err("usage: embed_database DATABASE CONNECTOR.wasm ORGANIZATION-ID ORIGIN".into()),
    };
    match collected {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn collect(
    file: &str,
    connector: &str,
    organization: &str,
    url: &str,
) -> Result<(), Box<dyn Error>> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut sqlite = options.connect().await?;
    raw_sql(TABLES).execute(&mut sqlite).await?;
    let kept: i64 = query_scalar("SELECT count(*) FROM page").fetch_one(&mut sqlite).await?;
    println!("{kept} pages are kept of an earlier run");

    let session = session::of(connector, organization, url).await?;
    let mut database = database::Database(sqlite, String::new());
    let report = session.collect_members(&mut database, std::future::pending()).await;
    report.error.map_or(Ok(()), Err)?;

    let (members, resumed) = (report.counts.members, report.resumed);
    let there = query_scalar::<_, i64>("SELECT count(*) FROM member WHERE here");
    let there = there.fetch_one(&mut database.0).await?;
    println!("complete: {members} members, {there} in the database, resumed: {resumed}");
    Ok(())
}
