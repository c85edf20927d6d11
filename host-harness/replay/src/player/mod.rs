//! Plays recorded traffic to a connector. Commands, checks and comparisons all run a fixture this
//! way.
//!
//! ```text
//! plugin ─▶ Player ─ fixture, mode ─▶ Playback ─ settings ─▶ Session
//! ```
//! Above the transport it is the path of a live run, on a virtual clock, without jitter or pace,
//! and within the limits that the plugin was loaded with. So the same traffic gives the same bytes
//! on any machine.
//!
//! | | [`Mode::Strict`] | [`Mode::Lenient`] |
//! |---|---|---|
//! | a request that was not recorded | fails the run | is answered as before, or the connection fails |
//! | an answer that was never requested | fails the run | is ignored |
//! | an exchange | is the recorded one | may be replaced by an injected fault |
//! | requests and answers | are not kept | are kept |
//! | computing time of a call | the plugin's limit | at most two seconds |

pub mod call;
pub mod case;
pub mod cases;
pub mod log;
mod outcome;
pub mod trace;
pub mod traffic;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::fixture::{Fixture, Replay, fits};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::{MostUsed, Session, SharedUsage};
use smp_host::contract::Setting;
use smp_host::failure::{Code, Failure};
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::base::{Purpose, origin};
use smp_host::http::clock::VirtualClock;
use smp_host::http::origin::Origin;
use smp_host::http::policy::{Grants, method_of};
use smp_host::http::retry::Jitter;
use smp_host::http::transport::{Method, Request, Transport};
use smp_host::limits::Limits;
use smp_host::observer::Observer;
use smp_host::settings::Checked;

use traffic::{Injection, Traffic};

/// Most computing time of a call in a lenient run: a connector needs a few milliseconds, and there
/// are many calls.
const MOST_COMPUTING: Duration = Duration::from_secs(2);

/// The origin of every run on recorded traffic: a name that does not exist.
const NOWHERE: &str = "https://replay.invalid";

/// A connector to which recorded traffic is played, any number of times.
pub struct Player {
    plugin: Plugin,
    declared: Vec<(Method, String)>,
    grants: Grants,
    lenient: Limits,
    used: Mutex<Used>,
    runs: AtomicU64,
}

/// How closely a run follows the recorded traffic.
#[derive(Clone, Debug)]
pub enum Mode {
    /// The traffic must be exactly the recorded one, or the run fails.
    Strict,
    /// The run continues where the recorded traffic ends, optionally with one exchange replaced.
    Lenient(Option<Injection>),
}

/// The highest usage of all lenient calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Memory and computing time.
    pub most: MostUsed,
    /// Requests of one collection, without retries.
    pub most_requests: u64,
}

/// The traffic of a fixture, ready for one run.
pub struct Playback {
    plugin: Plugin,
    grants: Grants,
    traffic: Arc<Traffic>,
    start: SystemTime,
    options: RunOptions,
}

impl Player {
    /// A player for this connector, within the limits that it was loaded with.
    ///
    /// # Errors
    /// Never: the origin of a replay is always the same.
    pub fn new(plugin: &Plugin) -> Result<Self, Failure> {
        let descriptor = plugin.descriptor();
        let declared: Vec<_> = descriptor
            .api
            .endpoints
            .iter()
            .map(|endpoint| (method_of(endpoint.method), endpoint.path.clone()))
            .collect();
        // Nothing is sent: the fixture decides what may be requested, and an origin that depends on
        // a setting has a value only in a run.
        let origin = Origin::parse(NOWHERE)
            .map_err(|error| Failure::new(Code::Contract, error.to_string()))?;
        let grants = declared
            .iter()
            .cloned()
            .fold(Grants::none(origin), |grants, (method, path)| grants.with(method, path));
        let limits = plugin.limits();
        let lenient = Limits { cpu: limits.cpu.min(MOST_COMPUTING), ..limits.clone() };
        Ok(Self {
            plugin: plugin.clone(),
            declared,
            grants,
            lenient,
            used: Mutex::default(),
            runs: AtomicU64::new(0),
        })
    }

