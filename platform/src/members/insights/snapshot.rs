//! The compact copy of the members of a whole run.

use std::collections::HashMap;
use std::mem::size_of;

use futures_util::TryStreamExt;
use serde::Deserialize;
use sqlx::{Row as _, query};

use crate::problem::Problem;
use crate::store::Store;

/// What is not told, as the value of a filter. Who is told to be so is unknown, too.
pub const UNKNOWN: &str = "(unknown)";

/// The members as of a whole run.
pub struct Snapshot {
    connection: String,
    seq: i64,
    bytes: usize,
    pub(super) members: Vec<Compact>,
    pub(super) products: Names<Product>,
    pub(super) words: Names<String>,
    /// Places of the members of whom a last activity is known, the latest first.
    pub(super) by_seen: Vec<u32>,
    /// Names of products, each once whatever its case.
    pub(super) labels: Vec<String>,
    /// By product, the labels that name it: by its name, or by its key.
    pub(super) labels_of: Vec<Box<[u32]>>,
}

/// Key, name and site of a product.
pub(super) type Product = (String, String, Option<String>);

/// A member.
pub(super) struct Compact {
    pub(super) id: Box<str>,
    pub(super) search: Box<str>,
    /// Places in the words; 0 is unknown.
    pub(super) status: u32,
    pub(super) kind: u32,
    pub(super) affiliation: u32,
    pub(super) domain: u32,
    pub(super) billable: Option<bool>,
    pub(super) last_seen: Option<i64>,
    pub(super) first_seen: i64,
    pub(super) present: bool,
    /// Products, each with the last activity in it.
    pub(super) uses: Box<[(u32, Option<i64>)]>,
}

/// Texts by number.
pub(super) struct Names<T> {
    pub(super) all: Vec<T>,
    pub(super) places: HashMap<T, u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    pub(super) fn place(&mut self, name: T) -> u32 {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(name.clone());
        self.places.insert(name, place);
        place
    }
}

#[derive(Deserialize)]
struct Record {
    email: Option<String>,
    #[serde(default)]
    products: Vec<Use>,
    billable: Option<bool>,
}

#[derive(Deserialize)]
struct Use {
    key: String,
    name: String,
    site: Option<String>,
    last_active: Option<String>,
}

impl Compact {
    fn bytes(&self) -> usize {
        let texts = self.id.len() + self.search.len();
        // Its place in the order by last activity is four bytes more.
        size_of::<Self>() + texts + size_of_val(&*self.uses) + size_of::<u32>()
    }
}

/// The domain of an address, if it has one.
fn domain(email: Option<&str>) -> Option<String> {
    let (_, domain) = email?.rsplit_once('@')?;
    Some(domain.trim().to_lowercase()).filter(|domain| !domain.is_empty())
}

impl Snapshot {
    pub(super) fn empty(connection: &str, seq: i64) -> Self {
        let mut words = Names::default();
        words.place(UNKNOWN.to_owned());
        Self {
            connection: connection.to_owned(),
            seq,
            bytes: 0,
            members: Vec::new(),
            products: Names::default(),
            words,
            by_seen: Vec::new(),
            labels: Vec::new(),
            labels_of: Vec::new(),
        }
    }

