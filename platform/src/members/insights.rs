//! Counts for facets and charts, in one pass over a compact copy of the members of a whole run.
//!
//! The members of a whole run never change, so the copy is read once and kept while somebody
//! looks. Every number of a page comes of the same pass: the facets, the charts and the table
//! cannot disagree. The count beside a value is that of the list behind it: all filters hold, but
//! the one of the value's own kind.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;
use sqlx::{AnyConnection, Row as _, query};

use super::list::MOST;
use crate::clock::{DAY, now};
use crate::problem::Problem;
use crate::store::Store;

/// Members in all copies together. One takes about 200 bytes.
const MOST_KEPT: usize = 1_000_000;
/// A copy that nobody looked at for so long is dropped.
const UNSEEN: i64 = 10 * 60_000;
/// Products of the matrix.
const TOGETHER: usize = 8;
/// Rows of one statement.
const SOME: usize = 500;

/// Copies of members, for those who look.
#[derive(Clone, Default)]
pub struct Insights {
    kept: Arc<Mutex<Kept>>,
    reading: Arc<tokio::sync::Mutex<()>>,
}

/// Copies, each with the instant at which it was looked at.
type Kept = VecDeque<(i64, Arc<Snapshot>)>;

/// The members as of a whole run.
pub struct Snapshot {
    connection: String,
    seq: i64,
    members: Vec<Compact>,
    products: Names<(String, String, Option<String>)>,
    words: Names<String>,
    by_seen: Vec<u32>,
}

struct Compact {
    id: Box<str>,
    search: Box<str>,
    /// Places in the words; 0 is unknown.
    status: u32,
    kind: u32,
    affiliation: u32,
    domain: u32,
    billable: Option<bool>,
    last_seen: Option<i64>,
    first_seen: i64,
    present: bool,
    uses: Box<[(u32, Option<i64>)]>,
}

/// Texts by number.
struct Names<T> {
    all: Vec<T>,
    places: HashMap<T, u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    fn place(&mut self, name: T) -> u32 {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(name.clone());
        self.places.insert(name, place);
        place
    }

    fn of(&self, place: u32) -> Option<&T> {
        self.all.get(usize::try_from(place).ok()?)
    }
}

/// How the members are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By name.
    #[default]
    Name,
    /// By name, backwards.
    NameBack,
    /// Who was seen last first; who is unknown at the end.
    Latest,
    /// Who was seen longest ago first; who is unknown at the end.
    Oldest,
}

/// Which members are looked at.
#[derive(Clone, Debug)]
pub struct Choice {
    /// A part of name, nickname or e-mail.
    pub q: Option<String>,
    /// Key or name of a product.
    pub product: Option<String>,
    /// Key or name of another one, used too.
    pub with: Option<String>,
    /// A bar of the last activity: 0 to 3 by age, 4 where it is unknown.
    pub seen: Option<usize>,
    /// Last seen at least so many days ago.
    pub idle_days: Option<i64>,
    /// The status; [`UNKNOWN`] where it is not told.
    pub status: Option<String>,
    /// The kind, likewise.
    pub kind: Option<String>,
    /// The affiliation, likewise.
    pub affiliation: Option<String>,
    /// The domain of the e-mail address, likewise.
    pub domain: Option<String>,
    /// `yes`, `no` or [`UNKNOWN`].
    pub billable: Option<String>,
    /// Who is gone, instead of who is there.
    pub gone: bool,
    /// Days at which the bars of the last activity begin.
    pub days: [i64; 3],
    /// The instant from which days are counted.
    pub at: i64,
    /// The order.
    pub order: Order,
}

/// What is not told, as the value of a filter.
pub const UNKNOWN: &str = "(unknown)";

