//! One request and all of its outcomes: an answer that is read, or a failure with a hint.
//!
//! The host's errors, unreadable answers and most statuses are the same for all services, so their
//! texts are here. A connector adds what only its vendor knows by implementing [`Call`].

use std::fmt;

use serde::de::DeserializeOwned;

use crate::contract::{
    Condition, Endpoint, Exhausted, Failure, FailureKind, HttpError, Method, Request, Response,
    SettingValue,
};
use crate::cursor::{self, BadLink};
use crate::host::Host;
use crate::json::{self, Unreadable};
use crate::mend::Mended;
use crate::text;

/// When an endpoint is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Where a setting has a value.
    Setting(&'static str, &'static str),
    /// In a run that collects usage.
    Usage,
}

/// An endpoint that a connector calls: its entry in the descriptor, and its name in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path below the base, with `{key}` in place of a setting's value.
    pub path: &'static str,
    /// Its purpose.
    pub purpose: &'static str,
    /// The scope that a key with scopes needs for it, if the vendor names one.
    pub scope: Option<&'static str>,
    /// When it is needed: where one of these holds, or always if there is none.
    pub when: &'static [Need],
    /// Headers that the host sends with it.
    pub request_headers: &'static [(&'static str, &'static str)],
    /// Headers of its answers that the connector reads.
    pub response_headers: &'static [&'static str],
}

impl Route {
    /// An endpoint that is read with `GET`.
    pub const fn get(
        path: &'static str,
        purpose: &'static str,
        scope: Option<&'static str>,
    ) -> Self {
        Self {
            method: Method::Get,
            path,
            purpose,
            scope,
            when: &[],
            request_headers: &[],
            response_headers: &[],
        }
    }

    /// An endpoint that is read with `POST`, for a search.
    pub const fn post(
        path: &'static str,
        purpose: &'static str,
        scope: Option<&'static str>,
    ) -> Self {
        Self { method: Method::Post, ..Self::get(path, purpose, scope) }
    }

    /// The same, needed only where one of these holds.
    #[must_use]
    pub const fn when(self, when: &'static [Need]) -> Self {
        Self { when, ..self }
    }

    /// The same, with headers that the host sends.
    #[must_use]
    pub const fn sending(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { request_headers: headers, ..self }
    }

    /// The same, with headers of the answer that the connector reads, in lower case.
    #[must_use]
    pub const fn reading(self, headers: &'static [&'static str]) -> Self {
        Self { response_headers: headers, ..self }
    }

    /// The endpoint as the descriptor declares it. A connector only reads, whatever the method.
    pub fn declared(&self) -> Endpoint {
        Endpoint {
            method: self.method,
            path: self.path.to_owned(),
            purpose: self.purpose.to_owned(),
            scope: self.scope.map(str::to_owned),
            read_only: true,
            when: self.when.iter().map(|need| need.declared()).collect(),
            request_headers: self
                .request_headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            response_headers: self.response_headers.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The path with values of settings filled in, percent-encoded, in the order of the path.
    pub fn path_of(&self, values: &[&str]) -> String {
        let mut path = String::with_capacity(self.path.len() + 64);
        let mut values = values.iter();
        let mut rest = self.path;
        while let Some((before, (_, after))) =
            rest.split_once('{').and_then(|(before, place)| Some((before, place.split_once('}')?)))
        {
            path.push_str(before);
            path.extend(values.next().copied().into_iter().flat_map(cursor::encoded));
            rest = after;
        }
        path + rest
    }
}

impl Need {
    fn declared(self) -> Condition {
        match self {
            Self::Setting(setting, value) => Condition::Setting(SettingValue {
                setting: setting.to_owned(),
                value: value.to_owned(),
            }),
            Self::Usage => Condition::Usage,
        }
    }
}

/// The name in messages: the method and the path, without any value of a setting.
impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.method == Method::Get { "GET " } else { "POST " })?;
        formatter.write_str(self.path)
    }
}

/// A call of a service, and the meaning of its answers.
pub trait Call {
    /// The result of a call that failed: [`Failure`], or a type that becomes one when more is
    /// known.
    type Refusal: From<Failure>;

    /// The name of the service, for messages.
    const SERVICE: &'static str;

    /// The endpoint that is called.
    fn route(&self) -> &'static Route;

    /// The meaning of an answer other than a 200. [`usual`] knows most statuses. A connector knows
    /// which setting is wrong if the key is refused or nothing is found, and reads the vendor's
    /// code.
    fn refused(&self, response: &Response) -> Self::Refusal;

    /// Whether the service itself refuses with a web page, at this status. Otherwise somebody in
    /// between does, and the secret is not to blame.
    fn refuses_with_a_page(_status: u16) -> bool {
        false
    }

    /// What an administrator can do about trouble that is the same for all services. A connector
    /// with a better hint, such as the vendor's status page, overrides it.
    fn hint(trouble: Trouble) -> &'static str {
        trouble.hint()
    }
}

