//! The host of a process: what all runs share, and how a run is made from its grants.
//!
//! Runs share connections (through the transport's client) and the pace of each account, and
//! nothing else. A platform begins here:
//!
//! ```no_run
//! use std::sync::Arc;
//! use smp_host::component::compile::Compiler;
//! use smp_host::component::engine::{Engine, EngineOptions};
//! use smp_host::component::plugin::Plugin;
//! use smp_host::host::{Host, RunOptions};
//! use smp_host::live::LiveClient;
//! use smp_host::http::origin::Origin;
//! use smp_host::http::policy::Grants;
//! use smp_host::settings::Settings;
//! use smp_host::validation::Validation;
//! use smp_host::collect::in_memory::InMemory;
//!
//! # async fn example(file: &[u8], settings: Settings, client: LiveClient) -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::default();
//! // This program again, which then calls `worker::work`: untrusted components are compiled within limits.
//! let compiler = Compiler::Apart { program: std::env::current_exe()?, arguments: vec!["compile-component".into()] };
//! let engine = Engine::new(&EngineOptions::new(compiler))?;
//! let plugin = Plugin::load(&engine, file).await?;
//! let settings = settings.check(plugin.descriptor(), true)?;
//! let grants = Grants::reading(Origin::parse("https://api.example.test")?, plugin.descriptor());
//! let transport = Arc::new(client.transport(grants.origin().clone(), settings.credential.clone()));
//! let mut session = host.session(&plugin, &settings, &grants, RunOptions::new(transport));
//! let validation = Validation::of(&mut session).await?;
//! if validation.ready() {
//!     // A file (`FileJournal`), a stream, memory, or a platform's own `Destination` for its database.
//!     let mut members = InMemory::default();
//!     let report = session.collect_members(&mut members, std::future::pending()).await;
//!     println!("{} members, {:?}", report.counts.members, report.outcome);
//! }
//! # Ok(())
//! # }
//! ```

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::collect::shortfall::Shortfall;
use crate::component::plugin::Plugin;
use crate::component::session::{Session, SessionOptions};
use crate::contract::{Descriptor, Setting};
use crate::http::base::{self, Purpose};
use crate::http::capability::Capability;
use crate::http::clock::{Clock, SystemClock};
use crate::http::pace::{Pacers, Rate, SharedPace};
use crate::http::policy::{Grants, Policy};
use crate::http::retry::{Jitter, Retrier};
use crate::http::transport::Transport;
use crate::limits::Limits;
use crate::observer::{Context, Events, Observer, Silent};
use crate::settings::{Checked, settings_hash};

/// Default bound on the waits of one run: a quarter of an hour is longer than a rate limit's
/// window, and ends before the next run.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(900);

/// The state that the runs of a process share.
#[derive(Debug, Default)]
pub struct Host {
    pacers: Pacers,
}

/// The options of a run.
#[derive(Clone)]
pub struct RunOptions {
    /// The transport that answers requests.
    pub transport: Arc<dyn Transport>,
    /// The clock for waits.
    pub clock: Arc<dyn Clock>,
    /// Jitter of the waits.
    pub jitter: Jitter,
    /// The rate of requests.
    pub pace: Pace,
    /// The pace of the account that several processes keep together, besides that of this one.
    pub shared_pace: Option<Arc<dyn SharedPace>>,
    /// Bound on the waits of the run, all together.
    pub max_wait: Duration,
    /// Bounds of this run, if they are tighter than the engine's, which always apply.
    pub limits: Option<Limits>,
    /// The recorded traffic that answers in place of the service, if there is any: a run resumes
    /// only one with the same source.
    pub recording: Option<String>,
    /// The observer of the run.
    pub observer: Arc<dyn Observer>,
    /// The run's name in events and spans. By default it is random.
    pub run: Option<String>,
    /// The account of the service, for the pace and for events. By default it is a hash of the
    /// connector's id and the settings; a platform that knows the account's stable id gives one of
    /// that, so that all its connections to one account share a pace.
    pub account: Option<String>,
    /// What the run is for: only one for usage may send the requests that usage alone needs.
    pub purpose: Purpose,
    /// How many records its list may lack, and lacked in the run before.
    pub shortfall: Shortfall,
}

/// The rate of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The rate that the descriptor declares.
    Declared,
    /// The rate that the operator sets.
    At(Rate),
    /// No limit, for a mock.
    Off,
}

