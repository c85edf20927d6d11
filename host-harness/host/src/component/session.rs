//! One run of a connector, in its own store, which is dropped after a trap.
//!
//! Each call is bounded in computing time, total time, and the size of what it passes. The host's
//! own failure, for a denial, a limit or a wrong fixture, takes precedence over what a call
//! returns, and each failure of the component is [`explained`](crate::explained).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::InstancePre;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use super::check;
use super::config::refused_by_the_system;
use super::engine::{Engine, Permit};
use super::processor::timed;
use super::provenance::Provenance;
use super::usage::Usage;
pub use super::usage::{MostUsed, SharedUsage};
use crate::collect::shortfall::Shortfall;
use crate::contract::{self, Exports, Interfaces};
use crate::explained::Explainer;
use crate::failure::{Code, Failure};
use crate::http::asked::Asked;
use crate::http::capability::Capability;
use crate::http::clock::{Clock, SystemClock};
use crate::http::retry::{Figures, SharedFigures};
use crate::http::transport::Phase;
use crate::instant::from_system;
use crate::limits::{Bound, Limits};
use crate::observer::{Event, Events};
use crate::settings::{Checked, settings_hash};

/// Time of waiting for answers in one call from which a pooled run gives its instance back after
/// the page, so that waiting runs are small: a page takes some 130 KiB of the component's memory,
/// and a new instance 0.15 ms.
const LONG_WAIT: Duration = Duration::from_millis(20);

/// The inputs of a session.
pub struct SessionOptions {
    /// HTTP as granted. `None` denies everything.
    pub http: Option<Capability>,
    /// The settings. A secret among them is dropped at once, because the transport has it.
    pub settings: Checked,
    /// The origin of the requests, for the provenance.
    pub origin: Option<String>,
    /// The bounds that apply.
    pub limits: Limits,
    /// What is known of a list's shortfall.
    pub shortfall: Shortfall,
    /// The observer of the run.
    pub events: Events,
    /// The clock, for the date.
    pub clock: Arc<dyn Clock>,
}

/// A component that is linked, with its interfaces. Cheap to clone.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) linked: InstancePre<RunState>,
    pub(super) exports: Arc<Exports>,
}

/// One run of a connector.
pub struct Session {
    engine: Engine,
    prepared: Prepared,
    /// The store and its instance, until something goes wrong or the instance is given back.
    live: Option<(Store<RunState>, Interfaces)>,
    /// The permit of this run, from its first call on. It is declared below the store, so that it
    /// is dropped after it.
    permit: Option<Permit>,
    /// The state while there is no store.
    parked: Option<RunState>,
    pub(super) settings: Arc<Checked>,
    clock: Arc<dyn Clock>,
    provenance: Provenance,
    events: Events,
    pub(super) limits: Limits,
    shortfall: Shortfall,
    figures: SharedFigures,
    usage: SharedUsage,
    phase: Option<Phase>,
    /// Pages so far, including those of earlier runs.
    pub(super) pages: u64,
    /// When the first call began.
    began: Option<Instant>,
}

/// State that belongs to a run, not to its store.
pub struct RunState {
    pub(super) http: Option<Capability>,
    events: Events,
    limits: Limits,
    lines_left: u64,
    log_bytes_left: u64,
    usage: Usage,
    /// Set while `describe` runs: no request may be sent, and an attempt is noted.
    pub(super) describing: bool,
    pub(super) asked_while_describing: bool,
}

impl SessionOptions {
    /// A session that can reach nothing.
    #[must_use]
    pub fn powerless(limits: Limits) -> Self {
        Self {
            http: None,
            settings: Checked::default(),
            origin: None,
            limits,
            shortfall: Shortfall::default(),
            events: Events::nowhere(),
            clock: Arc::new(SystemClock::default()),
        }
    }
}

impl Session {
    /// A run of the component with this provenance; its origin and settings are those of the
    /// options.
    pub(super) fn new(
        engine: Engine,
        prepared: Prepared,
        whose: Provenance,
        options: SessionOptions,
    ) -> Self {
        let limits = options.limits.clone();
        let settings = Checked { credential: None, ..options.settings };
        let provenance = Provenance {
            origin: options.origin,
            settings: settings_hash(&settings.public),
            ..whose
        };
        let events = options.events.clone();
        let figures = options.http.as_ref().map(Capability::figures).unwrap_or_default();
        let state = RunState {
            http: options.http,
            events: options.events,
            lines_left: limits.log_lines,
            log_bytes_left: limits.log_bytes,
            usage: Usage::new(&limits),
            limits: limits.clone(),
            describing: false,
            asked_while_describing: false,
        };
        let (usage, parked) = (SharedUsage::default(), Some(state));
        Self {
            engine,
            prepared,
            permit: None,
            live: None,
            parked,
            settings: Arc::new(settings),
            clock: options.clock,
            provenance,
            events,
            limits,
            shortfall: options.shortfall,
            figures,
            usage,
            phase: None,
            pages: 0,
            began: None,
        }
    }

