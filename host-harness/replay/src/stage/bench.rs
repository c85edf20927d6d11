//! What every run on a fixture's traffic stands on: the connector, the cases, and what was used up on the way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::traffic::{Planted, Traffic};
use crate::fixture::{Fixture, Replay, fits};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::{MostUsed, Session, SharedUsage};
use smp_host::failure::{Code, Failure};
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::VirtualClock;
use smp_host::http::origin::Origin;
use smp_host::http::policy::{Grants, method_of};
use smp_host::http::retry::Jitter;
use smp_host::http::transport::{Method, Request, Transport};
use smp_host::limits::Limits;
use smp_host::observer::{Event, Observer};
use smp_host::settings::{Checked, Settings};

/// Log lines of a run that are looked at.
const MOST_LINES: usize = 1_000;

/// The connector, ready to be run as often as is wanted.
pub struct Bench {
    /// The connector.
    pub plugin: Plugin,
    /// Bounds of every run.
    pub limits: Limits,
    declared: Vec<(Method, String)>,
    grants: Grants,
    used: Mutex<Used>,
    runs: AtomicU64,
}

/// What the runs used up at most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Memory and computing time.
    pub most: MostUsed,
    /// Requests of one collection, repeated ones not counted.
    pub most_requests: u64,
}

/// A fixture case.
#[derive(Debug)]
pub struct Case {
    /// Its name: that of its folder.
    pub name: String,
    /// Its settings and traffic.
    pub fixture: Fixture,
    /// Its settings; none where the form refuses them, so that the connector is never asked.
    pub checked: Option<Checked>,
    /// Why the form refuses them.
    pub refused: Option<Failure>,
}

/// Keeps what a component logs.
#[derive(Debug, Default)]
pub struct Ear(Mutex<Vec<String>>);

impl Bench {
    /// A bench for this connector.
    pub fn new(plugin: Plugin, limits: Limits) -> Result<Self, Failure> {
        let descriptor = plugin.descriptor();
        let declared: Vec<_> =
            descriptor.api.endpoints.iter().map(|endpoint| (method_of(endpoint.method), endpoint.path.clone())).collect();
        let origin = Origin::parse(&descriptor.api.base).map_err(|error| Failure::new(Code::Contract, error.to_string()))?;
        // Nobody is reached: the fixture itself says what may be asked.
        let grants = declared.iter().cloned().fold(Grants::none(origin), |grants, (method, path)| grants.with(method, path));
        Ok(Self { plugin, limits, declared, grants, used: Mutex::default(), runs: AtomicU64::new(0) })
    }

    /// Opens a case.
    ///
    /// # Errors
    /// `fixture` or `invalid-settings`, where it is none for this connector.
    pub fn case(&self, folder: &Path) -> Result<Case, Failure> {
        let fixture = Fixture::open(folder)?;
        let values = fixture.settings().clone();
        self.case_of(name_of(folder), fixture, values)
    }

    /// Opens a case that may be of another build, with those of its settings that this one has a place for.
    ///
    /// # Errors
    /// `fixture` or `invalid-settings`, where it is none for this connector all the same.
    pub fn case_of_any_build(&self, folder: &Path) -> Result<Case, Failure> {
        let fixture = Fixture::open(folder)?;
        let is_known = |key: &str| self.plugin.descriptor().settings.iter().any(|field| field.key == key && field.secret.is_none());
        let values = fixture.settings().clone().into_iter().filter(|(key, _)| is_known(key)).collect();
        self.case_of(name_of(folder), fixture, values)
    }

    fn case_of(&self, name: String, fixture: Fixture, values: BTreeMap<String, String>) -> Result<Case, Failure> {
        let descriptor = self.plugin.descriptor();
        let settings = Settings { values, ..Settings::default() };
        settings.check_keys(descriptor)?;
        Replay::new(&fixture, &self.declared)?;
        let (checked, refused) = match settings.check(descriptor, false) {
            Ok(checked) => (Some(checked), None),
            Err(failure) => (None, Some(failure)),
        };
        Ok(Case { name, fixture, checked, refused })
    }

    /// The traffic of a case, for one run, and the clock that it is played on.
    pub fn traffic(&self, case: &Case, planted: Option<Planted>) -> Result<(Arc<Traffic>, Arc<VirtualClock>), Failure> {
        let replay = Replay::new(&case.fixture, &self.declared)?;
        let clock = Arc::new(VirtualClock::new(replay.start()));
        Ok((Arc::new(Traffic::new(replay, Arc::clone(&clock), planted)), clock))
    }

    /// A run of the connector on this traffic.
    pub fn session(&self, checked: &Checked, traffic: &(Arc<Traffic>, Arc<VirtualClock>), ear: &Arc<Ear>) -> Session {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (traffic, clock) = traffic;
        let options = RunOptions {
            clock: Arc::clone(clock) as _,
            jitter: Jitter::None,
            pace: Pace::Off,
            limits: Some(self.limits.clone()),
            observer: Arc::clone(ear) as _,
            ..RunOptions::new(Arc::clone(traffic) as Arc<dyn Transport>)
        };
        Host::default().session(&self.plugin, checked, &self.grants, options)
    }

    /// The number of the endpoint that a request calls.
    pub fn endpoint(&self, request: &Request) -> Option<usize> {
        self.declared.iter().position(|(method, template)| *method == request.method && fits(template, request.path()))
    }

    /// The endpoint of this number, for people.
    pub fn endpoint_named(&self, number: usize) -> String {
        self.declared.get(number).map(|(method, path)| format!("{method} {path}")).unwrap_or_default()
    }

    /// How many endpoints are declared.
    pub fn endpoints(&self) -> usize {
        self.declared.len()
    }

    /// Notes what a run used up.
    pub fn note(&self, usage: &SharedUsage, requests: u64) {
        let (now, mut used) = (usage.now(), self.used.lock().unwrap_or_else(PoisonError::into_inner));
        used.most.memory = used.most.memory.max(now.memory);
        used.most.computing = used.most.computing.max(now.computing);
        used.most_requests = used.most_requests.max(requests);
    }

    /// What was used up at most, until now.
    pub fn used(&self) -> Used {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Ear {
    /// What was heard.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Ear {
    fn event(&self, event: &Event<'_>) {
        if let Event::Log { message, .. } = event {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() < MOST_LINES {
                lines.push((*message).to_owned());
            }
        }
    }
}

/// The name of a case: that of its folder.
pub fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    name.or_else(|| Some(folder.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned())).unwrap_or_else(|| "the fixture".into())
}
