//! The faults of the mock.
//!
//! This is only the catalogue: `grammar` has the text of each fault, `rule` says to which requests
//! one applies, and `misbehave` applies it.

use std::time::Duration;

use super::Field;

/// The largest body of a fault: enough for any client's limit, and small enough for a developer's
/// machine.
pub const BODY_LIMIT: u64 = 1 << 30;
/// The deepest nesting of a fault: far beyond the limit of any JSON parser.
pub const DEPTH_LIMIT: usize = 10_000_000;

/// A fault of an answer.
///
/// The page faults, from [`Fault::NextElsewhere`] on, change the content of an answer; several of
/// them may apply to one request. The others replace the answer or spoil its delivery; the first
/// one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An error status with a body. `status-NNN`
    Status(ErrorAnswer),
    /// The connection ends before the answer. `drop`
    Drop,
    /// The connection ends in the middle of the body. `drop-body`
    DropBody,
    /// The answer never comes. `stall`
    Stall,
    /// The body stops half-way and the connection stays open. `stall-body`
    StallBody,
    /// The right answer, late. `slow;ms=N`
    Slow(Duration),
    /// A proxy's sign-in page with status 200. `html`
    Html,
    /// The right answer with status 200, cut in half; its length matches the half. `truncated`
    Truncated,
    /// JSON with status 200 in which fields have other types. `wrong-types`
    WrongTypes,
    /// The right answer with invalid UTF-8 in a string. `invalid-utf8`
    InvalidUtf8,
    /// JSON with status 200 whose `data` has this many nested lists. `nested[;depth=N]`
    Nested {
        /// Number of lists.
        depth: usize,
    },
    /// The right answer with white space after it. `oversized[;bytes=N][;length=told|untold]`
    Oversized {
        /// Least length of the body.
        bytes: u64,
        /// Whether `Content-Length` announces it.
        told: bool,
    },
    /// The same, small on the wire: `Content-Encoding: gzip`, requested or not.
    /// `gzip-bomb[;bytes=N]`
    GzipBomb {
        /// Least length of the body once unpacked.
        bytes: u64,
    },
    /// The right answer with `errors` beside its data. `errors`
    Errors,
    /// Status 200 without a body. `empty-body`
    EmptyBody,
    /// Status 302 to another URL. `redirect[;to=URL]`
    Redirect {
        /// The `Location`.
        to: String,
    },
    /// The next page is at another origin. `next-elsewhere[;origin=ORIGIN]`
    NextElsewhere {
        /// Scheme and host that the link begins with.
        origin: String,
    },
    /// The next page is this very page. `same-cursor`
    SameCursor,
    /// There is always a next page: after the last member comes the first. `endless`
    Endless,
    /// There is always a next page: after the last member, empty ones. `endless-empty`
    EndlessEmpty,
    /// An empty page comes before this one; nothing is lost. `empty-page`
    EmptyPage,
    /// A cursor is refused as invalid; a request without one is answered. `cursor-expired`
    CursorExpired,
    /// The total is wrong. `total;value=absent|null|N|+N|-N`
    Total(Total),
    /// A page begins with the last item of the page before. `duplicate`
    Duplicate,
    /// The list has moved: the page begins this much later (items are lost) or earlier (repeated).
    /// `shifted[;by=N]`
    Shifted {
        /// Number of items, negative for earlier.
        by: i64,
    },
}

/// An error status with its body and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// Status.
    pub status: u16,
    /// Form of the body.
    pub shape: Shape,
    /// The vendor's code, for the forms that have one.
    pub code: Option<String>,
    /// Text, in place of the usual one of the form.
    pub message: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<RetryAfter>,
    /// `X-RateLimit-Reset`, this many seconds from now.
    pub reset: Option<u64>,
}

/// The forms of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{"code","message"}`, as the gateway writes it. `gateway`
    Gateway,
    /// `{"errors":[{"id","status","code","title","detail"}]}`. `wrapped`
    Wrapped,
    /// One such error without the list around it. `bare`
    Bare,
    /// `{"timestamp","path","status","error","message","requestId"}`. `access`
    Access,
    /// A page for people. `html`
    Html,
    /// No body. `none`
    None,
}

