//! Applies the faults that are not about pages: spoils an answer, or its delivery to the client.
//!
//! The result is a `Delivery`. `service` turns it into a response, and the server breaks the
//! connection if it says so.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::{HeaderName, StatusCode, header};
use flate2::{Compression, write::GzEncoder};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::Fault;
use super::answers::{Answer, SIGN_IN_PAGE};

/// How an answer reaches the client.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Not at all, and the connection stays open.
    Never,
    /// Not at all, and the connection ends.
    Dropped,
    /// With these headers and this body.
    Sent {
        status: StatusCode,
        content_type: &'static str,
        headers: Vec<(HeaderName, String)>,
        body: Wire,
    },
}

/// Delivers an answer with the first of the faults that concerns delivery.
pub(super) fn deliver(
    answer: Answer,
    faults: &[Fault],
    path: &str,
    cursor: Option<&str>,
) -> Delivery {
    for fault in faults {
        if let Some(delivery) = spoil(&answer, fault, path, cursor) {
            return delivery;
        }
    }
    sent(answer, Wire::whole)
}

/// Packs a body as `Content-Encoding: gzip` asks.
pub(super) fn gzip(body: &[u8], padding: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut left = padding;
    // Writing to memory cannot fail; missing data would appear as a broken stream at the client.
    let mut written = encoder.write_all(body);
    while left > 0 && written.is_ok() {
        let chunk = usize::try_from(left).map_or(PADDING.len(), |left| left.min(PADDING.len()));
        written = encoder.write_all(PADDING.get(..chunk).unwrap_or_default());
        left -= chunk as u64;
    }
    encoder.finish().unwrap_or_default()
}

fn spoil(answer: &Answer, fault: &Fault, path: &str, cursor: Option<&str>) -> Option<Delivery> {
    let answer = || answer.clone();
    Some(match fault {
        Fault::Status(error) => sent(Answer::error(error, path), Wire::whole),
        Fault::CursorExpired if cursor.is_some() => {
            sent(Answer::coded(StatusCode::BAD_REQUEST, "ADMIN-400-1"), Wire::whole)
        }
        Fault::Drop => Delivery::Dropped,
        Fault::Stall => Delivery::Never,
        Fault::DropBody => {
            sent(answer(), |body| Wire::half(body, Ending::Broken { waited: false }))
        }
        Fault::StallBody => sent(answer(), |body| Wire::half(body, Ending::Never)),
        Fault::Html => sent(Answer::html(StatusCode::OK, SIGN_IN_PAGE), Wire::whole),
        Fault::Truncated => {
            let mut answer = answer();
            answer.body.truncate(answer.body.len() / 2);
            sent(answer, Wire::whole)
        }
        Fault::WrongTypes => sent(Answer::json(WRONG_TYPES.into()), Wire::whole),
        Fault::InvalidUtf8 => {
            let mut answer = answer();
            answer.body = invalid_utf8(&answer.body);
            sent(answer, Wire::whole)
        }
        Fault::Nested { depth } => sent(Answer::json(nested(*depth)), Wire::whole),
        Fault::Oversized { bytes, told } => {
            sent(answer(), |body| Wire::padded(body, *bytes, *told))
        }
        Fault::GzipBomb { bytes } => {
            let mut answer = answer();
            answer.body = gzip(&answer.body, bytes.saturating_sub(answer.body.len() as u64));
            answer.headers.push((header::CONTENT_ENCODING, "gzip".to_owned()));
            sent(answer, Wire::whole)
        }
        Fault::Errors => {
            let mut answer = answer();
            answer.body = with_errors(&answer.body);
            sent(answer, Wire::whole)
        }
        Fault::EmptyBody => sent(Answer::json(Vec::new()), Wire::whole),
        Fault::Redirect { to } => {
            let mut answer = Answer::html(StatusCode::FOUND, "");
            answer.headers.push((header::LOCATION, to.clone()));
            sent(answer, Wire::whole)
        }
        _ => return None,
    })
}

fn sent(answer: Answer, wire: impl FnOnce(Vec<u8>) -> Wire) -> Delivery {
    let Answer { status, content_type, headers, body } = answer;
    Delivery::Sent { status, content_type, headers, body: wire(body) }
}

/// Wrong for every call: a list in place of an object, numbers and lists in place of strings.
const WRONG_TYPES: &str = r#"{"data":[{"id":17,"type":["users"],"account_id":17,"account_type":{},"account_status":1,"name":[17],"attributes":"none","product_access":"all"}],"meta":{"total":"many"},"links":{"next":5}}"#;

/// Puts a field before the others of an object.
fn with_errors(body: &[u8]) -> Vec<u8> {
    const ERRORS: &[u8] = br#"{"errors":[{"code":"ADMIN-500-1"}],"#;
    [ERRORS, body.trim_ascii_start().get(1..).unwrap_or_default()].concat()
}

/// Puts two bytes that never occur in UTF-8 at the start of the first name, or of a new string.
fn invalid_utf8(body: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"\"name\":\"";
    let name = body.windows(NAME.len()).position(|window| window == NAME).map(|at| at + NAME.len());
    let (at, bytes): (usize, &[u8]) = match name {
        Some(at) => (at, b"\xFF\xFE"),
        None => (body.len().min(1), b"\"data\":\"\xFF\xFE\","),
    };
    let (before, after) = body.split_at(at);
    [before, bytes, after].concat()
}

