//! What a run tells while it goes on, to whoever embeds the host: a progress bar, a log, a metric.

use std::time::Duration;

pub use crate::contract::log::Level;

/// Something that happened. Text that comes from a component is not escaped yet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The component wrote a log line.
    Log {
        /// How much it matters.
        level: Level,
        /// The line.
        message: &'a str,
    },
    /// A request is to be repeated after this wait.
    Waiting {
        /// The wait.
        wait: Duration,
        /// Why.
        reason: &'a str,
        /// How often it was tried.
        tries: u32,
    },
    /// A collection goes on where a checkpoint says it was.
    Resumed {
        /// Members that are there already.
        members: u64,
        /// Pages that are there already.
        pages: u64,
    },
    /// A page is written.
    Page {
        /// Members until now.
        members: u64,
        /// Members in the organization, where the service tells it.
        total: Option<u64>,
        /// Pages until now.
        pages: u64,
    },
    /// The service forgot the cursor: the collection begins again, and drops what it has.
    Restarted,
}

/// Is told what happens. Called from the run itself: it must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}