/// The form of a requested wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// In seconds. `retry-after=N`
    Seconds(u64),
    /// As an HTTP date this many seconds from now. `retry-after=date+N`
    Date(u64),
}

/// The total of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// `meta` is absent.
    Absent,
    /// `null`.
    Null,
    /// This number.
    Exactly(u64),
    /// The right number and this, never below zero.
    Off(i64),
}

impl Total {
    /// What is told in place of the right number.
    pub(super) fn of(self, right: u64) -> Field<u64> {
        match self {
            Total::Absent => Field::Absent,
            Total::Null => Field::Null,
            Total::Exactly(number) => Field::Value(number),
            Total::Off(by) => Field::Value(right.saturating_add_signed(by)),
        }
    }
}

impl Fault {
    /// An error status in its usual form.
    pub fn status(status: u16) -> Fault {
        ErrorAnswer::new(status).into()
    }

    /// 401 as for a wrong, expired or revoked key.
    pub fn unauthorized() -> Fault {
        Fault::status(401)
    }

    /// 401 as for a key that lacks a scope.
    pub fn missing_scope() -> Fault {
        ErrorAnswer::new(401).message("Unauthorized; scope does not match").into()
    }

    /// 403 as for a key whose maker is not an organization admin.
    pub fn access_denied() -> Fault {
        Fault::status(403)
    }

    /// 403 `ADMIN-403-3`: not allowed to manage the organization.
    pub fn not_allowed() -> Fault {
        ErrorAnswer::new(403).code("ADMIN-403-3").into()
    }

    /// 404 `ADMIN-404-2`: there is no such organization.
    pub fn organization_not_found() -> Fault {
        ErrorAnswer::new(404).code("ADMIN-404-2").into()
    }

    /// 404 as for a path that does not exist.
    pub fn no_route() -> Fault {
        ErrorAnswer::new(404).shape(Shape::Gateway).message("failed to match any route").into()
    }

    /// 400 `ADMIN-400-1`: an invalid cursor.
    pub fn invalid_cursor() -> Fault {
        ErrorAnswer::new(400).code("ADMIN-400-1").into()
    }

    /// 429 with a wait in seconds.
    pub fn rate_limited(seconds: u64) -> Fault {
        ErrorAnswer::new(429).retry_after(RetryAfter::Seconds(seconds)).into()
    }
}

impl From<ErrorAnswer> for Fault {
    fn from(answer: ErrorAnswer) -> Fault {
        Fault::Status(answer)
    }
}

impl ErrorAnswer {
    /// A status in its usual form: the gateway's for 401 and 429, the access form for 403, a page
    /// for people for 502 to 504, the wrapped form for any other.
    pub fn new(status: u16) -> ErrorAnswer {
        let shape = match status {
            401 | 429 => Shape::Gateway,
            403 => Shape::Access,
            502..=504 => Shape::Html,
            _ => Shape::Wrapped,
        };
        ErrorAnswer { status, shape, code: None, message: None, retry_after: None, reset: None }
    }

    /// With this code, in the wrapped form.
    pub fn code(mut self, code: &str) -> ErrorAnswer {
        self.code = Some(code.to_owned());
        self.shape = Shape::Wrapped;
        self
    }

    /// In this form.
    pub fn shape(mut self, shape: Shape) -> ErrorAnswer {
        self.shape = shape;
        self
    }

    /// With this text.
    pub fn message(mut self, message: &str) -> ErrorAnswer {
        self.message = Some(message.to_owned());
        self
    }

    /// With a `Retry-After`.
    pub fn retry_after(mut self, wait: RetryAfter) -> ErrorAnswer {
        self.retry_after = Some(wait);
        self
    }

    /// With an `X-RateLimit-Reset` this many seconds from now.
    pub fn reset(mut self, seconds: u64) -> ErrorAnswer {
        self.reset = Some(seconds);
        self
    }
}
