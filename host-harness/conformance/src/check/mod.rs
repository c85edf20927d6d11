//! The conformance check: whether a connector, in any language, keeps the contract. A marketplace
//! can use it as its gate.
//!
//! It needs no service and no key. It reads the descriptor from the file, and plays fixtures
//! unchanged and under every fault, on a virtual clock.
//!
//! | part | what it checks |
//! |---|---|
//! | `file` | whether it is a component of the contract, its size, its compile time |
//! | `pure` · `listing` · `texts` · `endpoints` · `form` | its descriptor |
//! | `recorded` · `difference` · `resume` | each fixture unchanged: against its expected outcome, twice, and resumed at every page |
//! | `filled` | whether members have what the answers tell of them |
//! | `faulted` · `fault` · `fields` · `judge` | each exchange of each fixture, replaced by each fault |
//! | `bounds` | the usage of all these runs |
//! | `hints` | words of the connector's language |
//! | `traffic` · `tally` | nothing: what the cases sent and what became of it, for a report |
//!
//! Every rule is a row of the table in `rules`. The same file with the same fixtures gets the same
//! verdict, except for its times.

pub mod traffic;
pub mod verdict;

mod parallel;
mod rules;

mod hints;

mod file;

mod endpoints;
mod form;
mod listing;
mod pure;
mod texts;

pub(crate) mod difference;
mod filled;
mod recorded;
mod resume;

mod fault;
mod faulted;
mod fields;
mod judge;
mod tally;

mod bounds;

#[cfg(test)]
pub(crate) mod testing;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::check::traffic::CaseTraffic;
use crate::check::verdict::{Connector, Figures, Rule, Times, Verdict};
use smp_host::component::compile::Compiler;
use smp_host::component::plugin::Plugin;
use smp_host::limits::Limits;
use smp_host::remedy::Remedy;
use smp_replay::player::Player;
pub use smp_replay::player::cases;

use rules::Outcomes;

/// The connector to check, and how.
pub struct Subject {
    /// The file. Of a file that is too large, only enough to recognize that.
    pub file: Vec<u8>,
    /// Compiles the component.
    pub compiler: Compiler,
    /// The folders of its fixture cases, from [`cases::find`].
    pub fixtures: Vec<PathBuf>,
    /// The bounds of every run.
    pub limits: Limits,
    /// Whether warnings and skipped rules count as failed.
    pub strict: bool,
    /// Whether the fixtures are only a part of those that there will be: then an endpoint that
    /// none of them calls is a note.
    pub partial: bool,
    /// Folder for compiled code. With `None`, the component is compiled again at every check.
    pub cache: Option<PathBuf>,
}

/// Receives the progress of a check, from several threads.
pub trait Watcher: Send + Sync {
    /// This many of them are checked next.
    fn begins(&self, what: &'static str, number: usize);
    /// One of them is done.
    fn step(&self);
}

/// A verdict, and the traffic that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The verdict.
    pub verdict: Verdict,
    /// What each fixture case sent, and what became of it with and without faults.
    pub traffic: Vec<CaseTraffic>,
}

/// Checks a connector. Dropping this ends it.
pub async fn check(subject: &Subject, watcher: Arc<dyn Watcher>) -> Verdict {
    examine(subject, watcher).await.verdict
}

/// Checks a connector, and keeps the traffic for a report. Dropping this ends it.
pub async fn examine(subject: &Subject, watcher: Arc<dyn Watcher>) -> Examination {
    let began = Instant::now();
    let mut outcomes = Outcomes::default();
    let loaded = file::load(subject, &mut outcomes).await;
    let (connector, compiling, played) = match loaded {
        None => (None, Duration::ZERO, Played::nothing(outcomes)),
        Some((plugin, compiling)) => {
            let (connector, toolchain) = (Connector::of(plugin.info()), plugin.info().toolchain);
            let mut played = of_plugin(plugin, subject, watcher, outcomes).await;
            hints::translate(&mut played.rules, toolchain);
            (Some(connector), compiling, played)
        }
    };
    let Played { figures, times, rules, traffic } = played;
    let times = Times {
        compile_ms: milliseconds(compiling),
        total_ms: milliseconds(began.elapsed()),
        ..times
    };
    let verdict = Verdict {
        connector,
        strict: subject.strict,
        partial: subject.partial,
        rules,
        figures,
        times,
    };
    Examination { verdict, traffic }
}

/// What was seen of a connector.
struct Played {
    figures: Figures,
    times: Times,
    rules: Vec<Rule>,
    traffic: Vec<CaseTraffic>,
}

impl Played {
    fn nothing(outcomes: Outcomes) -> Self {
        let rules = outcomes.complete(UNLOADED, None);
        let (figures, times) = (Figures::default(), Times::default());
        Self { figures, times, rules, traffic: Vec::new() }
    }
}

const UNLOADED: &str = "Skipped: the file cannot be loaded.";
const UNPLAYED: &str = "Skipped: no fixture could be played.";
const UNSHOWN: &str = "Only a fixture can show it, and none does.";
const GIVE_FIXTURES: &str = "Give fixtures: a recording of a run is one.";

async fn of_plugin(
    plugin: Plugin,
    subject: &Subject,
    watcher: Arc<dyn Watcher>,
    mut outcomes: Outcomes,
) -> Played {
    let descriptor = plugin.descriptor().clone();
    listing::judge(&descriptor, &mut outcomes);
    texts::judge(&descriptor, &mut outcomes);
    endpoints::judge(&descriptor, &mut outcomes);
    form::judge(&descriptor, &mut outcomes);

    // The contract's check has parsed the base already.
    let Ok(player) = Player::new(&plugin).map(Arc::new) else {
        return Played::nothing(outcomes);
    };
    let cases = match subject.fixtures.as_slice() {
        [] => Vec::new(),
        folders => recorded::all(&player, folders, subject.partial, &watcher, &mut outcomes).await,
    };
    pure::judge(&player, &cases, &mut outcomes).await;
    filled::judge(&cases, &mut outcomes);

    let (mut exchanges, mut replaced) = (0, Vec::new());
    if !cases.is_empty() {
        let known = recorded::known(&player, &cases);
        (exchanges, replaced) = faulted::all(&player, &cases, known, &watcher, &mut outcomes).await;
        bounds::judge(player.used(), player.limits(), &mut outcomes);
    }
    let used = player.used();
    let figures = Figures {
        fixtures: cases.len(),
        exchanges,
        runs: player.runs(),
        most_requests: used.most_requests,
        peak_memory_bytes: used.most.memory,
    };
    let times = Times { slowest_call_ms: milliseconds(used.most.computing), ..Times::default() };
    let (why, advice) = if subject.fixtures.is_empty() {
        (UNSHOWN, (GIVE_FIXTURES, Some(Remedy::GiveFixtures)))
    } else {
        (UNPLAYED, (rules::SOUND.hint, rules::SOUND.remedy()))
    };
    let traffic = traffic::of(&player, &cases, &replaced);
    Played { figures, times, rules: outcomes.complete(why, Some(advice)), traffic }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