impl RunOptions {
    /// The default options, with this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            clock: Arc::new(SystemClock::default()),
            jitter: Jitter::Random,
            pace: Pace::Declared,
            shared_pace: None,
            max_wait: DEFAULT_MAX_WAIT,
            limits: None,
            recording: None,
            observer: Arc::new(Silent),
            run: None,
            account: None,
            purpose: Purpose::Members,
            shortfall: Shortfall::default(),
        }
    }
}

impl Host {
    /// The host of a process that goes on with another one's work, such as a service after its
    /// restart: it keeps the pace of each account as if the other one had used it up.
    #[must_use]
    pub fn succeeding() -> Self {
        Self { pacers: Pacers::succeeding() }
    }

    /// A run of a connector with these settings and grants. Nothing is sent yet. All calls of the
    /// session, and the collection, use these options.
    #[must_use]
    pub fn session(
        &self,
        plugin: &Plugin,
        settings: &Checked,
        grants: &Grants,
        options: RunOptions,
    ) -> Session {
        let descriptor = plugin.descriptor();
        let policy = Policy::new(descriptor, &settings.public, options.purpose, grants);
        let rate = match options.pace {
            Pace::Declared => Some(declared(descriptor)),
            Pace::At(rate) => Some(rate),
            Pace::Off => None,
        };
        let account =
            options.account.unwrap_or_else(|| account_of(&descriptor.id, &settings.public));
        let pacer = rate.map(|rate| self.pacers.of(&account, rate, &options.clock));
        let (run, connector) = (options.run.unwrap_or_else(random_name), descriptor.id.clone());
        let events = Events::new(options.observer, Context { run, account, connector });
        let limits = match &options.limits {
            None => plugin.limits().clone(),
            Some(limits) => limits.within(plugin.limits()),
        };
        let (transport, clock) = (options.transport, options.clock);
        let told = events.clone();
        let retrier = Retrier::new(
            transport,
            Arc::clone(&clock),
            pacer,
            told,
            options.jitter,
            options.max_wait,
        )
        .sharing(options.shared_pace);
        let http = Some(Capability::new(policy, retrier, limits.clone()));
        // Waiting as long as the operator permits is not the component's fault.
        let call_time = limits.call_time.saturating_add(options.max_wait);
        let mut settings = settings.of_run(descriptor, options.purpose);
        // Recorded traffic answers for the service, whatever origin it was granted.
        let asked = base::origin(&descriptor.api, &settings.public);
        let is_named = asked.map_or(true, |asked| asked != *grants.origin());
        settings.known.named_origin =
            (is_named && options.recording.is_none()).then(|| grants.origin().to_string());
        plugin.session(SessionOptions {
            http,
            settings,
            origin: Some(options.recording.unwrap_or_else(|| grants.origin().to_string())),
            limits: Limits { call_time, ..limits },
            shortfall: options.shortfall,
            events,
            clock,
        })
    }
}

/// The name of a service's account where its settings must not appear, because they name a
/// customer.
fn account_of(connector: &str, settings: &[Setting]) -> String {
    let hash = Sha256::new().chain_update(connector).chain_update([0]);
    let hash = hash.chain_update(settings_hash(settings)).finalize();
    // Half of the hash: 128 bits are enough for no two accounts of a platform to collide.
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A unique name.
fn random_name() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The rate that a descriptor declares.
#[must_use]
pub fn declared(descriptor: &Descriptor) -> Rate {
    let declared = descriptor.api.rate_limit;
    let requests = NonZeroU32::new(declared.requests).unwrap_or(NonZeroU32::MIN);
    Rate { requests, period: Duration::from_millis(u64::from(declared.period_ms)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, value: &str) -> Setting {
        Setting { key: key.into(), value: value.into() }
    }

    #[test]
    fn an_account_is_the_same_in_each_run_and_does_not_tell_its_settings() {
        let acme = [setting("organization-id", "acme-1")];
        let account = account_of("directory", &acme);
        assert_eq!(account, account_of("directory", &acme));
        assert_ne!(account, account_of("other", &acme));
        assert_ne!(account, account_of("directory", &[setting("organization-id", "acme-2")]));
        assert!(account.len() == 32 && account.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_run_without_a_given_name_has_one_of_its_own() {
        assert_ne!(random_name(), random_name());
        assert_eq!(random_name().len(), 32);
    }
}
