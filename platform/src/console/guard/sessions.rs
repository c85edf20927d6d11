//! Links that lead in, the sessions behind them, and the keys that a form holds between two checks.
//!
//! All of it is in memory alone. Each holder has bounds of its own, so that no holder ends what
//! another one has; what is over is swept away, whether or not somebody looks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::{HOUR, now};
use crate::connections::Secrets;
use crate::store::tokens::Holder;

/// How often what is over is swept away.
pub(in crate::console) const SWEEP: Duration = Duration::from_secs(15);
/// How long a session lasts: a working day.
pub(super) const SESSION: i64 = 12 * HOUR;
/// How long a link that was not used opens the console.
const LINK: i64 = 24 * HOUR;
/// How long a pasted key is held between two checks of a form: a quarter of an hour, with the sweep.
const HELD: i64 = HOUR / 4 - 15_000;
/// Sessions of one holder: far more than browsers of a person.
const SESSIONS_OF_ONE: usize = 64;
/// Links of one holder that were not used: a platform makes one for each visit.
const LINKS_OF_ONE: usize = 256;
/// Sessions, and links, of all holders together. One takes some hundred bytes.
const OF_ALL: usize = 16_384;
/// Keys that a session holds, of all its forms.
const MOST_HELD: usize = 32;

/// Links and sessions of one process.
#[derive(Default)]
pub(in crate::console) struct Sessions {
    made: AtomicU64,
    links: Mutex<Kept<()>>,
    sessions: Mutex<Kept<Vec<Held>>>,
}

/// By the hash of what opens them.
type Kept<T> = HashMap<Vec<u8>, One<T>>;

/// A link or a session.
struct One<T> {
    holder: Holder,
    until: i64,
    /// Which of all it is, since several are made in one instant.
    number: u64,
    more: T,
}

/// A key that was pasted into a form, until it is used or forgotten. It is wiped when it is dropped.
struct Held {
    form: FormId,
    /// The tenant for which the form was sent, once it was.
    tenant: Option<String>,
    setting: String,
    text: Zeroizing<String>,
    until: i64,
}

/// A form that was handed out: no other form gets the keys that are held for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) struct FormId {
    /// A random name.
    pub(in crate::console) id: String,
    /// The connector whose form it is.
    pub(in crate::console) connector: String,
}

/// Who looks, and by which session.
#[derive(Clone)]
pub(in crate::console) struct Visitor {
    pub(in crate::console) holder: Holder,
    session: Vec<u8>,
}

impl FormId {
    /// A new form of a connector.
    pub(in crate::console) fn new(connector: &str) -> Self {
        Self { id: format!("{:032x}", rand::random::<u128>()), connector: connector.to_owned() }
    }
}

impl Sessions {
    /// What opens the console once, as this holder. `None` if the holder has too many that were
    /// not used.
    pub(super) fn link(&self, holder: Holder) -> Option<String> {
        let mut links = locked(&self.links);
        links.retain(|_, link| link.until > now());
        if count(&links, &holder.id) >= LINKS_OF_ONE {
            return None;
        }
        make_room(&mut links, OF_ALL);
        let secret = secret();
        links.insert(
            hash(&secret),
            One { holder, until: now() + LINK, number: self.number(), more: () },
        );
        Some(secret)
    }

