//! Events of a run, for the program that embeds the host: for a progress bar, a log or metrics.
//!
//! There are two ways to listen. An [`Observer`] receives each [`Event`], with a [`Context`] that
//! identifies the run. A `tracing` subscriber sees three spans: `run` and `call` at the level
//! `INFO`, `request` at `DEBUG`, with the events' values as fields; and it sees events when
//! something is refused or given up. Without a subscriber a span costs one comparison.
//!
//! Neither contains a secret, a setting, the path or query of a request, or the content of an
//! answer. Two texts are exceptions: a log line is the component's, and the description of a broken
//! connection is the transport's. Spans have neither.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

pub use crate::contract::log::Level;

/// The run of an event. All of it may be logged; as labels of a metric, `run` and `account` have
/// too many values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The run, by the name that the embedding program gave it.
    pub run: String,
    /// The account of the service that the run is for: a hash of the connector's id and the
    /// settings, the same in each run. Runs of one account share a pace.
    pub account: String,
    /// The connector's id, from its descriptor.
    pub connector: String,
}

/// An event. Text of a component is not escaped yet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The component wrote a log line.
    Log {
        /// Its level.
        level: Level,
        /// The line.
        message: &'a str,
    },
    /// A request was sent, and answered or not. There is an event for each try.
    Request(Try<'a>),
    /// A request is retried after this wait.
    Waiting {
        /// The wait.
        wait: Duration,
        /// The reason.
        reason: &'a str,
        /// Number of tries so far.
        tries: u32,
    },
    /// A collection resumes at a checkpoint's position.
    Resumed {
        /// Members delivered before.
        members: u64,
        /// Pages delivered before.
        pages: u64,
    },
    /// A page was written.
    Page {
        /// Members so far.
        members: u64,
        /// Members in the organization, if the service states that.
        total: Option<u64>,
        /// Pages so far.
        pages: u64,
    },
    /// The service forgot the cursor: the collection begins again, and drops the members that it
    /// has.
    Restarted,
}

/// One try of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try<'a> {
    /// The endpoint as the descriptor declares it: `GET /v1/orgs/{organization-id}/users`. It never
    /// contains the value of `{organization-id}` or a query.
    pub endpoint: &'a str,
    /// The call of the connector that it belongs to.
    pub call: Call,
    /// The number of this try, from 1.
    pub number: u32,
    /// How it ended.
    pub ended: Ended,
    /// From sending to the end of the answer, without waiting for the pace.
    pub elapsed: Duration,
    /// How long it waited for the pace of its account before it was sent.
    pub paced: Duration,
    /// The next try, if there is one.
    pub next: Option<Next<'a>>,
}

/// How a try of a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// With an answer.
    Answered {
        /// Its status.
        status: u16,
        /// The bytes of its body, decompressed.
        bytes: u64,
    },
    /// Without one.
    Unanswered(Fault),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// It did not come in time.
    TimedOut,
    /// The connection failed, or broke.
    Connection,
    /// The server's certificate is not trusted.
    Untrusted,
    /// It is larger than permitted.
    TooLarge,
    /// The transport did not send the request.
    Denied,
    /// The recorded traffic does not have it.
    Fixture,
    /// The call or the run ended before it came.
    Cancelled,
    /// Something else.
    Other,
}

/// The next try of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next<'a> {
    /// The wait before it.
    pub wait: Duration,
    /// Why there is one.
    pub reason: &'a str,
}

/// A call of the connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// `describe`, in which nothing is sent.
    #[default]
    Describe,
    /// `validate`.
    Validate,
    /// `connect`.
    Connect,
    /// `collect-members`.
    Collect {
        /// The page that is requested, from 1, counted as in [`Event::Page`].
        page: u64,
    },
    /// `collect-usage`.
    Usage {
        /// The page that is requested, counted likewise.
        page: u64,
    },
    /// `validate`, because a collection found nothing.
    Diagnose,
}

/// Receives events. It is called from the run itself, so it must not block.
pub trait Observer: Send + Sync {
    /// Receives one event of this run.
    fn event(&self, context: &Context, event: &Event<'_>);
}

/// Ignores all events.
#[derive(Debug, Default)]
pub struct Silent;

/// The target of the events of one run.
#[derive(Clone)]
pub struct Events {
    observer: Arc<dyn Observer>,
    context: Arc<Context>,
    /// The run's span: it ends when nothing of the run is left.
    span: Span,
}

impl Events {
    /// Sends events to this observer. The run's span begins now, below the current span.
    pub fn new(observer: Arc<dyn Observer>, context: Context) -> Self {
        let Context { run, account, connector } = &context;
        let span = tracing::info_span!("run", run, account, connector);
        Self { observer, context: Arc::new(context), span }
    }

    /// Ignores all events, for a run without an account.
    #[must_use]
    pub fn nowhere() -> Self {
        let (observer, context) = (Arc::new(Silent), Arc::default());
        Self { observer, context, span: Span::none() }
    }

    /// The run of these events.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The run's span.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Sends an event.
    pub fn tell(&self, event: &Event<'_>) {
        self.observer.event(&self.context, event);
    }
}

impl Observer for Silent {
    fn event(&self, _: &Context, _: &Event<'_>) {}
}

impl Ended {
    /// The status, if there is an answer.
    #[must_use]
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(status),
            Self::Unanswered(_) => None,
        }
    }

    /// The bytes of the answer's body, if there is one.
    #[must_use]
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Answered { bytes, .. } => Some(bytes),
            Self::Unanswered(_) => None,
        }
    }

    /// Why there is no answer, if there is none.
    #[must_use]
    pub fn fault(self) -> Option<Fault> {
        match self {
            Self::Answered { .. } => None,
            Self::Unanswered(fault) => Some(fault),
        }
    }
}

impl Fault {
    /// The fault's name, for a label or a field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::Connection => "connection",
            Self::Untrusted => "untrusted",
            Self::TooLarge => "too-large",
            Self::Denied => "denied",
            Self::Fixture => "fixture",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Call {
    /// The call's name, for a label or a field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Validate => "validate",
            Self::Connect => "connect",
            Self::Collect { .. } => "collect",
            Self::Usage { .. } => "usage",
            Self::Diagnose => "diagnose",
        }
    }

    /// The page, if the call requests one.
    #[must_use]
    pub fn page(self) -> Option<u64> {
        match self {
            Self::Collect { page } | Self::Usage { page } => Some(page),
            _ => None,
        }
    }
}