/// What can go wrong with any service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The service, or the network on the way to it, does not work at the moment.
    Later,
    /// Too many requests.
    Busy,
    /// Something on the way answers in place of the service.
    InBetween,
    /// An answer that the connector does not recognize.
    Unknown,
    /// An answer that is larger than the host accepts.
    TooLarge,
    /// The host could not send the request at all.
    NotAsked,
    /// The host denies the request.
    Denied,
}

impl Trouble {
    /// What an administrator who is no engineer can do about it, for any service.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Later => {
                "Nothing is wrong with your settings. Try again later. If it stays like this for \
                 hours, look whether the service reports a fault, and ask the person who runs your \
                 network whether it can be reached."
            }
            Self::Busy => {
                "Try again later. If it happens often, ask the people who run other tools on the \
                 same account to spread their requests."
            }
            Self::InBetween => {
                "A proxy, a sign-in page or a maintenance page may stand between here and the \
                 service. Try again later; if it stays, ask the person who runs your network \
                 whether the service's API is let through unchanged."
            }
            Self::Unknown => {
                "Try again later. If it stays, send this message to the support of your SaaS \
                 management platform: the connector has to learn this answer."
            }
            Self::TooLarge => {
                "Send this message to the support of your SaaS management platform: it has to take \
                 larger answers."
            }
            Self::NotAsked => {
                "Send this message to the support of your SaaS management platform: nothing is \
                 wrong with your settings."
            }
            Self::Denied => {
                "Ask the person who runs the SaaS management platform to allow the requests that \
                 this connector declares."
            }
        }
    }
}