/// What one pass found.
#[derive(Debug, Default)]
pub struct Found {
    /// All that are there, or gone.
    pub all: usize,
    /// Those of the choice.
    pub count: usize,
    /// The places of those of the page.
    pub page: Vec<u32>,
    /// Products by name: who uses them, and who of these is in the last bar.
    pub products: Vec<(String, usize, usize)>,
    /// By last activity: four bars by age, and unknown.
    pub seen: [usize; 5],
    /// Statuses.
    pub statuses: Vec<(String, usize)>,
    /// Kinds.
    pub kinds: Vec<(String, usize)>,
    /// Affiliations.
    pub affiliations: Vec<(String, usize)>,
    /// Domains of e-mail addresses.
    pub domains: Vec<(String, usize)>,
    /// Whether they are billed for.
    pub billable: Vec<(String, usize)>,
    /// How many use two products, by the most used ones: their names and the rows.
    pub together: (Vec<String>, Vec<Vec<usize>>),
}

/// A page of what differs between two runs.
#[derive(Debug, Default)]
pub struct Differences {
    /// By what differs, the places in the later copy, or in the earlier one of who is gone.
    pub lists: [Vec<u32>; 7],
}

/// What differs, in the order of [`Differences::lists`].
pub const DIFFERENCES: [&str; 7] =
    ["appeared", "gone", "returned", "idle", "awake", "gained", "lost"];

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

/// The kinds of filters, one bit each.
const TEXT: u16 = 1;
const PRODUCT: u16 = 2;
const WITH: u16 = 4;
const SEEN: u16 = 8;
const STATUS: u16 = 16;
const KIND: u16 = 32;
const AFFILIATION: u16 = 64;
const DOMAIN: u16 = 128;
const BILLABLE: u16 = 256;

impl Insights {
    /// The members of a connection as of this run, which is whole. `None` if they are too many to
    /// be kept.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn of(
        &self,
        store: &Store,
        connection: &str,
        seq: i64,
    ) -> Result<Option<Arc<Snapshot>>, Problem> {
        if let Some(found) = self.kept(connection, seq) {
            return Ok(Some(found));
        }
        let _turn = self.reading.lock().await;
        if let Some(found) = self.kept(connection, seq) {
            return Ok(Some(found));
        }
        let Some(read) = Snapshot::read(store, connection, seq).await? else { return Ok(None) };
        let read = Arc::new(read);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((now(), Arc::clone(&read)));
        let mut sum = 0;
        kept.retain(|(_, snapshot)| {
            sum += snapshot.members.len();
            sum <= MOST_KEPT
        });
        Ok(Some(read))
    }

    fn kept(&self, connection: &str, seq: i64) -> Option<Arc<Snapshot>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(at, _)| now() - at < UNSEEN);
        let found = kept
            .iter_mut()
            .find(|(_, snapshot)| snapshot.connection == connection && snapshot.seq == seq)?;
        found.0 = now();
        Some(Arc::clone(&found.1))
    }

    /// Drops what is kept of a connection.
    pub fn forget(&self, connection: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, snapshot)| snapshot.connection != connection);
    }
}

