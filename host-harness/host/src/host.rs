//! The host of a process: what all runs share, and how a run is put together from what was granted to it.
//!
//! Runs share connections (through the transport's client) and the pace of each account, and nothing else. This is where a platform begins:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # use crate::component::compile::Compiler;
//! # use crate::component::engine::{Engine, EngineOptions};
//! # use crate::component::plugin::Plugin;
//! # use crate::host::{Host, RunOptions};
//! # use crate::live::{LiveClient, LiveOptions};
//! # use crate::http::origin::Origin;
//! # use crate::http::policy::Grants;
//! # use crate::settings::Settings;
//! # use crate::validation::Validation;
//! # async fn example(file: &[u8], settings: Settings, client: LiveClient) -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::default();
//! // This program once more, which calls `worker::work` when it is started so: a stranger's bytes are compiled within limits.
//! let compiler = Compiler::Apart { program: std::env::current_exe()?, arguments: vec!["compile-component".into()] };
//! let engine = Engine::new(&EngineOptions::new(compiler))?;
//! let plugin = Plugin::load(&engine, file).await?;
//! let settings = settings.check(plugin.descriptor(), true)?;
//! let grants = Grants::reading(Origin::parse("https://api.example.test")?, plugin.descriptor());
//! let transport = Arc::new(client.transport(grants.origin().clone(), settings.credential.clone()));
//! let mut session = host.session(&plugin, &settings, &grants, RunOptions::new(transport));
//! let validation = Validation::new(session.validate(&settings.public).await?, &settings);
//! println!("{}", validation.ready());
//! # Ok(())
//! # }
//! ```

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::component::plugin::Plugin;
use crate::component::session::{Session, SessionOptions};
use crate::contract::{Descriptor, Setting};
use crate::http::capability::Capability;
use crate::http::clock::{Clock, SystemClock};
use crate::http::pace::{Pacers, Rate};
use crate::http::policy::{Grants, Policy};
use crate::http::retry::{Jitter, Retrier};
use crate::http::transport::Transport;
use crate::limits::Limits;
use crate::observer::{Observer, Silent};
use crate::settings::Checked;

/// Waits of one run, unless something else is wanted: a quarter of an hour outlasts a rate limit's window, and ends before the next run.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(900);

/// What the runs of a process share.
#[derive(Debug, Default)]
pub struct Host {
    pacers: Pacers,
}

/// How a run is to go.
pub struct RunOptions {
    /// Where answers come from.
    pub transport: Arc<dyn Transport>,
    /// The clock that waits are taken on.
    pub clock: Arc<dyn Clock>,
    /// How waits are spread.
    pub jitter: Jitter,
    /// The pace.
    pub pace: Pace,
    /// Bound of all waits of the run.
    pub max_wait: Duration,
    /// Bounds of what the component may use up.
    pub limits: Limits,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// How fast requests may follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As the descriptor asks for.
    Declared,
    /// As the operator says.
    At(Rate),
    /// As fast as they come: for a mock.
    Off,
}

impl RunOptions {
    /// The usual way, with answers from this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            clock: Arc::new(SystemClock::default()),
            jitter: Jitter::Random,
            pace: Pace::Declared,
            max_wait: DEFAULT_MAX_WAIT,
            limits: Limits::default(),
            observer: Arc::new(Silent),
        }
    }
}

impl Host {
    /// A run of a connector with these settings and grants, with nothing sent yet.
    #[must_use]
    pub fn session(&self, plugin: &Plugin, settings: &Checked, grants: &Grants, options: RunOptions) -> Session {
        let descriptor = plugin.descriptor();
        let policy = Policy::new(descriptor, &settings.public, grants);
        let rate = match options.pace {
            Pace::Declared => Some(declared(descriptor)),
            Pace::At(rate) => Some(rate),
            Pace::Off => None,
        };
        let account = || format!("{} {}", descriptor.id, settings_hash(&settings.public));
        let pacer = rate.map(|rate| self.pacers.of(&account(), rate, &*options.clock));
        let observer = Arc::clone(&options.observer);
        let retrier = Retrier::new(options.transport, options.clock, pacer, observer, options.jitter, options.max_wait);
        let http = Some(Capability::new(policy, retrier, options.limits.clone()));
        // Waiting as long as the operator allows is no fault of the component's.
        let call_time = options.limits.call_time.saturating_add(options.max_wait);
        plugin.session(SessionOptions { http, limits: Limits { call_time, ..options.limits }, observer: options.observer })
    }
}

/// The pace that a descriptor asks for.
fn declared(descriptor: &Descriptor) -> Rate {
    let declared = descriptor.api.rate_limit;
    let requests = NonZeroU32::new(declared.requests).unwrap_or(NonZeroU32::MIN);
    Rate { requests, period: Duration::from_millis(u64::from(declared.period_ms)) }
}

/// What stands for the settings where they themselves must not: they name a customer.
#[must_use]
pub fn settings_hash(settings: &[Setting]) -> String {
    let mut sorted: Vec<_> = settings.iter().map(|setting| (&setting.key, &setting.value)).collect();
    sorted.sort();
    let hash = sorted.into_iter().fold(Sha256::new(), |hash, (key, value)| {
        hash.chain_update(key.len().to_le_bytes()).chain_update(key).chain_update(value.len().to_le_bytes()).chain_update(value)
    });
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, value: &str) -> Setting {
        Setting { key: key.into(), value: value.into() }
    }

    #[test]
    fn settings_are_the_same_in_any_order_and_other_when_they_differ() {
        let (one, other) = (setting("a", "1"), setting("b", "2"));
        assert_eq!(settings_hash(&[one.clone(), other.clone()]), settings_hash(&[other, one.clone()]));
        assert_ne!(settings_hash(&[setting("a", "12")]), settings_hash(&[one]));
        assert_ne!(settings_hash(&[setting("ab", "c")]), settings_hash(&[setting("a", "bc")]));
    }
}