/// Sends a request, and reads the body of a 200.
///
/// # Errors
///
/// If there is no answer, another status, or an unreadable answer: the failure from [`Call`].
pub fn send<C: Call, T>(
    host: &mut dyn Host,
    request: &Request,
    call: &C,
    mut read: impl FnMut(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, C::Refusal> {
    send_whole(host, request, call, |response, _| read(&response.body))
}

/// Sends a request, and reads a 200 with its headers, of which the host passes those that the
/// [`Route`] declares. Where one odd value makes the answer unreadable, it is mended and read
/// again; the reader is told how many values are left out of it so far, for
/// [`mend::note`](crate::mend::note).
///
/// # Errors
///
/// As [`send`].
pub fn send_whole<C: Call, T>(
    host: &mut dyn Host,
    request: &Request,
    call: &C,
    mut read: impl FnMut(&Response, usize) -> Result<T, Unreadable>,
) -> Result<T, C::Refusal> {
    let mut response = host.send(request).map_err(|error| unanswered(call, error))?;
    if response.status != 200 {
        return Err(match response.status {
            400..=499 if is_web_page(&response) && !C::refuses_with_a_page(response.status) => {
                web_page(call, response.status).into()
            }
            _ => call.refused(&response),
        });
    }
    let mut mended = Mended::default();
    loop {
        match read(&response, mended.left_out()) {
            Ok(value) => {
                mended.log(host, call.route());
                return Ok(value);
            }
            Err(reason) if mended.mend(&mut response.body, &reason) => {}
            Err(reason) => return Err(unreadable(call, reason).into()),
        }
    }
}

/// Whether a refusal is a web page. The page of a filter or of a sign-in says nothing of the
/// secret.
fn is_web_page(response: &Response) -> bool {
    let is_html = |kind: &str| kind.as_bytes().starts_with(b"text/html");
    match json::start(&response.body).first() {
        None | Some(b'{' | b'[') => false,
        Some(b'<') => true,
        Some(_) => response.header("content-type").is_some_and(is_html),
    }
}

/// Requests a path with its query, and reads the answer with the connector's own reader, for
/// example into a page that borrows from the body.
///
/// # Errors
///
/// As [`send`].
pub fn get<C: Call, T>(
    host: &mut dyn Host,
    path_with_query: String,
    call: &C,
    read: impl FnMut(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, C::Refusal> {
    send(host, &Request::get(path_with_query), call, read)
}

/// Reads with `POST` and a body, JSON that [`json::quoted`] helps to write, by a reader of the
/// connector's own.
///
/// # Errors
///
/// As [`send`].
pub fn post<C: Call, T>(
    host: &mut dyn Host,
    path_with_query: String,
    body: String,
    call: &C,
    read: impl FnMut(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, C::Refusal> {
    send(host, &Request::post(path_with_query, body), call, read)
}

/// Requests a path with its query, and reads the answer as JSON.
///
/// # Errors
///
/// As [`send`].
pub fn get_json<C: Call, T: DeserializeOwned>(
    host: &mut dyn Host,
    path_with_query: String,
    call: &C,
) -> Result<T, C::Refusal> {
    get(host, path_with_query, call, |body| json::read(body))
}

/// The failure for an answer whose status means the same for every service.
pub fn usual<C: Call>(call: &C, response: &Response) -> Failure {
    let (service, route, status) = (C::SERVICE, call.route(), response.status);
    match status {
        429 => too_many(call, retry_after(response)),
        408 | 425 | 500..=599 => unavailable(call, status, retry_after(response)),
        300..=399 => unexpected::<C>(
            format!(
                "{service} answered {route} with a redirect ({status}), which is not followed."
            ),
            Trouble::InBetween,
        ),
        400..=499 => unexpected::<C>(
            format!("{service} refused {route} with status {status}."),
            Trouble::Unknown,
        ),
        _ => unexpected::<C>(
            format!("{service} answered {route} with status {status}, which it does not document."),
            Trouble::InBetween,
        ),
    }
}

/// The failure for a list that does not end: page after page without a member.
pub fn endless<C: Call>(call: &C, pages: u32) -> Failure {
    let route = call.route();
    unexpected::<C>(
        format!(
            "{route} gave {pages} pages in a row without an account, and the list does not end."
        ),
        Trouble::Unknown,
    )
}

/// The failure for a cursor that this connector did not give.
pub fn foreign_cursor(hint: &str) -> Failure {
    let message = "This connector did not give out the cursor.";
    Failure::new(FailureKind::CursorExpired, message, hint)
}

fn unanswered<C: Call>(call: &C, error: HttpError) -> Failure {
    let (service, route) = (C::SERVICE, call.route());
    let failure = |kind, message, trouble| Failure::new(kind, message, C::hint(trouble));
    match error {
        HttpError::Denied(rule) => {
            let rule = text::note(&rule);
            let message = format!("The request {route} is not allowed here: {rule}");
            failure(FailureKind::Other, message, Trouble::Denied)
        }
        HttpError::TimedOut => {
            let message = format!("{service} did not answer {route} in time.");
            failure(FailureKind::Upstream, message, Trouble::Later)
        }
        HttpError::ConnectionFailed(reason) => {
            let reason = text::note(&reason);
            let message = format!("The connection to {service} failed for {route}: {reason}");
            failure(FailureKind::Upstream, message, Trouble::Later)
        }
        HttpError::Unavailable(Exhausted { status, retry_after_seconds }) => {
            unavailable(call, status, retry_after_seconds)
        }
        HttpError::RateLimited(Exhausted { retry_after_seconds, .. }) => {
            too_many(call, retry_after_seconds)
        }
        HttpError::TooLarge(bytes) => {
            let bytes = text::grouped(bytes);
            let message =
                format!("The answer to {route} is larger than the limit ({bytes} bytes).");
            unexpected::<C>(message, Trouble::TooLarge)
        }
        HttpError::Other(reason) => {
            let message = format!("{route} could not be asked: {}", text::note(&reason));
            failure(FailureKind::Other, message, Trouble::NotAsked)
        }
    }
}

fn unreadable<C: Call>(call: &C, reason: Unreadable) -> Failure {
    let (between, unknown) = (C::hint(Trouble::InBetween), C::hint(Trouble::Unknown));
    let shape;
    let mut blamed = None;
    let (what, hint) = match reason {
        Unreadable::WebPage => ("is a web page, not data", between),
        Unreadable::Encoding => ("is not UTF-8 text", between),
        Unreadable::Syntax => ("is not JSON that can be read", between),
        Unreadable::CutShort => ("is empty or cut short", between),
        Unreadable::Shape(place) => {
            shape = format!("is of another shape than documented: {place}");
            (shape.as_str(), unknown)
        }
        Unreadable::Unusable { what, hint, setting } => {
            blamed = setting;
            (what, hint)
        }
        Unreadable::Next(BadLink::Repeated) => {
            ("leads back to itself: the list would never end", unknown)
        }
        Unreadable::Next(
            BadLink::NoCursor | BadLink::Malformed | BadLink::TooLong | BadLink::NotText,
        ) => ("has a link to the next page that cannot be used", unknown),
    };
    let message = format!("The answer to {} {what}.", call.route());
    let failure = Failure::new(FailureKind::UnexpectedResponse, message, hint);
    match blamed {
        Some(setting) => failure.at(setting),
        None => failure,
    }
}

fn web_page<C: Call>(call: &C, status: u16) -> Failure {
    let (service, route) = (C::SERVICE, call.route());
    unexpected::<C>(
        format!("A web page answered {route} with status {status}, not {service}."),
        Trouble::InBetween,
    )
}

fn unexpected<C: Call>(message: String, trouble: Trouble) -> Failure {
    Failure::new(FailureKind::UnexpectedResponse, message, C::hint(trouble))
}

fn too_many<C: Call>(call: &C, retry_after_seconds: Option<u64>) -> Failure {
    let (service, route) = (C::SERVICE, call.route());
    let message = format!("{service} keeps asking for fewer requests (429 from {route}).");
    Failure::new(FailureKind::RateLimited, message, C::hint(Trouble::Busy))
        .retry_after(retry_after_seconds)
}

fn unavailable<C: Call>(call: &C, status: u16, retry_after_seconds: Option<u64>) -> Failure {
    let (service, route) = (C::SERVICE, call.route());
    let message = format!("{service} has a fault at the moment ({status} from {route}).");
    Failure::new(FailureKind::Upstream, message, C::hint(Trouble::Later))
        .retry_after(retry_after_seconds)
}

/// The wait in the answer, if it is in seconds: a date would need a clock.
fn retry_after(response: &Response) -> Option<u64> {
    response.header("retry-after")?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