impl Snapshot {
    async fn read(store: &Store, connection: &str, seq: i64) -> Result<Option<Self>, Problem> {
        let sql = "SELECT id, search, status, kind, affiliation, last_seen, first_seen, present, record \
                   FROM members WHERE connection = $1 AND since <= $2 AND until > $2 ORDER BY sort, id";
        let mut rows = query(sql).bind(connection.to_owned()).bind(seq).fetch(store.read());
        let mut snapshot = Self {
            connection: connection.to_owned(),
            seq,
            members: Vec::new(),
            products: Names::default(),
            words: Names::default(),
            by_seen: Vec::new(),
        };
        snapshot.words.place(UNKNOWN.to_owned());
        while let Some(row) = rows.try_next().await? {
            if snapshot.members.len() >= MOST_KEPT {
                return Ok(None);
            }
            let record: String = row.try_get("record")?;
            let record: Record = serde_json::from_str(&record)
                .map_err(|_| Problem::broken("a stored member cannot be read"))?;
            let mut word = |text: Option<String>| match text {
                Some(text) => snapshot.words.place(text),
                None => 0,
            };
            let domain = record.email.as_deref().and_then(|email| email.rsplit_once('@'));
            let domain = domain.map(|(_, domain)| domain.to_lowercase());
            let (status, kind) = (word(row.try_get("status")?), word(row.try_get("kind")?));
            let (affiliation, domain) = (word(row.try_get("affiliation")?), word(domain));
            let products = &mut snapshot.products;
            let uses = record.products.into_iter().map(|used| {
                let active = used.last_active.and_then(|at| at.parse::<jiff::Timestamp>().ok());
                let active = active.map(jiff::Timestamp::as_millisecond);
                (products.place((used.key, used.name, used.site)), active)
            });
            let (id, search): (String, String) = (row.try_get("id")?, row.try_get("search")?);
            let present: i64 = row.try_get("present")?;
            let compact = Compact {
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
                uses: uses.collect(),
            };
            snapshot.members.push(compact);
        }
        let mut by_seen: Vec<(i64, u32)> = (0..)
            .zip(&snapshot.members)
            .filter_map(|(place, member)| Some((member.last_seen?, place)))
            .collect();
        by_seen.sort_by_key(|(seen, place)| (std::cmp::Reverse(*seen), *place));
        snapshot.by_seen = by_seen.into_iter().map(|(_, place)| place).collect();
        Ok(Some(snapshot))
    }