    /// The connector.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Bounds of a lenient run. Those of a strict one are the plugin's.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.lenient
    }

    /// The traffic of a fixture, for one run.
    ///
    /// # Errors
    /// `fixture` if an answer in it is malformed.
    pub fn playback(&self, fixture: &Fixture, mode: Mode) -> Result<Playback, Failure> {
        let replay = Replay::new(fixture, &self.declared)?.asking(self.origin(fixture));
        let (start, clock) = (replay.start(), Arc::new(VirtualClock::new(replay.start())));
        let limits = match mode {
            Mode::Strict => None,
            Mode::Lenient(_) => {
                self.runs.fetch_add(1, Ordering::Relaxed);
                Some(self.lenient.clone())
            }
        };
        let traffic = Arc::new(Traffic::new(replay, Arc::clone(&clock), mode));
        let folder =
            std::path::absolute(fixture.folder()).unwrap_or_else(|_| fixture.folder().into());
        let options = RunOptions {
            recording: Some(format!("the fixture {}", folder.display())),
            clock,
            jitter: Jitter::None,
            pace: Pace::Off,
            limits,
            ..RunOptions::new(Arc::clone(&traffic) as Arc<dyn Transport>)
        };
        Ok(Playback {
            plugin: self.plugin.clone(),
            grants: self.grants.clone(),
            traffic,
            start,
            options,
        })
    }

    /// The origin that the connector asks for with the settings of a fixture.
    fn origin(&self, fixture: &Fixture) -> Option<Origin> {
        let settings: Vec<_> = fixture
            .settings()
            .iter()
            .map(|(key, value)| Setting { key: key.clone(), value: value.clone() })
            .collect();
        origin(&self.plugin.descriptor().api, &settings).ok()
    }

    /// That the traffic of a fixture is of another origin than the connector asks for, as the end
    /// of a message.
    #[must_use]
    pub fn moved(&self, fixture: &Fixture) -> Option<String> {
        Replay::new(fixture, &self.declared).ok()?.asking(self.origin(fixture)).moved()
    }

    /// The number of the endpoint to which a request belongs.
    #[must_use]
    pub fn endpoint(&self, request: &Request) -> Option<usize> {
        self.declared.iter().position(|(method, template)| {
            *method == request.method && fits(template, request.path())
        })
    }

    /// The endpoint of this number, for people.
    #[must_use]
    pub fn endpoint_named(&self, number: usize) -> String {
        self.declared
            .get(number)
            .map(|(method, path)| format!("{method} {path}"))
            .unwrap_or_default()
    }

    /// Number of declared endpoints.
    #[must_use]
    pub fn endpoints(&self) -> usize {
        self.declared.len()
    }

    /// The highest usage of the lenient calls so far.
    #[must_use]
    pub fn used(&self) -> Used {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of lenient runs so far.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Notes the usage of a run.
    fn note(&self, usage: &SharedUsage, requests: u64) {
        let (now, mut used) =
            (usage.now(), self.used.lock().unwrap_or_else(PoisonError::into_inner));
        used.most.memory = used.most.memory.max(now.memory);
        used.most.computing = used.most.computing.max(now.computing);
        used.most_requests = used.most_requests.max(requests);
    }
}

impl Playback {
    /// A session of the connector on this traffic.
    #[must_use]
    pub fn session(&self, checked: &Checked, observer: Arc<dyn Observer>) -> Session {
        self.session_for(Purpose::Members, checked, observer)
    }

    /// A session for this purpose.
    #[must_use]
    pub fn session_for(
        &self,
        purpose: Purpose,
        checked: &Checked,
        observer: Arc<dyn Observer>,
    ) -> Session {
        let options = RunOptions { observer, purpose, ..self.options.clone() };
        Host::default().session(&self.plugin, checked, &self.grants, options)
    }

    /// The options of the run, for a caller that makes the session itself. Observer and waits are
    /// the defaults, and may be replaced.
    #[must_use]
    pub fn options(&self) -> RunOptions {
        self.options.clone()
    }

    /// The grants of the run: all endpoints that the connector declares.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// When the recorded traffic began: the run's current time.
    #[must_use]
    pub fn start(&self) -> SystemTime {
        self.start
    }

    /// The requests and their answers.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}
