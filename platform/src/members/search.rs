//! Finds members of a long list by a part of their name or by a product that few use, without
//! reading the list: a full-text index of a folder's store has the words of each member. A word is
//! the connection with three letters that follow each other, or with a product.
//!
//! A run that ended leaves its members to be added, in steps, and until then the list is read. What
//! the index finds is a superset: the query of the list judges each member again. Where it finds too
//! many, the list is read in its order, and a page of them is soon full.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use sqlx::{AnyConnection, AssertSqlSafe, Row, query};

use super::list::Filter;
use super::row::PART;
use crate::problem::Problem;
use crate::store::{Store, Writing};

/// Most members that are looked at one by one.
const MOST: i64 = if cfg!(test) { 6 } else { 4_000 };
/// Most words of a query: more hardly leave fewer members.
const WORDS: usize = 24;
/// Members that are added at a time, and how often a step does so: others who write wait for as long
/// as a step takes.
const AT_ONCE: i64 = if cfg!(test) { 3 } else { 1_000 };
const TIMES: usize = if cfg!(test) { 2 } else { 10 };
/// Fewest bytes of a text that is looked up: of shorter ones, the list is soon full.
const LETTERS: usize = 3;
/// Pages of the index that a step of its clearing writes.
const STEP: i64 = 500;
/// How long nothing is looked for after there was nothing to do, and after a fault.
const IDLE: Duration = Duration::from_secs(1);
const BACK_OFF: Duration = Duration::from_secs(60);
/// What says that something is to be cleared.
const DELETED: &str = "index-to-clear";

/// The words of the members of a connection.
pub(crate) struct Words {
    connection: String,
    /// Products that came before.
    products: HashMap<String, String>,
}

impl Words {
    pub(crate) fn new(connection: &str) -> Self {
        Self { connection: short(connection.as_bytes(), 3), products: HashMap::new() }
    }

    /// All words of a member, by its columns `search` and `uses`.
    pub(crate) fn of(&mut self, search: &str, uses: &str) -> String {
        let letters: BTreeSet<&[u8]> = search.as_bytes().windows(LETTERS).collect();
        let products: BTreeSet<&str> = uses.split(PART).filter(|one| !one.is_empty()).collect();
        let mut words = String::with_capacity(letters.len() * 15 + products.len() * 32);
        for three in letters {
            words.push_str(&self.connection);
            three.iter().for_each(|byte| push_hex(&mut words, *byte));
            words.push(' ');
        }
        for product in products {
            let word = self.products.entry(product.to_owned()).or_insert_with(|| of(product));
            words.push_str(&self.connection);
            words.push_str(word);
            words.push(' ');
        }
        words
    }

    /// The query for a filter; `None` if it names nothing that has words.
    fn sought(&self, filter: &Filter) -> Option<String> {
        let mut sought = BTreeSet::new();
        if let Some(text) = filter.q.as_ref().map(|text| text.to_lowercase()) {
            let all: BTreeSet<&[u8]> = text.as_bytes().windows(LETTERS).collect();
            for three in all.iter().step_by(all.len().div_ceil(WORDS).max(1)) {
                sought.insert(format!("\"{}{}\"", self.connection, hex::encode(three)));
            }
        }
        if let Some(text) = filter.product.as_ref().map(|text| text.to_lowercase())
            && !text.is_empty()
            && !text.contains(PART)
        {
            sought.insert(format!("\"{}{}\"", self.connection, of(&text)));
        }
        let sought: Vec<String> = sought.into_iter().collect();
        (!sought.is_empty()).then(|| sought.join(" AND "))
    }
}

/// The word of a product: no letter of it is a digit of the other words.
fn of(product: &str) -> String {
    format!("u{}", short(product.as_bytes(), 8))
}

fn short(text: &[u8], bytes: usize) -> String {
    digest(&SHA256, text).as_ref().iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

fn push_hex(text: &mut String, byte: u8) {
    for half in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(u32::from(half), 16));
    }
}

/// Whether the index may help with a filter.
pub(super) fn applies(filter: &Filter) -> bool {
    filter.at.is_none() && (filter.q.is_some() || filter.product.is_some())
}