    fn member(&self, place: u32) -> Option<&Compact> {
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

    /// Which products a text names: by key or by name, whatever the case.
    fn named(&self, text: Option<&String>) -> Option<Vec<bool>> {
        let text = text?.to_lowercase();
        let is = |(key, name, _): &(String, String, Option<String>)| {
            key.to_lowercase() == text || name.to_lowercase() == text
        };
        Some(self.products.all.iter().map(is).collect())
    }

    /// One pass: the members of a choice from this one on, and all counts.
    #[must_use]
    pub fn look(&self, choice: &Choice, from: usize, most: usize) -> Found {
        let test = Test::new(self, choice);
        let mut tally = Tally::new(self);
        let mut found = Found::default();
        // In the order in which they lie, whatever the order of the list: a jump to each member
        // would take three times as long.
        let mut hits = vec![false; self.members.len()];
        let there = self.members.iter().zip(&mut hits);
        for (member, hit) in there.filter(|(member, _)| member.present != choice.gone) {
            found.all += 1;
            let failed = test.failed(member);
            tally.add(member, failed, choice);
            *hit = failed == 0;
            found.count += usize::from(*hit);
        }
        let count = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        let is_hit = |place: &u32| {
            usize::try_from(*place).ok().and_then(|place| hits.get(place)) == Some(&true)
        };
        let unknown = (0..count)
            .filter(|place| is_hit(place))
            .filter(|place| self.member(*place).is_some_and(|it| it.last_seen.is_none()));
        let known = self.by_seen.iter().copied().filter(is_hit);
        found.page = match choice.order {
            Order::Name => (0..count).filter(is_hit).skip(from).take(most).collect(),
            Order::NameBack => (0..count).rev().filter(is_hit).skip(from).take(most).collect(),
            Order::Latest => known.chain(unknown).skip(from).take(most).collect(),
            Order::Oldest => known.rev().chain(unknown).skip(from).take(most).collect(),
        };
        tally.into(self, &mut found);
        found
    }

    /// What differs between this run and a later one. An age is counted from each run's own
    /// beginning; `after` is when this run ended.
    #[must_use]
    pub fn differences(
        &self,
        later: &Self,
        (began, later_began): (i64, i64),
        after: i64,
        idle: i64,
    ) -> Differences {
        let before: HashMap<&str, (u32, &Compact)> = (0..)
            .zip(&self.members)
            .filter(|(_, member)| member.present)
            .map(|(place, member)| (&*member.id, (place, member)))
            .collect();
        let same: Vec<Option<u32>> = self
            .products
            .all
            .iter()
            .map(|product| later.products.places.get(product).copied())
            .collect();
        let is_idle = |member: &Compact, at: i64| {
            member.last_seen.is_some_and(|seen| seen <= at.saturating_sub(idle * DAY))
        };
        let mut found = Differences::default();
        let [appeared, gone, returned, slept, awoke, gained, lost] = &mut found.lists;
        let mut stayed = std::collections::HashSet::new();
        for (place, now) in (0..).zip(&later.members).filter(|(_, member)| member.present) {
            let Some((_, old)) = before.get(&*now.id) else {
                if now.first_seen <= after {
                    returned.push(place)
                } else {
                    appeared.push(place)
                }
                continue;
            };
            stayed.insert(&*now.id);
            let (was, is) = (is_idle(old, began), is_idle(now, later_began));
            if is && !was && old.last_seen.is_some() {
                slept.push(place);
            } else if was && !is && now.last_seen > old.last_seen {
                awoke.push(place);
            }
            let old_uses: Vec<Option<u32>> = old
                .uses
                .iter()
                .map(|(used, _)| same.get(usize::try_from(*used).ok()?).copied().flatten())
                .collect();
            if now.uses.iter().any(|(used, _)| !old_uses.contains(&Some(*used))) {
                gained.push(place);
            }
            let kept = |used: &Option<u32>| {
                used.is_some_and(|used| now.uses.iter().any(|(own, _)| *own == used))
            };
            if old_uses.iter().any(|used| !kept(used)) {
                lost.push(place);
            }
        }
        let mut left: Vec<u32> = before
            .values()
            .filter(|(_, member)| !stayed.contains(&*member.id))
            .map(|(place, _)| *place)
            .collect();
        left.sort_unstable();
        *gone = left;
        found
    }

    /// Of who uses this product on this site: all, those who are billed for and idle, and those
    /// who are idle and of whom nobody tells whether they are billed for.
    #[must_use]
    pub fn seats(&self, key: &str, site: Option<&str>, idle_at: i64) -> (usize, usize, usize) {
        let is = |used: &u32| {
            self.products.of(*used).is_some_and(|(own, _, at)| own == key && at.as_deref() == site)
        };
        let mut counts = (0, 0, 0);
        for member in self.members.iter().filter(|member| member.present) {
            let Some((_, active)) = member.uses.iter().find(|(used, _)| is(used)) else { continue };
            counts.0 += 1;
            // Who is active elsewhere keeps a seat here: only the product's own activity counts.
            if active.is_some_and(|active| active <= idle_at) {
                match member.billable {
                    Some(true) => counts.1 += 1,
                    None => counts.2 += 1,
                    Some(false) => {}
                }
            }
        }
        counts
    }

    /// The products, with sites, of who is there.
    #[must_use]
    pub fn products(&self) -> &[(String, String, Option<String>)] {
        &self.products.all
    }
}

/// The filters of a choice, looked up once.
struct Test<'c> {
    q: Option<String>,
    product: Option<Vec<bool>>,
    with: Option<Vec<bool>>,
    words: [Option<Option<u32>>; 4],
    billable: Option<Option<bool>>,
    choice: &'c Choice,
}

