//! A mock Atlassian organization: a real HTTP server on loopback, for tests and for people.
//!
//! ```
//! use smp_tests::mock::{Call, Fault, Mock, When};
//!
//! # fn main() -> std::io::Result<()> {
//! let mock = Mock::builder().members(250).seed(7).fault(Call::Users, When::Nth(2), Fault::Drop).start()?;
//! assert!(mock.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(mock.expected_members().len(), 250);
//! # Ok(())
//! # }
//! ```
//! It serves only the organization calls of the admin API. No request changes its state, except for
//! its log and its counts. The same settings give the same bodies, byte for byte.
//!
//! The path of a request: `server` (connection) ▸ `service` (log, key, pace) ▸ `endpoints`
//! (`paging`, `organization`, `directory`, `seats`,
//! `answers`) ▸ `misbehave` (faults).

mod answers;
mod cursor;
mod directory;
mod endpoints;
mod fault;
mod field;
mod grammar;
mod limit;
mod log;
mod member;
mod misbehave;
mod moment;
mod names;
mod organization;
mod paging;
mod products;
mod rule;
mod seats;
mod server;
mod service;
mod situation;
mod tls;

mod builder;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use builder::{
    Builder, DEFAULT_KEY, DEFAULT_NOW, DEFAULT_ORGANIZATION_ID, DEFAULT_ORGANIZATION_NAME,
};
pub use directory::Person;
pub use fault::{BODY_LIMIT, DEPTH_LIMIT, ErrorAnswer, Fault, RetryAfter, Shape, Total};
pub use field::Field;
pub use grammar::GrammarError;
pub use log::{Authorization, LOG_LIMIT, LoggedRequest};
pub use member::{Member, MemberLinks, ProductAccess};
pub use moment::{Instant, Moment};
pub use organization::{API_BASE, Organization};
pub use rule::{Call, Rule, When};
pub use seats::Seats;
pub use situation::Situation;
pub use tls::{ThrowAway, throw_away_certificate};

use service::{Shared, lock};

/// A running mock. Dropping it stops the server and ends its connections.
#[derive(Debug)]
pub struct Mock {
    address: SocketAddr,
    ca_pem: Option<String>,
    organization: Organization,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Mock {
    /// Settings to start from: 250 members, pages of 100, seed 0, no fault.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The origin, without a trailing slash: `http://127.0.0.1:PORT`, or `https://localhost:PORT` with TLS.
    pub fn url(&self) -> String {
        match self.ca_pem {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that clients must trust. `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The key that it accepts.
    pub fn key(&self) -> &str {
        &self.shared.key
    }

    /// The organization that it plays, in any situation.
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The members that the API shows in the present situation, in its order. It is a list: for an
    /// organization of millions use [`Organization::members`].
    pub fn expected_members(&self) -> Vec<Member> {
        let visible = lock(&self.shared.world).visible_members();
        (0..visible).map(|index| self.organization.member(index)).collect()
    }

    /// Everyone whom the API shows in the present situation, each once, in its order.
    pub fn expected_people(&self) -> Vec<Person> {
        let world = lock(&self.shared.world);
        let directory = world.directory();
        (0..directory.people()).map(|index| directory.person(index)).collect()
    }

    /// The seats of the product sites that the API lists in the present situation, in its order.
    pub fn expected_seats(&self) -> Vec<Seats> {
        lock(&self.shared.world).directory().seats()
    }

    /// Arms a fault. Its requests are counted from now.
    pub fn set_fault(&self, call: Call, when: When, fault: impl Into<Fault>) {
        self.set_rule(Rule::new(call, when, fault));
    }

    /// Arms a fault that was parsed from a text. Its requests are counted from now.
    pub fn set_rule(&self, rule: Rule) {
        lock(&self.shared.armed).arm(rule);
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.armed).clear();
    }

    /// Changes the state of the organization or the key.
    pub fn set_situation(&self, situation: Situation) {
        self.shared.set_situation(situation);
    }

    /// The requests so far, oldest first; [`LOG_LIMIT`] of them at most.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.shared.log.entries()
    }

    /// Number of requests so far, including those beyond the limit of the log.
    pub fn requests(&self) -> u64 {
        self.shared.log.received()
    }

    /// Waits until `enough` accepts the log, without sleeping. False if `timeout` is over first.
    /// Requests are blocked while `enough` runs, so it must not call the mock.
    pub fn wait_until(&self, timeout: Duration, enough: impl Fn(&[LoggedRequest]) -> bool) -> bool {
        self.shared.log.wait(timeout, enough)
    }

    /// Waits until a call has been received this many times. False if `timeout` is over first.
    pub fn wait_for(&self, call: Call, count: usize, timeout: Duration) -> bool {
        let counts = |entry: &&LoggedRequest| call == Call::Any || entry.call == call;
        self.wait_until(timeout, |entries| entries.iter().filter(counts).count() >= count)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported on its own thread.
            let _ended = thread.join();
        }
    }
}