/// The numbers of all members that the filter may leave, as a JSON array; `None` where the list is
/// to be read.
pub(super) async fn candidates(
    reading: &mut AnyConnection,
    connection: &str,
    filter: &Filter,
) -> Result<Option<String>, Problem> {
    if !applies(filter) || reading.backend_name() != "SQLite" {
        return Ok(None);
    }
    let Some(sought) = Words::new(connection).sought(filter) else { return Ok(None) };
    if !is_searchable(reading, connection).await? {
        return Ok(None);
    }
    let sql = "SELECT json_group_array(place) AS places, count(*) AS number \
               FROM (SELECT rowid AS place FROM members_found WHERE members_found MATCH $1 \
               LIMIT $2)";
    let row = query(sql).bind(sought).bind(MOST + 1).fetch_one(reading).await?;
    let number: i64 = row.try_get("number")?;
    Ok(if number > MOST { None } else { Some(row.try_get("places")?) })
}

/// Whether the index has all members of a connection.
async fn is_searchable(reading: &mut AnyConnection, connection: &str) -> Result<bool, Problem> {
    let sql = "SELECT count(*) AS n FROM unsearched WHERE connection = $1";
    let row = query(sql).bind(connection.to_owned()).fetch_one(reading).await?;
    Ok(row.try_get::<i64, _>("n")? == 0)
}

/// The number of the last member that was stored.
pub(crate) async fn last_place(writing: &mut Writing) -> Result<i64, Problem> {
    let sql = "SELECT coalesce(max(seq), 0) AS place FROM sqlite_sequence WHERE name = 'members'";
    Ok(query(sql).fetch_one(&mut **writing).await?.try_get("place")?)
}

/// Leaves the members of a connection that were stored after this one to be added.
pub(crate) async fn note_stored(
    writing: &mut Writing,
    connection: &str,
    after: i64,
) -> Result<(), Problem> {
    let up_to = last_place(writing).await?;
    if up_to > after {
        let sql = "INSERT INTO unsearched (connection, after, up_to) VALUES ($1, $2, $3)";
        let range = query(sql).bind(connection.to_owned()).bind(after).bind(up_to);
        range.execute(&mut **writing).await?;
    }
    Ok(())
}

