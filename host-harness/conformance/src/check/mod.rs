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
//! | `faulted` · `fault` · `fields` · `judge` | each exchange of each fixture, replaced by each fault |
//! | `bounds` | the usage of all these runs |
//! | `hints` | words of the connector's language |
//!
//! Every rule is a row of the table in `rules`. The same file with the same fixtures gets the same
//! verdict, except for its times.

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

mod difference;
mod recorded;
mod resume;

mod fault;
mod faulted;
mod fields;
mod judge;

mod bounds;

#[cfg(test)]
pub(crate) mod testing;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// Checks a connector. Dropping this ends it.
pub async fn check(subject: &Subject, watcher: Arc<dyn Watcher>) -> Verdict {
    let began = Instant::now();
    let mut outcomes = Outcomes::default();
    let loaded = file::load(subject, &mut outcomes).await;
    let (connector, compiling, figures, times, rules) = match loaded {
        None => (
            None,
            Duration::ZERO,
            Figures::default(),
            Times::default(),
            outcomes.complete(UNLOADED, None),
        ),
        Some((plugin, compiling)) => {
            let (connector, toolchain) = (Connector::of(plugin.info()), plugin.info().toolchain);
            let (figures, times, mut rules) = of_plugin(plugin, subject, watcher, outcomes).await;
            hints::translate(&mut rules, toolchain);
            (Some(connector), compiling, figures, times, rules)
        }
    };
    let times = Times {
        compile_ms: milliseconds(compiling),
        total_ms: milliseconds(began.elapsed()),
        ..times
    };
    Verdict { connector, strict: subject.strict, rules, figures, times }
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
) -> (Figures, Times, Vec<Rule>) {
    let descriptor = plugin.descriptor().clone();
    listing::judge(&descriptor, &mut outcomes);
    texts::judge(&descriptor, &mut outcomes);
    endpoints::judge(&descriptor, &mut outcomes);
    form::judge(&descriptor, &mut outcomes);

    // The contract's check has parsed the base already.
    let Ok(player) = Player::new(&plugin).map(Arc::new) else {
        return (Figures::default(), Times::default(), outcomes.complete(UNLOADED, None));
    };
    let cases = match subject.fixtures.as_slice() {
        [] => Vec::new(),
        folders => recorded::all(&player, folders, subject.partial, &watcher, &mut outcomes).await,
    };
    pure::judge(&player, &cases, &mut outcomes).await;

    let mut exchanges = 0;
    if !cases.is_empty() {
        let known = recorded::known(&player, &cases);
        exchanges = faulted::all(&player, &cases, known, &watcher, &mut outcomes).await;
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
    (figures, times, outcomes.complete(why, Some(advice)))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
