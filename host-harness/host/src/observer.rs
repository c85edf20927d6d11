//! What a run tells while it goes on, to whoever embeds the host: a progress bar, a log, a metric.
//!
//! There are two ways to listen. An [`Observer`] is told each [`Event`], beside the [`Context`]
//! that says which run it is of. A `tracing` subscriber sees three spans: `run` and `call` at the
//! level `INFO`, `request` at `DEBUG`, with what the events have as fields; and events where
//! something is refused or given up. Without a subscriber a span costs one comparison.
//!
//! Neither tells a secret, a setting, the path or query of a request, or what an answer says. The
//! exceptions are texts: a log line is what the component makes it, and a broken connection is told
//! in the transport's words. Spans have neither.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

pub use crate::contract::log::Level;

/// Which run an event is of. All of it may go into a log; as labels of a metric, `run` and
/// `account` have too many values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The run, as whoever embeds the host names it.
    pub run: String,
    /// Which account of the service the run is for: a hash of the connector's id and the settings,
    /// the same in each run. Runs of one account share a pace.
    pub account: String,
    /// The connector's id, as its descriptor has it.
    pub connector: String,
}

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
    /// A request was sent, and answered or not. One that is repeated is told each time.
    Request(Try<'a>),
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

/// One try of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try<'a> {
    /// The endpoint as the descriptor declares it: `GET /v1/orgs/{organization-id}/users`. Neither
    /// the value in the place of `{organization-id}` nor a query is ever in it.
    pub endpoint: &'a str,
    /// The call of the connector that it serves.
    pub call: Call,
    /// Which try of this request it is, from 1.
    pub number: u32,
    /// How it ended.
    pub ended: Ended,
    /// From sending to the end of the answer. Waiting for the pace is not in it.
    pub elapsed: Duration,
    /// The next try, if there is to be one.
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
    /// The connection could not be made, or broke.
    Connection,
    /// The server's certificate is not trusted.
    Untrusted,
    /// It is larger than an answer may be.
    TooLarge,
    /// The transport did not let the request out.
    Denied,
    /// The recorded traffic does not have it.
    Fixture,
    /// The call or the run ended before it came.
    Cancelled,
    /// Something else.
    Other,
}

/// That a request is tried once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next<'a> {
    /// The wait before.
    pub wait: Duration,
    /// Why it is tried once more.
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
        /// The page that is asked for, from 1, counted as [`Event::Page`] does.
        page: u64,
    },
    /// `validate`, because a collection found nobody.
    Diagnose,
}

/// Is told what happens. Called from the run itself: it must not block.
pub trait Observer: Send + Sync {
    /// Something happened in this run.
    fn event(&self, context: &Context, event: &Event<'_>);
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Silent;

/// Where the events of one run go.
#[derive(Clone)]
pub struct Events {
    observer: Arc<dyn Observer>,
    context: Arc<Context>,
    /// The run's span: it ends when nothing of the run is left.
    span: Span,
}

impl Events {
    /// Tells this observer. The run's span begins now, below the span in which this is called.
    pub fn new(observer: Arc<dyn Observer>, context: Context) -> Self {
        let Context { run, account, connector } = &context;
        let span = tracing::info_span!("run", run, account, connector);
        Self { observer, context: Arc::new(context), span }
    }

    /// Tells nobody: for a run that is for no account.
    #[must_use]
    pub fn nowhere() -> Self {
        let (observer, context) = (Arc::new(Silent), Arc::default());
        Self { observer, context, span: Span::none() }
    }

    /// Which run it is.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The run's span.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Tells that something happened.
    pub fn tell(&self, event: &Event<'_>) {
        self.observer.event(&self.context, event);
    }
}

impl Observer for Silent {
    fn event(&self, _: &Context, _: &Event<'_>) {}
}

impl Ended {
    /// The status, where there is an answer.
    #[must_use]
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(status),
            Self::Unanswered(_) => None,
        }
    }

    /// The bytes of the answer's body, where there is one.
    #[must_use]
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Answered { bytes, .. } => Some(bytes),
            Self::Unanswered(_) => None,
        }
    }

    /// Why there is no answer, where there is none.
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
            Self::Diagnose => "diagnose",
        }
    }

    /// The page, where the call asks for one.
    #[must_use]
    pub fn page(self) -> Option<u64> {
        match self {
            Self::Collect { page } => Some(page),
            _ => None,
        }
    }
}