impl<'c> Test<'c> {
    fn new(snapshot: &Snapshot, choice: &'c Choice) -> Self {
        let word = |text: &Option<String>| {
            text.as_ref().map(|text| snapshot.words.places.get(text.as_str()).copied())
        };
        Self {
            q: choice.q.as_ref().map(|text| text.to_lowercase()),
            product: snapshot.named(choice.product.as_ref()),
            with: snapshot.named(choice.with.as_ref()),
            words: [&choice.status, &choice.kind, &choice.affiliation, &choice.domain].map(word),
            billable: choice.billable.as_ref().map(|text| match text.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            }),
            choice,
        }
    }

    /// The kinds of filters that a member does not pass.
    fn failed(&self, member: &Compact) -> u16 {
        let mut failed = 0;
        if self.q.as_ref().is_some_and(|text| !member.search.contains(text.as_str())) {
            failed |= TEXT;
        }
        for (named, bit) in [(&self.product, PRODUCT), (&self.with, WITH)] {
            let uses = |named: &Vec<bool>| {
                let is = |used: u32| usize::try_from(used).ok().and_then(|used| named.get(used));
                member.uses.iter().any(|(used, _)| is(*used) == Some(&true))
            };
            if named.as_ref().is_some_and(|named| !uses(named)) {
                failed |= bit;
            }
        }
        let own = [member.status, member.kind, member.affiliation, member.domain];
        for ((wanted, own), bit) in
            self.words.iter().zip(own).zip([STATUS, KIND, AFFILIATION, DOMAIN])
        {
            if wanted.is_some_and(|wanted| wanted != Some(own)) {
                failed |= bit;
            }
        }
        if self.billable.is_some_and(|wanted| wanted != member.billable) {
            failed |= BILLABLE;
        }
        let choice = self.choice;
        let out = choice.seen.is_some_and(|seen| seen != bar(member.last_seen, choice));
        let fresh = choice.idle_days.is_some_and(|days| {
            member.last_seen.is_none_or(|seen| seen > choice.at.saturating_sub(days * DAY))
        });
        if out || fresh {
            failed |= SEEN;
        }
        failed
    }
}

/// The bar of an activity. Unknown is a bar of its own, never idle.
fn bar(seen: Option<i64>, choice: &Choice) -> usize {
    let Some(seen) = seen else { return 4 };
    choice.days.iter().filter(|days| seen <= choice.at.saturating_sub(*days * DAY)).count()
}

/// Counts of a pass.
struct Tally {
    products: Vec<(usize, usize)>,
    names: Vec<u32>,
    labels: Vec<String>,
    pairs: HashMap<(u32, u32), usize>,
    seen: [usize; 5],
    words: [HashMap<u32, usize>; 4],
    billable: [usize; 3],
}

impl Tally {
    fn new(snapshot: &Snapshot) -> Self {
        let mut names = Names::default();
        let of = snapshot.products.all.iter().map(|(_, name, _)| names.place(name.clone()));
        let of: Vec<u32> = of.collect();
        Self {
            products: vec![(0, 0); names.all.len()],
            names: of,
            labels: names.all,
            pairs: HashMap::new(),
            seen: [0; 5],
            words: Default::default(),
            billable: [0; 3],
        }
    }

    fn add(&mut self, member: &Compact, failed: u16, choice: &Choice) {
        let only = |bits: u16| failed & !bits == 0;
        if only(SEEN)
            && let Some(count) = self.seen.get_mut(bar(member.last_seen, choice))
        {
            *count += 1;
        }
        let own = [member.status, member.kind, member.affiliation, member.domain];
        for ((counts, own), bit) in
            self.words.iter_mut().zip(own).zip([STATUS, KIND, AFFILIATION, DOMAIN])
        {
            if only(bit) {
                *counts.entry(own).or_default() += 1;
            }
        }
        if only(BILLABLE) {
            let place = match member.billable {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            };
            if let Some(count) = self.billable.get_mut(place) {
                *count += 1;
            }
        }
        if only(PRODUCT | WITH) && !member.uses.is_empty() {
            let name = |used: &u32| self.names.get(usize::try_from(*used).ok()?).copied();
            let mut used: Vec<u32> =
                member.uses.iter().filter_map(|(used, _)| name(used)).collect();
            used.sort_unstable();
            used.dedup();
            let idle = bar(member.last_seen, choice) == 3;
            for (nth, one) in used.iter().enumerate() {
                let place = usize::try_from(*one).unwrap_or(usize::MAX);
                if only(PRODUCT)
                    && let Some(count) = self.products.get_mut(place)
                {
                    count.0 += 1;
                    count.1 += usize::from(idle);
                }
                // Nobody uses as many products as that would cost something.
                for other in used.iter().skip(nth).take(64) {
                    *self.pairs.entry((*one, *other)).or_default() += 1;
                }
            }
        }
    }