    /// Takes the run's place in the engine's pool, and waits at most this long for it. Otherwise
    /// the first call takes it, and fails at once if there is none. Without a pool, there is always
    /// a place.
    ///
    /// # Errors
    /// `busy` if no other run ended in time.
    pub async fn take_permit(&mut self, within: Duration) -> Result<(), Failure> {
        if self.permit.is_none() {
            self.permit = Some(self.engine.permit(within).await?);
        }
        Ok(())
    }

    /// Tells the transport that a call has succeeded and sends no more requests.
    ///
    /// # Errors
    /// `fixture` if recorded traffic was not used up: then the result does not count.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        self.state().and_then(|state| state.http.as_ref()).map_or(Ok(()), Capability::finish)
    }

    /// The figures of the run so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures.now()
    }

    /// The usage of the component so far.
    #[must_use]
    pub fn usage(&self) -> SharedUsage {
        self.usage.clone()
    }

    /// The provenance of this run's members.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The date by the run's clock: in a replay, that of the recording.
    #[must_use]
    pub fn date(&self) -> contract::Instant {
        from_system(self.clock.date())
    }

    /// The settings, without the secret.
    #[must_use]
    pub fn settings(&self) -> &Checked {
        &self.settings
    }

    /// The bounds that apply.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is known of a list's shortfall.
    pub(crate) fn shortfall(&self) -> Shortfall {
        self.shortfall
    }

    /// The observer of the run.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// Notes the pages of earlier runs, so that the next one has its number, and tells the
    /// transport that there were such runs.
    pub(crate) fn go_on_after(&mut self, pages: u64) {
        self.pages = pages;
        self.state().and_then(|state| state.http.as_ref()).iter().for_each(|http| http.resume());
    }

    pub(super) fn state_mut(&mut self) -> Option<&mut RunState> {
        self.live.as_mut().map(|(store, _)| store.data_mut()).or(self.parked.as_mut())
    }

    fn state(&self) -> Option<&RunState> {
        self.live.as_ref().map(|(store, _)| store.data()).or(self.parked.as_ref())
    }

    /// A connector's answer, unless the host's own failure takes precedence.
    pub(super) fn judged<T>(&self, answer: Result<T, contract::Failure>) -> Result<T, Failure> {
        self.not_ended()?;
        answer.map_err(|failure| match check::failure(&failure, &self.limits) {
            Ok(()) => self.explainer().failure(failure),
            Err(broken) => broken,
        })
    }

    /// The host's knowledge at the end of a call.
    pub(super) fn explainer(&self) -> Explainer<'_> {
        let http = self.state().and_then(|state| state.http.as_ref());
        Explainer {
            known: &self.settings.known,
            limits: &self.limits,
            asked: http.map(Capability::asked),
        }
    }

    /// The host's own failure, if it ended the run.
    pub(super) fn not_ended(&self) -> Result<(), Failure> {
        let http = self.state().and_then(|state| state.http.as_ref());
        http.and_then(Capability::end).map_or(Ok(()), |failure| Err(failure.clone()))
    }

    /// Gives the instance back if answers to this call were slow: by the contract, any other
    /// instance can continue from the cursor.
    pub(super) fn give_back_what_waits(&mut self) {
        let waits = |(store, _): &mut (Store<RunState>, _)| store.data().usage.in_host >= LONG_WAIT;
        if self.engine.is_pooled()
            && let Some((store, _)) = self.live.take_if(waits)
        {
            self.park(store);
        }
    }

    /// Makes one call within the limits. A call that does not return costs the store.
    pub(super) async fn call<T>(
        &mut self,
        phase: Option<Phase>,
        call: impl AsyncFnOnce(&Interfaces, &mut Store<RunState>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        let (time, bound) = self.time_left();
        let late = self.limits.reached(
            bound,
            if bound == Bound::RunTime { "the run took too long" } else { "a call took too long" },
        );
        // A call that never waits would end before the timer is checked.
        if time.is_zero() {
            return Err(late);
        }
        let (mut store, plugin) = match self.live.take() {
            Some(live) => live,
            None => self.instantiate().await?,
        };
        if let Some(phase) = phase.filter(|_| self.phase != phase) {
            self.phase = Some(phase);
            store.data().http.iter().for_each(|http| http.enter(phase));
        }
        store.data_mut().usage.start_call();
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(self.limits.call_bytes);
        let processor = store.data().usage.processor.clone();
        let calling = processor.counting(call(&plugin, &mut store));
        let answer = tokio::time::timeout(time, calling).await;
        self.usage.raise(&store.data().usage);
        match answer {
            Ok(Ok(value)) => {
                self.live = Some((store, plugin));
                Ok(value)
            }
            Ok(Err(error)) => Err(self.ended(store, &error)),
            Err(_) => {
                self.park(store);
                Err(late)
            }
        }
    }

    /// The time that a call may take now, and the bound that sets it.
    fn time_left(&mut self) -> (Duration, Bound) {
        let run = self
            .limits
            .run_time
            .saturating_sub(self.began.get_or_insert_with(Instant::now).elapsed());
        if run < self.limits.call_time {
            (run, Bound::RunTime)
        } else {
            (self.limits.call_time, Bound::CallTime)
        }
    }

    async fn instantiate(&mut self) -> Result<(Store<RunState>, Interfaces), Failure> {
        self.take_permit(Duration::ZERO).await?;
        let state = self.parked.take().ok_or_else(|| {
            Failure::new(Code::Interrupted, "the run was ended in the middle of a call")
        })?;
        let mut store = Store::new(&self.engine.wasmtime, state);
        store.limiter(|state| &mut state.usage);
        store.set_max_component_handles(self.limits.handles);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().usage.tick()));
        store.data_mut().usage.start_instance(&self.limits);
        store.data_mut().usage.start_call();
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(self.limits.call_bytes);
        let processor = store.data().usage.processor.clone();
        let instantiating = self.prepared.linked.instantiate_async(&mut store);
        let loaded = match processor.counting(instantiating).await {
            Ok(instance) => self.prepared.exports.load(&mut store, &instance),
            Err(error) => Err(error),
        };
        match loaded {
            Ok(plugin) => Ok((store, plugin)),
            Err(error) => Err(self.ended(store, &error)),
        }
    }

    /// How a call ended that did not return.
    fn ended(&mut self, store: Store<RunState>, error: &wasmtime::Error) -> Failure {
        let exceeded = store.data().usage.exceeded;
        self.park(store);
        if let Err(failure) = self.not_ended() {
            return failure;
        }
        if let Some(failure) = self.explainer().asked.and_then(Asked::explanation) {
            return failure.clone();
        }
        if let Some((bound, what)) = exceeded {
            return self.limits.reached(bound, what);
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return match trap {
                // The stack is the engine's, whatever the run's own limits are.
                Trap::StackOverflow => self
                    .engine
                    .limits()
                    .reached(Bound::Stack, "the connector calls itself too deeply"),
                _ => Failure::new(Code::Trap, format!("the connector crashed: {trap}")).with_hint(
                    "Report it to the publisher of the connector. Its log may say more; nothing \
                     is wrong with your settings.",
                ),
            };
        }
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return Failure::new(Code::Busy, "the memory for this run is not free yet")
                .with_hint("Try again; nothing is wrong with the connector or your settings.");
        }
        if let Some(refused) = refused_by_the_system(Code::Limit, error) {
            return refused;
        }
        let cause = error.root_cause().to_string();
        match UNTYPED.iter().find(|(words, ..)| cause.contains(words)) {
            Some((_, bound, what)) => self.limits.reached(*bound, what),
            None => Failure::new(
                Code::Contract,
                format!(
                    "the connector broke its contract: {}",
                    crate::text::shortened(&cause, 300)
                ),
            )
            .with_hint(
                "Report it to the publisher of the connector; nothing is wrong with your settings.",
            ),
        }
    }

    /// Drops the store and keeps the run's state.
    fn park(&mut self, store: Store<RunState>) {
        self.parked = Some(store.into_data());
    }
}

