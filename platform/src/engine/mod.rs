//! Temporal as the engine: it decides who runs what and when, and the ledger stays right whatever
//! it does. Its client is another program, `smp-temporal`, which this one starts and speaks with in
//! lines of JSON; see `docs/decisions/0018-a-bridge-to-the-engine.md`.
//!
//! ```text
//! serve ◀═ due? start! ═▶ smp-temporal serve ◀─▶ Temporal ◀─▶ smp-temporal work ◀═ collect! ═▶ work
//! ```
//!
//! The bridge gets ids of runs, connections and tenants, instants, figures and codes of failures.
//! It gets no member, setting, cursor or key, and not the address of the database.

mod bridge;
mod due;
#[path = "../../temporal/src/protocol.rs"]
mod protocol;
mod serving;
mod working;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use serving::serve;
use url::Url;
pub use working::work;

use crate::clock::{now, rfc3339};
use crate::problem::Problem;

/// Name of the program that speaks with the engine.
const PROGRAM: &str = "smp-temporal";

/// How the engine is reached.
#[derive(Clone, Debug)]
pub struct Options {
    engine: Url,
    namespace: String,
    program: PathBuf,
    /// Time without a sign of life after which another worker tries a run.
    lease: Duration,
}

impl Options {
    /// The engine at this address. The program that speaks with it is this one, or lies beside the
    /// running one.
    ///
    /// # Errors
    /// If there is no such program.
    pub fn new(
        engine: Url,
        namespace: String,
        program: Option<PathBuf>,
        lease: Duration,
    ) -> Result<Self, Problem> {
        let beside = || Some(std::env::current_exe().ok()?.with_file_name(PROGRAM));
        let program = program.or_else(beside).unwrap_or_else(|| PROGRAM.into());
        if !program.is_file() {
            let detail =
                format!("`{}` is not there, which speaks with Temporal", program.display());
            return Err(Problem::invalid(detail).hint(
                "Build it with `make temporal-bridge`, and put it beside `smp-platform` or name it \
                 with `--temporal-bridge FILE`.",
            ));
        }
        Ok(Self { engine, namespace, program, lease })
    }
}

/// Whether the engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    There,
    /// Since when not, and why.
    Away(i64, String),
}

/// What a process knows of its engine.
#[derive(Clone, Debug)]
pub struct Status(Arc<Mutex<State>>);

impl Default for Status {
    /// That of a process that has not reached it yet.
    fn default() -> Self {
        metrics::describe_gauge!("smp_engine_up", "Whether Temporal answers: 1, or 0.");
        metrics::describe_histogram!(
            "smp_engine_wait_seconds",
            "How long a run waited in Temporal's queue for a worker: what to scale on."
        );
        metrics::gauge!("smp_engine_up").set(0.0);
        Self(Arc::new(Mutex::new(State::Away(now(), "it is being reached".into()))))
    }
}

impl Status {
    /// Whether the engine answers.
    #[must_use]
    pub fn is_there(&self) -> bool {
        *self.state() == State::There
    }

    /// What a person should know while it does not answer.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        match &*self.state() {
            State::There => None,
            State::Away(since, why) => Some(format!(
                "Temporal has not answered since {}: {why}. Runs that were begun go on, and no \
                 other begins until it answers.",
                rfc3339(*since).unwrap_or_default()
            )),
        }
    }

    fn there(&self) {
        let before = std::mem::replace(&mut *self.state(), State::There);
        metrics::gauge!("smp_engine_up").set(1.0);
        if before != State::There {
            tracing::info!("Temporal answers");
        }
    }

    fn away(&self, why: &str) {
        let mut state = self.state();
        let (since, known) = match &*state {
            State::There => (now(), None),
            State::Away(since, known) => (*since, Some(known.clone())),
        };
        metrics::gauge!("smp_engine_up").set(0.0);
        if known.as_deref() != Some(why) {
            tracing::warn!(why, "Temporal does not answer: runs go on, and no other begins");
            *state = State::Away(since, why.to_owned());
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_since_when_and_why_nothing_begins() {
        let status = Status::default();
        assert!(!status.is_there());
        status.away("connection refused");
        let first = status.warning().unwrap_or_default();
        assert!(
            first.contains("connection refused") && first.contains("no other begins"),
            "{first}"
        );
        status.there();
        assert_eq!((status.is_there(), status.warning()), (true, None));
        status.away("timeout");
        assert!(status.warning().is_some_and(|text| text.contains("timeout")));
    }

    #[test]
    fn a_bridge_that_is_not_there_is_said_at_the_start() {
        let url = Url::parse("http://127.0.0.1:7233").ok();
        let made = url.map(|url| {
            Options::new(
                url,
                "default".into(),
                Some("/nowhere/smp-temporal".into()),
                Duration::ZERO,
            )
        });
        let problem = made.and_then(Result::err);
        assert!(problem.is_some_and(|problem| problem.detail.contains("/nowhere/smp-temporal")));
    }
}