    /// Reads a copy. `None` if it takes more memory than this.
    pub(super) async fn read(
        store: &Store,
        connection: &str,
        seq: i64,
        most: usize,
    ) -> Result<Option<Self>, Problem> {
        let sql = "SELECT id, search, status, kind, affiliation, last_seen, first_seen, present, \
                   record FROM members WHERE connection = $1 AND since <= $2 AND until > $2 \
                   ORDER BY sort, id";
        let mut rows = query(sql).bind(connection.to_owned()).bind(seq).fetch(store.read());
        let mut snapshot = Self::empty(connection, seq);
        while let Some(row) = rows.try_next().await? {
            let record: String = row.try_get("record")?;
            let record: Record = serde_json::from_str(&record)
                .map_err(|_| Problem::broken("a stored member cannot be read"))?;
            let mut word = |text: Option<String>| match text {
                Some(text) => snapshot.words.place(text),
                None => 0,
            };
            let (status, kind) = (word(row.try_get("status")?), word(row.try_get("kind")?));
            let affiliation = word(row.try_get("affiliation")?);
            let domain = word(domain(record.email.as_deref()));
            let products = &mut snapshot.products;
            let uses = record.products.into_iter().map(|used| {
                let active = used.last_active.and_then(|at| at.parse::<jiff::Timestamp>().ok());
                let active = active.map(jiff::Timestamp::as_millisecond);
                (products.place((used.key, used.name, used.site)), active)
            });
            let uses = uses.collect();
            let (id, search): (String, String) = (row.try_get("id")?, row.try_get("search")?);
            let present: i64 = row.try_get("present")?;
            let member = Compact {
                id: id.into(),
                search: search.into(),
                status,
                kind,
                affiliation,
                domain,
                billable: record.billable,
                last_seen: row.try_get("last_seen")?,
                first_seen: row.try_get("first_seen")?,
                present: present != 0,
                uses,
            };
            snapshot.bytes += member.bytes();
            snapshot.members.push(member);
            if snapshot.bytes + snapshot.words.all.len() * 64 > most {
                return Ok(None);
            }
        }
        snapshot.finish();
        Ok(Some(snapshot).filter(|snapshot| snapshot.bytes <= most))
    }

    /// What is derived once all members are there.
    pub(super) fn finish(&mut self) {
        self.members.shrink_to_fit();
        let mut by_seen: Vec<(i64, u32)> = (0..)
            .zip(&self.members)
            .filter_map(|(place, member)| Some((member.last_seen?, place)))
            .collect();
        by_seen.sort_by_key(|(seen, place)| (std::cmp::Reverse(*seen), *place));
        self.by_seen = by_seen.into_iter().map(|(_, place)| place).collect();
        let mut labels: Names<String> = Names::default();
        self.labels.clear();
        for (_, name, _) in &self.products.all {
            if usize::try_from(labels.place(name.to_lowercase())) == Ok(self.labels.len()) {
                self.labels.push(name.clone());
            }
        }
        let of = |(key, name, _): &Product| {
            let texts = [name.to_lowercase(), key.to_lowercase()];
            let mut own: Vec<u32> =
                texts.iter().filter_map(|text| labels.places.get(text).copied()).collect();
            own.sort_unstable();
            own.dedup();
            own.into()
        };
        self.labels_of = self.products.all.iter().map(of).collect();
        // Each name is kept twice: by number, and to be found.
        let words: usize = self.words.all.iter().map(|word| word.len() + 32).sum();
        let site = |site: &Option<String>| site.as_ref().map_or(0, String::len);
        let products = self.products.all.iter();
        let products: usize =
            products.map(|(key, name, at)| key.len() + name.len() + site(at) + 96).sum();
        self.bytes += (words + products) * 2;
    }

    /// Whether it is of this run of this connection.
    pub(super) fn is_of(&self, connection: &str, seq: i64) -> bool {
        self.connection == connection && self.seq == seq
    }

    /// The connection whose members these are.
    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    /// The memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn member(&self, place: u32) -> Option<&Compact> {
        self.members.get(usize::try_from(place).ok()?)
    }

    /// The ids at these places.
    #[must_use]
    pub fn ids(&self, places: &[u32]) -> Vec<String> {
        let members = places.iter().filter_map(|place| self.member(*place));
        members.map(|member| member.id.to_string()).collect()
    }

    /// The number of members that are there.
    #[must_use]
    pub fn present(&self) -> usize {
        self.members.iter().filter(|member| member.present).count()
    }

    /// The names of the products, each once whatever its case.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The products: key, name and site.
    #[must_use]
    pub fn products(&self) -> &[(String, String, Option<String>)] {
        &self.products.all
    }

    #[cfg(test)]
    pub(super) fn of_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_that_is_empty_is_unknown() {
        for (email, expected) in [
            (Some("a@Acme.TEST"), Some("acme.test")),
            (Some("a@b@c.test"), Some("c.test")),
            (Some("a@"), None),
            (Some("a@ "), None),
            (Some("none"), None),
            (None, None),
        ] {
            assert_eq!(domain(email).as_deref(), expected, "{email:?}");
        }
    }
}