fn nested(depth: usize) -> Vec<u8> {
    [&b"{\"data\":"[..], &b"[".repeat(depth), &b"]".repeat(depth), b"}"].concat()
}

/// White space to pad a body with, one piece at a time.
static PADDING: [u8; 64 * 1024] = [b' '; 64 * 1024];

/// A body during delivery.
#[derive(Debug)]
pub(super) struct Wire {
    bytes: Bytes,
    padding: u64,
    ending: Ending,
    length: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The body is complete.
    Complete,
    /// The connection breaks once everything before has been written.
    Broken { waited: bool },
    /// Nothing more comes.
    Never,
}

impl Wire {
    fn whole(body: Vec<u8>) -> Wire {
        let length = Some(body.len() as u64);
        Wire { bytes: body.into(), padding: 0, ending: Ending::Complete, length }
    }

    /// The first half of a body whose whole length was announced.
    fn half(body: Vec<u8>, ending: Ending) -> Wire {
        let bytes = Bytes::from(body);
        Wire {
            length: Some(bytes.len() as u64),
            bytes: bytes.slice(..bytes.len() / 2),
            padding: 0,
            ending,
        }
    }

    fn padded(body: Vec<u8>, bytes: u64, told: bool) -> Wire {
        let padding = bytes.saturating_sub(body.len() as u64);
        let length = told.then_some(body.len() as u64 + padding);
        Wire { bytes: body.into(), padding, ending: Ending::Complete, length }
    }

    /// Packs the body, if it is complete.
    pub(super) fn gzipped(&mut self) -> bool {
        let whole = self.padding == 0 && self.ending == Ending::Complete && !self.bytes.is_empty();
        if whole {
            *self = Wire::whole(gzip(&self.bytes, 0));
        }
        whole
    }
}

impl Body for Wire {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))));
        }
        if self.padding > 0 {
            let chunk =
                usize::try_from(self.padding).map_or(PADDING.len(), |left| left.min(PADDING.len()));
            self.padding -= chunk as u64;
            let spaces = Bytes::from_static(&PADDING).slice(..chunk);
            return Poll::Ready(Some(Ok(Frame::data(spaces))));
        }
        match self.ending {
            Ending::Complete => Poll::Ready(None),
            Ending::Never => Poll::Pending,
            Ending::Broken { waited: true } => Poll::Ready(Some(Err(BrokenOff))),
            Ending::Broken { waited: false } => {
                self.ending = Ending::Broken { waited: true };
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.padding == 0 && self.ending == Ending::Complete
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The connection is broken off on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken off on purpose")]
pub(super) struct BrokenOff;

impl From<Infallible> for BrokenOff {
    fn from(never: Infallible) -> BrokenOff {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn usual() -> Answer {
        Answer::json(br#"{"data":[{"name":"Amara"}],"links":{}}"#.to_vec())
    }

    fn body_after(fault: Fault) -> Vec<u8> {
        match deliver(usual(), &[fault], "/p", None) {
            Delivery::Sent { body, .. } => body.bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn spoiled_json_is_spoiled_as_its_name_says() {
        assert!(
            serde_json::from_slice::<serde_json::Value>(&body_after(Fault::Truncated)).is_err()
        );
        assert!(
            serde_json::from_slice::<serde_json::Value>(&body_after(Fault::WrongTypes)).is_ok()
        );
        assert!(std::str::from_utf8(&body_after(Fault::InvalidUtf8)).is_err());
        assert!(
            String::from_utf8_lossy(&body_after(Fault::InvalidUtf8))
                .contains("\"name\":\"\u{FFFD}\u{FFFD}Amara")
        );
        assert_eq!(body_after(Fault::Nested { depth: 3 }), br#"{"data":[[[]]]}"#);
        assert_eq!(body_after(Fault::EmptyBody), b"");
        assert!(body_after(Fault::Html).starts_with(b"<!doctype html>"));
    }

    #[test]
    fn a_name_is_not_needed_to_spoil_the_text() {
        assert!(std::str::from_utf8(&invalid_utf8(b"{}")).is_err());
        assert!(std::str::from_utf8(&invalid_utf8(b"")).is_err());
    }

    #[test]
    fn a_bomb_unpacks_to_the_length_asked_for() {
        let packed = body_after(Fault::GzipBomb { bytes: 1 << 20 });
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(packed.len() < 16 * 1024, "{}", packed.len());
        assert_eq!(unpacked.len(), 1 << 20);
        assert!(serde_json::from_slice::<serde_json::Value>(&unpacked).is_ok());
    }

    #[test]
    fn an_expired_cursor_spares_requests_without_one() {
        let status = |cursor| match deliver(usual(), &[Fault::CursorExpired], "/p", cursor) {
            Delivery::Sent { status, .. } => status.as_u16(),
            other => panic!("{other:?}"),
        };
        assert_eq!((status(None), status(Some("c"))), (200, 400));
    }

    #[test]
    fn the_first_fault_of_delivery_counts() {
        let faults = [Fault::Duplicate, Fault::Drop, Fault::Html];
        assert!(matches!(deliver(usual(), &faults, "/p", None), Delivery::Dropped));
    }
}
