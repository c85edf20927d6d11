//! One call of the connector on a case's traffic, from start to end.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::case::Case;
use super::trace::{Listener, Noting, Trace};
use super::traffic::{Exchange, Injection};
use super::{Mode, Player};
use smp_host::collect::destination::Listed;
use smp_host::collect::records::Record as _;
use smp_host::collect::sink::Sink;
use smp_host::collect::stream::Stream;
use smp_host::component::session::{Session, SharedUsage};
use smp_host::contract::{MemberPage, UsagePage};
use smp_host::failure::{Code, Failure};
use smp_host::files::rowed::Rowed;
use smp_host::files::{Ndjson, Rows};
use smp_host::http::base::Purpose;
use smp_host::limits::Bound;
use smp_host::settings::Checked;
use smp_host::validation::{CheckOutcome, Validation};

/// A call of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `validate`.
    Validate,
    /// `connect`.
    Connect,
    /// `collect-members`, page by page.
    Collect,
    /// `collect-usage`, page by page.
    Usage,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The settings were checked.
    Checked {
        /// Whether the settings are ready.
        ready: bool,
        /// The report as JSON.
        report: Value,
        /// What the report lacks for an administrator.
        wordless: Option<String>,
        /// Whether a check has a warning.
        warned: bool,
    },
    /// An account, by its id.
    Account(String),
    /// A list that is complete.
    List {
        /// Ids of its members, or of its entries of usage.
        ids: BTreeSet<String>,
        /// Its rows, as ndjson.
        rows: Vec<u8>,
    },
    /// The call failed.
    Failed(Failure),
}

/// A call that was played.
#[derive(Debug)]
pub struct Played {
    /// How it ended.
    pub end: End,
    /// The connector's texts and logs, without the rows.
    pub said: Vec<String>,
    /// The requests and their answers.
    pub exchanges: Vec<Exchange>,
    /// The tries and the pages. Empty under a fault.
    pub trace: Trace,
}

impl End {
    /// Whether the call was ended because it computed or took too long.
    pub fn hung(&self) -> bool {
        let limits = [Bound::Cpu, Bound::CallTime, Bound::RunTime];
        matches!(self, Self::Failed(failure) if failure.code == Code::Limit
            && limits.iter().any(|bound| failure.message.contains(&format!("the limit `{}`", bound.name()))))
    }
}

impl Call {
    /// All calls, in the order in which a platform makes them.
    pub const ALL: [Self; 4] = [Self::Validate, Self::Connect, Self::Collect, Self::Usage];

    /// What a run that makes this call is for.
    fn purpose(self) -> Purpose {
        match self {
            Self::Validate | Self::Connect | Self::Collect => Purpose::Members,
            Self::Usage => Purpose::Usage,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Validate => "validate",
            Self::Connect => "connect",
            Self::Collect => "collect",
            Self::Usage => "usage",
        })
    }
}

impl Player {
    /// Plays one call leniently, in a separate run.
    ///
    /// # Errors
    /// If the fixture cannot be played at all.
    pub async fn play(
        &self,
        case: &Case,
        checked: &Checked,
        call: Call,
        injection: Option<Injection>,
    ) -> Result<Played, Failure> {
        let log = Arc::new(Listener::new(injection.is_none()));
        let playback = self.playback(&case.fixture, Mode::Lenient(injection))?;
        let mut session = playback.session_for(call.purpose(), checked, Arc::clone(&log) as _);
        let usage = session.usage();
        let mut trace = Trace::default();
        let (end, mut said) = match call {
            Call::Validate => match Validation::of(&mut session).await {
                Ok(validation) => told(&validation),
                Err(failure) => failed(failure),
            },
            Call::Connect => match session.connect().await {
                Ok(account) => (End::Account(account.id), Vec::new()),
                Err(failure) => failed(failure),
            },
            Call::Collect => self.listed::<MemberPage>(session, &usage, &mut trace).await,
            Call::Usage => self.listed::<UsagePage>(session, &usage, &mut trace).await,
        };
        self.note(&usage, 0);
        said.extend(log.lines());
        trace.tries = log.tries();
        Ok(Played { end, said, exchanges: playback.traffic().exchanges(), trace })
    }

    async fn listed<P: Listed + Rowed>(
        &self,
        session: Session,
        usage: &SharedUsage,
        trace: &mut Trace,
    ) -> (End, Vec<String>) {
        let kept = Kept::default();
        let mut noting = Noting::new(Stream::<P>::in_memory(Box::new(kept.clone())));
        let report = session.list(&mut noting, std::future::pending()).await;
        (trace.pages, trace.notes) = (noting.pages, report.notes);
        self.note(usage, report.figures.requests - report.figures.retries);
        report.error.map_or_else(|| (kept.list(), Vec::new()), failed)
    }
}

fn told(validation: &Validation) -> (End, Vec<String>) {
    let mut said = Vec::new();
    let mut wordless = None;
    for check in validation.checks() {
        said.extend([check.title.clone(), check.message.clone()]);
        said.extend(check.hint.clone());
        said.extend(check.setting.clone());
        let needs_a_hint = matches!(check.outcome, CheckOutcome::Failed | CheckOutcome::Warning);
        let is_empty = |text: &str| text.trim().is_empty();
        if is_empty(&check.message)
            || is_empty(&check.title)
            || (needs_a_hint && check.hint.as_deref().is_none_or(is_empty))
        {
            wordless.get_or_insert_with(|| check.id.clone());
        }
    }
    let warned = validation.checks().iter().any(|check| check.outcome == CheckOutcome::Warning);
    (
        End::Checked { ready: validation.ready(), report: validation.to_json(), wordless, warned },
        said,
    )
}

fn failed(failure: Failure) -> (End, Vec<String>) {
    let texts = [Some(&failure.message), failure.hint.as_ref(), failure.setting.as_ref()];
    let said = texts.into_iter().flatten().cloned().collect();
    (End::Failed(failure), said)
}

/// A sink that keeps the collected rows.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    ids: BTreeSet<String>,
    rows: Rows,
}

impl Kept {
    fn list(&self) -> End {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = std::mem::take(&mut list.ids);
        let rows = list.rows.take();
        End::List { ids, rows }
    }
}

impl<P: Listed + Rowed> Sink<P> for Kept {
    fn write_page(&mut self, page: &P) -> io::Result<()> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.ids.extend(page.records().iter().map(|record| record.id().to_owned()));
        Ndjson::new(list.rows.clone()).write_page(page)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_host::limits::Limits;

    #[test]
    fn only_what_takes_too_long_hangs() {
        let limits = Limits::default();
        let hung = [Bound::Cpu, Bound::CallTime, Bound::Memory]
            .map(|bound| End::Failed(limits.reached(bound, "it is too much")).hung());
        assert_eq!(hung, [true, true, false]);
        assert!(!End::Failed(Failure::new(Code::Limit, "it did not work")).hung());
    }
}
