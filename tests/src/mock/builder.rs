//! The settings of a mock, and its start.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::endpoints::World;
use super::limit::Pace;
use super::log::Log;
use super::rule::Armed;
use super::server::Server;
use super::service::{Shared, router};
use super::tls::{self, Identity};
use super::{Call, Fault, Mock, Organization, Rule, Situation, When};

/// The default organization id; like real ones it has letters beyond `f`.
pub const DEFAULT_ORGANIZATION_ID: &str = "7c2k9a41-5d0e-4h7b-9m36-e81f4j20b5ca";
/// The default name of the organization.
pub const DEFAULT_ORGANIZATION_NAME: &str = "Brightloom";
/// The default key; it has the prefix of real organization keys.
pub const DEFAULT_KEY: &str = "ATCTTmock-key-of-nobody-0123456789";
/// The default instant from which activity is counted back: 2026-11-20T12:00:00Z.
pub const DEFAULT_NOW: i64 = 1_795_176_000;

/// Settings of a mock.
#[derive(Debug)]
#[must_use = "a mock runs only once it is started"]
pub struct Builder {
    organization: Organization,
    situation: Situation,
    page_size: u64,
    others: u64,
    externals: u64,
    directories: u64,
    key: String,
    port: u16,
    latency: Duration,
    rate_limit: Option<NonZeroU32>,
    gzip: bool,
    names: Vec<String>,
    rules: Vec<Rule>,
    log_file: Option<File>,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            organization: Organization {
                id: DEFAULT_ORGANIZATION_ID.to_owned(),
                name: DEFAULT_ORGANIZATION_NAME.to_owned(),
                seed: 0,
                size: 250,
                now: DEFAULT_NOW,
                published_only: false,
            },
            situation: Situation::Usual,
            page_size: 100,
            others: 0,
            externals: 20,
            directories: 2,
            key: DEFAULT_KEY.to_owned(),
            port: 0,
            latency: Duration::ZERO,
            rate_limit: None,
            gzip: false,
            names: Vec::new(),
            rules: Vec::new(),
            log_file: None,
        }
    }
}

impl Builder {
    /// Number of members; millions cost nothing.
    pub fn members(mut self, number: u64) -> Builder {
        self.organization.size = number;
        self
    }

    /// The seed of members, cursors and identifiers.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.organization.seed = seed;
        self
    }

    /// Number of items on a page; at least one.
    pub fn page_size(mut self, number: u64) -> Builder {
        self.page_size = number;
        self
    }

    /// Identifier of the organization.
    pub fn organization_id(mut self, id: &str) -> Builder {
        self.organization.id = id.to_owned();
        self
    }

    /// Name of the organization.
    pub fn organization_name(mut self, name: &str) -> Builder {
        self.organization.name = name.to_owned();
        self
    }

    /// Number of other organizations that the key can see. They come first in the list, and are
    /// empty.
    pub fn other_organizations(mut self, number: u64) -> Builder {
        self.others = number;
        self
    }

    /// Number of external people, whom only the search of the directories shows.
    pub fn externals(mut self, number: u64) -> Builder {
        self.externals = number;
        self
    }

    /// Number of directories. With more than one, one person in ten is in two of them.
    pub fn directories(mut self, number: u64) -> Builder {
        self.directories = number;
        self
    }

    /// The key that is accepted.
    pub fn key(mut self, key: &str) -> Builder {
        self.key = key.to_owned();
        self
    }

    /// The instant from which activity is counted back, in seconds since 1970.
    pub fn now(mut self, seconds: i64) -> Builder {
        self.organization.now = seconds;
        self
    }

    /// Keeps answers to the published API file: no `null`, no unlisted product or status, no bare
    /// date.
    pub fn published_only(mut self) -> Builder {
        self.organization.published_only = true;
        self
    }

    /// State of the organization or of the key.
    pub fn situation(mut self, situation: Situation) -> Builder {
        self.situation = situation;
        self
    }

    /// Port on 127.0.0.1; 0 takes a free one.
    pub fn port(mut self, port: u16) -> Builder {
        self.port = port;
        self
    }

    /// Time that passes before every answer.
    pub fn latency(mut self, time: Duration) -> Builder {
        self.latency = time;
        self
    }

    /// Answers 429 to requests beyond this many in any second.
    pub fn rate_limit(mut self, per_second: NonZeroU32) -> Builder {
        self.rate_limit = Some(per_second);
        self
    }

    /// Packs answers for clients that accept gzip.
    pub fn gzip(mut self) -> Builder {
        self.gzip = true;
        self
    }

    /// Another name in the certificate of [`Builder::start_tls`]: that of a server that the mock
    /// replaces.
    pub fn also_named(mut self, name: &str) -> Builder {
        self.names.push(name.to_owned());
        self
    }

    /// Arms a fault from the start.
    pub fn fault(self, call: Call, when: When, fault: impl Into<Fault>) -> Builder {
        self.rule(Rule::new(call, when, fault))
    }

    /// Arms a fault that was parsed from a text, from the start.
    pub fn rule(mut self, rule: Rule) -> Builder {
        self.rules.push(rule);
        self
    }

    /// Writes a line of JSON to a file for each request that is answered.
    pub fn log_to(mut self, file: File) -> Builder {
        self.log_file = Some(file);
        self
    }

    /// Starts the mock over plain HTTP on 127.0.0.1.
    ///
    /// # Errors
    /// When the port is taken or the thread cannot be made.
    pub fn start(self) -> io::Result<Mock> {
        self.start_with(None)
    }

    /// Starts the mock over TLS on 127.0.0.1, with a certificate for `localhost`, `127.0.0.1` and
    /// [`Builder::also_named`] from a new authority: see [`Mock::ca_pem`].
    ///
    /// # Errors
    /// When the port is taken, or the thread or the certificate cannot be made.
    pub fn start_tls(self) -> io::Result<Mock> {
        let identity = tls::identity(&self.names)?;
        self.start_with(Some(identity))
    }

    /// Starts it with TLS, and with the certificate of an authority as its own, which clients
    /// refuse.
    ///
    /// # Errors
    /// As [`start_tls`](Self::start_tls).
    pub fn start_tls_as_authority(self) -> io::Result<Mock> {
        self.start_with(Some(tls::authority_as_server()?))
    }

    fn start_with(self, identity: Option<Identity>) -> io::Result<Mock> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port))?;
        let address = listener.local_addr()?;
        let mut armed = Armed::default();
        for rule in self.rules {
            armed.arm(rule);
        }
        let organization = self.organization.clone();
        let (situation, page_size, others) = (self.situation, self.page_size, self.others);
        let (externals, directories) = (self.externals, self.directories);
        let shared = Arc::new(Shared {
            world: Mutex::new(World {
                organization: self.organization,
                situation,
                page_size,
                others,
                externals,
                directories,
            }),
            armed: Mutex::new(armed),
            pace: Mutex::new(Pace::new(self.rate_limit)),
            log: Log::new(self.log_file),
            key: self.key,
            latency: self.latency,
            gzip: self.gzip,
        });
        let (acceptor, ca_pem) =
            identity.map(|identity| (identity.acceptor, identity.ca_pem)).unzip();
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::clone(&shared));
        let server = Server::on(listener)?;
        let serve = move || server.run(router, acceptor, stopped);
        let thread = thread::Builder::new().name("atlassian-mock".to_owned()).spawn(serve)?;
        Ok(Mock { address, ca_pem, organization, shared, stop: Some(stop), thread: Some(thread) })
    }
}