    fn into(self, snapshot: &Snapshot, found: &mut Found) {
        let most_first = |mut all: Vec<(String, usize)>| {
            all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            all
        };
        let [statuses, kinds, affiliations, domains] = self.words.map(|counts| {
            let named = counts
                .into_iter()
                .filter_map(|(word, count)| Some((snapshot.words.of(word)?.clone(), count)));
            most_first(named.collect())
        });
        (found.statuses, found.kinds) = (statuses, kinds);
        (found.affiliations, found.domains) = (affiliations, domains);
        found.seen = self.seen;
        let billable = ["yes", "no", UNKNOWN].map(ToOwned::to_owned).into_iter();
        found.billable = billable.zip(self.billable).filter(|(_, count)| *count > 0).collect();
        let mut products: Vec<(u32, usize, usize)> = (0..)
            .zip(&self.products)
            .map(|(place, (count, idle))| (place, *count, *idle))
            .filter(|(_, count, _)| *count > 0)
            .collect();
        products.sort_by_key(|(place, count, _)| (std::cmp::Reverse(*count), *place));
        let label = |place: u32| {
            let label = usize::try_from(place).ok().and_then(|place| self.labels.get(place));
            label.cloned().unwrap_or_default()
        };
        let top: Vec<u32> = products.iter().take(TOGETHER).map(|(place, ..)| *place).collect();
        let pair = |a: u32, b: u32| self.pairs.get(&(a.min(b), a.max(b))).copied().unwrap_or(0);
        found.together = (
            top.iter().map(|place| label(*place)).collect(),
            top.iter().map(|a| top.iter().map(|b| pair(*a, *b)).collect()).collect(),
        );
        found.products =
            products.into_iter().map(|(place, count, idle)| (label(place), count, idle)).collect();
    }
}

/// A stored member: the record, when it was first seen, and since when it is gone.
pub type Stored = (String, i64, Option<i64>);

/// The stored members of these ids as of a run, in the order of the ids.
///
/// # Errors
/// If the database fails.
pub async fn records(
    store: &Store,
    connection: &str,
    seq: i64,
    ids: &[String],
) -> Result<Vec<Stored>, Problem> {
    let mut reading = store.read().acquire().await?;
    records_of(&mut reading, connection, seq, ids).await
}