/// Keeps the index of a folder's store, for as long as it is not dropped.
pub(crate) async fn keep(store: Store) {
    loop {
        match step(&store).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(IDLE).await,
            Err(problem) => {
                let code = problem.code;
                tracing::error!(code, "the search index is left as it is: {}", problem.detail);
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

/// Takes all steps that are to be taken.
///
/// # Errors
/// If the database fails.
pub async fn catch_up(store: &Store) -> Result<(), Problem> {
    while step(store).await? {}
    Ok(())
}

/// Takes a step. `false` if there is none to take.
pub(crate) async fn step(store: &Store) -> Result<bool, Problem> {
    if store.is_shared() {
        return Ok(false);
    }
    // Nobody waits for who only looks.
    let sql = "SELECT (SELECT count(*) FROM unsearched) AS unsearched, \
               (SELECT count(*) FROM facts WHERE name = $1) AS deleted";
    let row = query(sql).bind(DELETED).fetch_one(store.read()).await?;
    if row.try_get::<i64, _>("deleted")? > 0 && clear_some(store).await? {
        return Ok(true);
    }
    let is_behind = row.try_get::<i64, _>("unsearched")? > 0;
    if is_behind {
        let mut writing = store.write().await?;
        for _ in 0..TIMES {
            add_some(&mut writing).await?;
        }
        writing.commit().await?;
    }
    Ok(is_behind)
}

async fn add_some(writing: &mut Writing) -> Result<(), Problem> {
    let first = query("SELECT connection, after, up_to FROM unsearched ORDER BY after LIMIT 1");
    let Some(first) = first.fetch_optional(&mut **writing).await? else { return Ok(()) };
    let connection: String = first.try_get("connection")?;
    let (after, up_to): (i64, i64) = (first.try_get("after")?, first.try_get("up_to")?);
    // As one row: each would be a way from one thread to another.
    let sql = "SELECT json_group_array(json_array(place, search, uses)) AS members \
               FROM (SELECT place, search, uses FROM members \
               WHERE place > $1 AND place <= $2 ORDER BY place LIMIT $3)";
    let some = query(sql).bind(after).bind(up_to).bind(AT_ONCE).fetch_one(&mut **writing).await?;
    let some: Vec<(i64, String, String)> = serde_json::from_str(some.try_get("members")?)
        .map_err(|_| Problem::broken("the members of a connection cannot be read"))?;
    let last = some.last().map(|(place, ..)| *place).filter(|place| *place < up_to);
    let mut words = Words::new(&connection);
    let found = some.iter().map(|(place, search, uses)| (*place, words.of(search, uses)));
    add(writing, found.collect()).await?;
    let done = match last {
        Some(last) => {
            query("UPDATE unsearched SET after = $3 WHERE connection = $1 AND after = $2")
                .bind(connection)
                .bind(after)
                .bind(last)
        }
        None => query("DELETE FROM unsearched WHERE connection = $1 AND after = $2")
            .bind(connection)
            .bind(after),
    };
    done.execute(&mut **writing).await?;
    Ok(())
}

/// Adds members with their words. Their numbers rise: the index would be written anew for each that
/// does not.
pub(crate) async fn add(writing: &mut Writing, members: Vec<(i64, String)>) -> Result<(), Problem> {
    if members.is_empty() {
        return Ok(());
    }
    let places = vec!["(?, ?)"; members.len()].join(", ");
    let sql = format!("INSERT INTO members_found (rowid, words) VALUES {places}");
    let put = members
        .into_iter()
        .fold(query(AssertSqlSafe(sql)), |put, (place, words)| put.bind(place).bind(words));
    put.execute(&mut **writing).await?;
    Ok(())
}

/// Notes that members of the index were deleted, and are to be cleared out of it.
pub(crate) async fn note_deleted(writing: &mut Writing) -> Result<(), Problem> {
    let sql = "INSERT OR IGNORE INTO facts (name, value) VALUES ($1, '')";
    query(sql).bind(DELETED).execute(&mut **writing).await?;
    Ok(())
}

/// Clears a part of the index of what was deleted: a word stays in it until the part that it is in is
/// written anew. `false` if there is nothing more to do at once.
async fn clear_some(store: &Store) -> Result<bool, Problem> {
    let changes = async |writing: &mut Writing| {
        let row = query("SELECT total_changes() AS n").fetch_one(&mut **writing).await?;
        row.try_get::<i64, _>("n")
    };
    let mut writing = store.write().await?;
    let before = changes(&mut writing).await?;
    let sql = "INSERT INTO members_found (members_found, rank) VALUES ('merge', $1)";
    query(sql).bind(-STEP).execute(&mut *writing).await?;
    // The command itself counts as a change.
    let is_clear = changes(&mut writing).await? - before < 2;
    writing.commit().await?;
    if !is_clear {
        return Ok(true);
    }
    store.forget().await?;
    if !store.remembers() {
        let mut writing = store.write().await?;
        query("DELETE FROM facts WHERE name = $1").bind(DELETED).execute(&mut *writing).await?;
        writing.commit().await?;
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn found(search: &str, uses: &str, filter: &Filter) -> bool {
        let mut words = Words::new("c");
        let has = words.of(search, uses);
        let has: Vec<&str> = has.split_whitespace().collect();
        let sought = words.sought(filter).unwrap();
        sought.split(" AND ").all(|one| has.contains(&one.trim_matches('"')))
    }

    #[test]
    fn every_part_of_a_text_is_found_by_its_letters() {
        let search = "zoë ärger\nzz\nzoe@example.test";
        for (begin, _) in search.char_indices() {
            for (end, _) in search.char_indices().skip(1).chain([(search.len(), ' ')]) {
                let Some(part) = search.get(begin..end).filter(|part| part.len() >= LETTERS) else {
                    continue;
                };
                let filter = Filter { q: Some(part.to_uppercase()), ..Filter::default() };
                assert!(found(search, "", &filter), "{part:?}");
            }
        }
        for other in ["zoe ", "qux", "zz@", "testa"] {
            let filter = Filter { q: Some(other.into()), ..Filter::default() };
            assert!(!found(search, "", &filter), "{other:?}");
        }
    }

    #[test]
    fn a_product_is_found_by_its_key_or_name_whole() {
        let uses = "\u{1f}jira-software\u{1f}\u{1f}jira\u{1f}";
        for (product, expected) in [("Jira", true), ("JIRA-Software", true), ("jir", false)] {
            let filter = Filter { product: Some(product.into()), ..Filter::default() };
            assert_eq!(found("", uses, &filter), expected, "{product}");
        }
        let words = Words::new("c");
        // Too short to be looked up.
        assert_eq!(words.sought(&Filter { q: Some("zo".into()), ..Filter::default() }), None);
        let parted = Filter { product: Some("a\u{1f}b".into()), ..Filter::default() };
        assert_eq!(words.sought(&parted), None);
        assert_ne!(
            Words::new("d").sought(&Filter { q: Some("abc".into()), ..Filter::default() }),
            words.sought(&Filter { q: Some("abc".into()), ..Filter::default() })
        );
    }

    #[test]
    fn a_long_query_has_few_words() {
        let text: String = ('a'..='z').chain('0'..='9').cycle().take(200).collect();
        let filter = Filter { q: Some(text), ..Filter::default() };
        assert!(Words::new("c").sought(&filter).unwrap().split(" AND ").count() <= WORDS);
    }
}