/// Bounds that wasmtime reports only as text. Tests of hostile components fail when the text
/// changes.
const UNTYPED: [(&str, Bound, &str); 3] = [
    (
        "fuel allocated for hostcalls",
        Bound::CallBytes,
        "the connector passes more in one call than permitted",
    ),
    (
        "store handle limit exceeded",
        Bound::Handles,
        "the connector holds more resources at once than permitted",
    ),
    (
        "count too high at",
        Bound::Instances,
        "the connector has more instances, memories or tables than permitted",
    ),
];

impl contract::http::Host for RunState {
    async fn send(
        &mut self,
        request: contract::http::Request,
    ) -> wasmtime::Result<Result<contract::http::Response, contract::http::Error>> {
        if self.describing {
            self.asked_while_describing = true;
            return Ok(Err(contract::http::Error::Denied(
                "nothing is sent while a connector describes itself".into(),
            )));
        }
        let began = Instant::now();
        let answer = match &mut self.http {
            Some(http) => {
                let before = http.figures().now().requests;
                let (answer, computed) = timed(http.send(request)).await;
                if http.figures().now().requests > before {
                    self.usage.processor.exempt(computed);
                }
                answer
            }
            None => Err(contract::http::Error::Denied("nothing was granted to this run".into())),
        };
        self.usage.in_host += began.elapsed();
        Ok(answer)
    }
}

impl contract::log::Host for RunState {
    async fn write(
        &mut self,
        level: contract::log::Level,
        message: String,
    ) -> wasmtime::Result<()> {
        if self.lines_left == 0 {
            return Ok(());
        }
        let message = crate::text::shortened(&message, self.limits.log_line);
        let length = u64::try_from(message.len()).unwrap_or(u64::MAX);
        let fits = length <= self.log_bytes_left;
        self.lines_left = if fits { self.lines_left - 1 } else { 0 };
        self.log_bytes_left = self.log_bytes_left.saturating_sub(length);
        if fits {
            self.events.tell(&Event::Log { level, message: &message });
        }
        if self.lines_left == 0 {
            self.events.tell(&Event::Log {
                level: contract::log::Level::Warn,
                message: "no more lines of this run are shown",
            });
        }
        Ok(())
    }
}