/// The same, as this connection to the database sees it.
///
/// # Errors
/// Likewise.
pub async fn records_of(
    reading: &mut AnyConnection,
    connection: &str,
    seq: i64,
    ids: &[String],
) -> Result<Vec<Stored>, Problem> {
    let mut found = HashMap::new();
    for some in ids.chunks(SOME) {
        let places: Vec<String> = (3..some.len() + 3).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT id, record, first_seen, present, at FROM members \
             WHERE connection = $1 AND since <= $2 AND +until > $2 AND id IN ({})",
            places.join(", ")
        );
        let mut find = query(sqlx::AssertSqlSafe(sql)).bind(connection.to_owned()).bind(seq);
        for id in some {
            find = find.bind(id.clone());
        }
        for row in find.fetch_all(&mut *reading).await? {
            let (id, present): (String, i64) = (row.try_get("id")?, row.try_get("present")?);
            let at: i64 = row.try_get("at")?;
            let one = (
                row.try_get::<String, _>("record")?,
                row.try_get::<i64, _>("first_seen")?,
                (present == 0).then_some(at),
            );
            found.insert(id, one);
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The history of one member: what happened, and when, the latest first.
///
/// # Errors
/// If the database fails.
pub async fn history(
    store: &Store,
    connection: &str,
    id: &str,
) -> Result<Vec<(String, i64)>, Problem> {
    let sql = "SELECT what, at FROM members WHERE connection = $1 AND id = $2 AND what <> 'seen' \
               ORDER BY since DESC LIMIT $3";
    let rows = query(sql).bind(connection.to_owned()).bind(id.to_owned()).bind(MOST);
    let rows = rows.fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok((row.try_get("what")?, row.try_get("at")?))).collect()
}

/// A record as JSON.
#[must_use]
pub fn read(record: &str) -> Value {
    serde_json::from_str(record).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const AT: i64 = 1_800_000_000_000;

    fn choice() -> Choice {
        Choice {
            q: None,
            product: None,
            with: None,
            seen: None,
            idle_days: None,
            status: None,
            kind: None,
            affiliation: None,
            domain: None,
            billable: None,
            gone: false,
            days: [30, 60, 90],
            at: AT,
            order: Order::Name,
        }
    }

    /// Members whose ages in days are these; each third has a second product.
    fn snapshot(ages: &[Option<i64>]) -> Snapshot {
        let mut snapshot = Snapshot {
            connection: "c".into(),
            seq: 1,
            members: Vec::new(),
            products: Names::default(),
            words: Names::default(),
            by_seen: Vec::new(),
        };
        snapshot.words.place(UNKNOWN.to_owned());
        let (active, domain) =
            (snapshot.words.place("active".into()), snapshot.words.place("acme.test".into()));
        let jira = snapshot.products.place(("jira".into(), "Jira".into(), None));
        let trello = snapshot.products.place(("trello".into(), "Trello".into(), None));
        for (number, age) in ages.iter().enumerate() {
            let mut uses = vec![(jira, None)];
            if number.is_multiple_of(3) {
                uses.push((trello, None));
            }
            let last_seen = age.map(|age| AT - age * DAY);
            if last_seen.is_some() {
                snapshot.by_seen.push(u32::try_from(number).unwrap());
            }
            snapshot.members.push(Compact {
                id: format!("id{number}").into(),
                search: format!("person {number}\nperson{number}@acme.test").into(),
                status: active,
                kind: 0,
                affiliation: 0,
                domain,
                billable: Some(number.is_multiple_of(2)),
                last_seen,
                first_seen: 0,
                present: true,
                uses: uses.into(),
            });
        }
        let members = &snapshot.members;
        snapshot.by_seen.sort_by_key(|place| {
            std::cmp::Reverse(members[usize::try_from(*place).unwrap()].last_seen)
        });
        snapshot
    }

    #[test]
    fn unknown_is_a_bar_of_its_own_and_a_bar_begins_with_its_day() {
        let ages = [Some(0), Some(29), Some(30), Some(59), Some(60), Some(89), Some(90), None];
        let found = snapshot(&ages).look(&choice(), 0, 100);
        assert_eq!((found.seen, found.count, found.all), ([2, 2, 2, 1, 1], 8, 8));
        let idle = Choice { idle_days: Some(90), ..choice() };
        assert_eq!(snapshot(&ages).look(&idle, 0, 100).count, 1, "unknown is never idle");
        let bar = Choice { seen: Some(3), ..choice() };
        assert_eq!(snapshot(&ages).look(&bar, 0, 100).count, 1, "as the interface counts");
    }

    #[test]
    fn the_count_beside_a_value_is_that_of_the_list_behind_it() {
        let ages: Vec<_> = (0..60).map(|age| (age % 7 != 0).then_some(age * 3)).collect();
        let snapshot = snapshot(&ages);
        let base = Choice { product: Some("JIRA".into()), seen: Some(1), ..choice() };
        let found = snapshot.look(&base, 0, 10);
        for (bar, count) in found.seen.iter().enumerate() {
            let other = Choice { seen: Some(bar), ..base.clone() };
            assert_eq!(snapshot.look(&other, 0, 10).count, *count, "bar {bar}");
        }
        for (name, count, idle) in &found.products {
            let other = Choice { product: Some(name.clone()), ..base.clone() };
            assert_eq!(snapshot.look(&other, 0, 10).count, *count, "{name}");
            assert_eq!(*idle, 0, "none of that bar is idle");
        }
        for (value, count) in &found.billable {
            let other = Choice { billable: Some(value.clone()), ..base.clone() };
            assert_eq!(snapshot.look(&other, 0, 10).count, *count, "{value}");
        }
        let (names, rows) = &found.together;
        assert_eq!(names, &["Jira", "Trello"]);
        let both = Choice { with: Some("Trello".into()), ..base.clone() };
        assert_eq!(snapshot.look(&both, 0, 10).count, rows[0][1]);
        assert_eq!(rows[0][1], rows[1][0]);
    }

    #[test]
    fn an_order_holds_over_pages_and_the_unknown_come_last() {
        let ages = [Some(5), None, Some(1), Some(9)];
        let snapshot = snapshot(&ages);
        let ids = |order, from| {
            let choice = Choice { order, ..choice() };
            snapshot.ids(&snapshot.look(&choice, from, 2).page)
        };
        assert_eq!(ids(Order::Latest, 0), ["id2", "id0"]);
        assert_eq!(ids(Order::Latest, 2), ["id3", "id1"]);
        assert_eq!(ids(Order::Oldest, 0), ["id3", "id0"]);
        assert_eq!(ids(Order::Oldest, 2), ["id2", "id1"]);
        assert_eq!(ids(Order::NameBack, 0), ["id3", "id2"]);
    }

    #[test]
    fn two_runs_differ_by_who_came_went_slept_and_by_products() {
        let mut earlier = snapshot(&[Some(10), Some(10), Some(100), Some(10), Some(10)]);
        let mut later = snapshot(&[Some(10), Some(95), Some(1), Some(10), Some(10), Some(0), None]);
        earlier.members[3].present = false;
        later.members[4].present = false;
        later.members[3].first_seen = 1;
        later.members[5].first_seen = 9;
        later.members[6].first_seen = 9;
        later.members[0].uses = Box::new([(0, None)]);
        later.members[1].uses = Box::new([(0, None), (1, None)]);
        let found = earlier.differences(&later, (AT, AT), 5, 90);
        let names: Vec<Vec<String>> = DIFFERENCES
            .iter()
            .zip(&found.lists)
            .map(|(what, list)| if *what == "gone" { earlier.ids(list) } else { later.ids(list) })
            .collect();
        let expected: [&[&str]; 7] =
            [&["id5", "id6"], &["id4"], &["id3"], &["id1"], &["id2"], &["id1"], &["id0"]];
        assert_eq!(names, expected);
    }

    #[test]
    fn any_filter_of_a_hundred_thousand_takes_less_than_thirty_milliseconds() {
        let ages: Vec<_> = (0..100_000).map(|age| (age % 11 != 0).then_some(age % 400)).collect();
        let snapshot = snapshot(&ages);
        for (name, choice) in [
            ("all", choice()),
            ("search", Choice { q: Some("son 99".into()), ..choice() }),
            ("product", Choice { product: Some("Trello".into()), ..choice() }),
            ("idle", Choice { idle_days: Some(90), ..choice() }),
            ("order", Choice { order: Order::Oldest, ..choice() }),
        ] {
            let mut times: Vec<Duration> = (0..9)
                .map(|_| {
                    let began = Instant::now();
                    assert!(snapshot.look(&choice, 0, 100).count > 0);
                    began.elapsed()
                })
                .collect();
            times.sort();
            assert!(times[4] < Duration::from_millis(30), "{name}: {:?}", times[4]);
        }
    }
}