    fn number(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether a link would open the console. It is not used up.
    pub(super) fn is_link(&self, secret: &str) -> bool {
        locked(&self.links).get(&hash(secret)).is_some_and(|link| link.until > now())
    }

    /// The holder of a link, which opens nothing from now on.
    pub(super) fn used(&self, secret: &str) -> Option<Holder> {
        let link = locked(&self.links).remove(&hash(secret))?;
        (link.until > now()).then_some(link.holder)
    }

    /// Begins a session, and gives the secret that shows it.
    pub(super) fn enter(&self, holder: Holder) -> String {
        let secret = secret();
        let mut sessions = locked(&self.sessions);
        sessions.retain(|_, session| session.until > now());
        if count(&sessions, &holder.id) >= SESSIONS_OF_ONE {
            end_first(&mut sessions, &holder.id);
        }
        make_room(&mut sessions, OF_ALL);
        let (until, number) = (now() + SESSION, self.number());
        let session = One { holder, until, number, more: Vec::new() };
        sessions.insert(hash(&secret), session);
        secret
    }

    /// Ends a session, with the keys that it holds.
    pub(super) fn leave(&self, visitor: &Visitor) {
        locked(&self.sessions).remove(&visitor.session);
    }

    /// Who shows this secret.
    pub(in crate::console) fn visitor(&self, secret: &str) -> Option<Visitor> {
        let session = hash(secret);
        let sessions = locked(&self.sessions);
        let found = sessions.get(&session).filter(|session| session.until > now())?;
        Some(Visitor { holder: found.holder.clone(), session })
    }

    /// Whether the session goes on.
    pub(super) fn goes_on(&self, visitor: &Visitor) -> bool {
        let sessions = locked(&self.sessions);
        sessions.get(&visitor.session).is_some_and(|session| session.until > now())
    }

    /// Keeps keys of a form until it is checked again. One that is held is replaced.
    pub(in crate::console) fn hold(&self, visitor: &Visitor, form: &FormId, typed: Secrets) {
        self.hold_until(visitor, form, typed, now() + HELD);
    }

    fn hold_until(&self, visitor: &Visitor, form: &FormId, typed: Secrets, until: i64) {
        let mut sessions = locked(&self.sessions);
        let Some(session) = sessions.get_mut(&visitor.session) else { return };
        for (setting, text) in typed.each() {
            session.more.retain(|held| held.form != *form || held.setting != setting);
            if session.more.len() >= MOST_HELD {
                session.more.remove(0);
            }
            session.more.push(Held { form: form.clone(), tenant: None, setting, text, until });
        }
    }

    /// The keys that are held for this form.
    pub(in crate::console) fn held(&self, visitor: &Visitor, form: &FormId) -> Secrets {
        let mut secrets = Secrets::default();
        let mut sessions = locked(&self.sessions);
        let Some(session) = sessions.get_mut(&visitor.session) else { return secrets };
        session.more.retain(|held| held.until > now());
        for held in session.more.iter().filter(|held| held.form == *form) {
            secrets.put(held.setting.clone(), held.text.clone());
        }
        secrets
    }

    /// The form was sent for this tenant: keys that were sent for another one are forgotten.
    pub(in crate::console) fn bind(&self, visitor: &Visitor, form: &FormId, tenant: &str) {
        let mut sessions = locked(&self.sessions);
        let Some(session) = sessions.get_mut(&visitor.session) else { return };
        session.more.retain_mut(|held| {
            if held.form != *form || tenant.is_empty() {
                return true;
            }
            held.tenant.get_or_insert_with(|| tenant.to_owned()) == tenant
        });
    }

    /// Forgets the keys of a form.
    pub(in crate::console) fn forget(&self, visitor: &Visitor, form: &FormId) {
        if let Some(session) = locked(&self.sessions).get_mut(&visitor.session) {
            session.more.retain(|held| held.form != *form);
        }
    }

    /// Drops what is over.
    pub(super) fn sweep(&self, at: i64) {
        locked(&self.links).retain(|_, link| link.until > at);
        let mut sessions = locked(&self.sessions);
        sessions.retain(|_, session| session.until > at);
        for session in sessions.values_mut() {
            session.more.retain(|held| held.until > at);
        }
    }
}

fn count<T>(kept: &Kept<T>, holder: &str) -> usize {
    kept.values().filter(|one| one.holder.id == holder).count()
}

/// Ends the first one of a holder.
fn end_first<T>(kept: &mut Kept<T>, holder: &str) {
    let own = kept.iter().filter(|(_, one)| one.holder.id == holder);
    let first = own.min_by_key(|(_, one)| one.number).map(|(key, _)| key.clone());
    if let Some(first) = first {
        kept.remove(&first);
    }
}

/// If there are too many in total, the holder with the most loses one.
fn make_room<T>(kept: &mut Kept<T>, most: usize) {
    if kept.len() < most {
        return;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for one in kept.values() {
        *counts.entry(&one.holder.id).or_default() += 1;
    }
    let holder = counts.into_iter().max_by_key(|(_, count)| *count);
    if let Some(holder) = holder.map(|(holder, _)| holder.to_owned()) {
        end_first(kept, &holder);
    }
}

/// 256 random bits, which cannot be guessed: wrong ones need not be counted.
fn secret() -> String {
    let random: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(random)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::store::tokens::Role;

    fn holder(id: &str) -> Holder {
        Holder { id: id.into(), role: Role::Viewer, tenant: Some("acme".into()) }
    }

    fn typed(pairs: &[(&str, &str)]) -> Secrets {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Secrets::new(pairs.collect())
    }

    fn entered(sessions: &Sessions, id: &str) -> Visitor {
        sessions.visitor(&sessions.enter(holder(id))).unwrap()
    }

    #[test]
    fn one_holder_ends_no_session_and_no_link_of_another() {
        let sessions = Sessions::default();
        let other = entered(&sessions, "other");
        let link = sessions.link(holder("other")).unwrap();
        let first = entered(&sessions, "one");
        for _ in 0..SESSIONS_OF_ONE {
            sessions.enter(holder("one"));
        }
        assert!(sessions.goes_on(&other));
        assert!(!sessions.goes_on(&first), "its own first one ends");
        let links: Vec<_> =
            (0..LINKS_OF_ONE).map(|_| sessions.link(holder("one")).unwrap()).collect();
        assert_eq!(sessions.link(holder("one")), None, "there is a bound");
        assert!(sessions.is_link(&link) && links.iter().all(|link| sessions.is_link(link)));
        assert_eq!(sessions.used(&link).map(|holder| holder.id).as_deref(), Some("other"));
        sessions.used(links.first().unwrap()).unwrap();
        assert!(sessions.link(holder("one")).is_some(), "one that was used makes room");
    }

    #[test]
    fn where_all_are_too_many_who_has_the_most_loses_one() {
        let mut kept: Kept<()> = HashMap::new();
        for (place, id) in ["a", "b", "b", "b", "c"].into_iter().enumerate() {
            let number = u64::try_from(place).unwrap();
            let one = One { holder: holder(id), until: i64::MAX, number, more: () };
            kept.insert(vec![u8::try_from(place).unwrap()], one);
        }
        make_room(&mut kept, 6);
        assert_eq!(kept.len(), 5);
        make_room(&mut kept, 5);
        assert!(!kept.contains_key(&vec![1]) && kept.len() == 4, "the first of `b`");
    }

    #[test]
    fn keys_are_held_for_their_form_alone_and_the_newer_one_counts() {
        let sessions = Sessions::default();
        let (own, other) = (entered(&sessions, "a"), entered(&sessions, "a"));
        let form = FormId::new("atlassian-cloud");
        sessions.hold(&own, &form, typed(&[("key", "old"), ("password", "p")]));
        sessions.hold(&own, &form, typed(&[("key", "new")]));
        let held = sessions.held(&own, &form);
        assert_eq!((held.given("key"), held.given("password")), (Some("new"), Some("p")));
        for (visitor, form) in [
            (&own, FormId::new("atlassian-cloud")),
            (&own, FormId { connector: "okta".into(), ..form.clone() }),
            (&other, form.clone()),
        ] {
            assert!(sessions.held(visitor, &form).is_empty(), "{form:?}");
        }
        sessions.bind(&own, &form, "acme");
        sessions.bind(&own, &form, "acme");
        assert!(!sessions.held(&own, &form).is_empty());
        sessions.bind(&own, &form, "other");
        assert!(sessions.held(&own, &form).is_empty(), "it was sent for another tenant");
    }

    #[test]
    fn what_is_over_is_swept_and_a_key_after_a_quarter_of_an_hour() {
        let sessions = Sessions::default();
        let visitor = entered(&sessions, "a");
        let link = sessions.link(holder("a")).unwrap();
        let form = FormId::new("c");
        sessions.hold(&visitor, &form, typed(&[("key", "k")]));
        let held = |sessions: &Sessions| {
            locked(&sessions.sessions).values().map(|session| session.more.len()).sum::<usize>()
        };
        let sweep = i64::try_from(SWEEP.as_millis()).unwrap();
        sessions.sweep(now() + HOUR / 4 - sweep - 5_000);
        assert_eq!(held(&sessions), 1);
        sessions.sweep(now() + HOUR / 4 - sweep);
        assert_eq!(held(&sessions), 0, "it goes without a visit");
        sessions.sweep(now() + SESSION);
        assert!(!sessions.goes_on(&visitor) && sessions.is_link(&link));
        sessions.sweep(now() + LINK);
        assert!(!sessions.is_link(&link));
    }

    #[test]
    fn a_key_that_is_over_is_not_handed_out_before_the_sweep() {
        let sessions = Sessions::default();
        let visitor = entered(&sessions, "a");
        let form = FormId::new("c");
        sessions.hold_until(&visitor, &form, typed(&[("key", "k")]), now());
        assert!(sessions.held(&visitor, &form).is_empty());
    }
}
