//! Renders a request as a line: endpoint, answer, duration and call.

use std::time::Duration;

use smp_host::observer::{Ended, Fault, Try};
use smp_host::text;

/// The line. The endpoint is the component's own text, and is escaped.
pub(crate) fn line(sent: &Try<'_>) -> String {
    let endpoint = text::shortened(sent.endpoint, 200);
    let ended = match sent.ended {
        Ended::Answered { status, bytes } => format!("{status}  {}", size(bytes)),
        Ended::Unanswered(fault) => words(fault).to_owned(),
        _ => String::new(),
    };
    let purpose = match sent.call.page() {
        Some(page) => format!("page {}", text::grouped(page)),
        None => sent.call.as_str().to_owned(),
    };
    let again = if sent.number > 1 { format!("  try {}", sent.number) } else { String::new() };
    format!("{endpoint}  {ended}  {}  {purpose}{again}", time(sent.elapsed))
}

fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::TimedOut => "no answer in time",
        Fault::Connection => "no connection",
        Fault::Untrusted => "the certificate is not trusted",
        Fault::TooLarge => "the answer is too large",
        Fault::Denied => "denied",
        Fault::Fixture => "not in the fixture",
        Fault::Cancelled => "not waited for",
        _ => "no answer",
    }
}

/// A size in the largest unit of which it has at least one.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", text::grouped(bytes / 1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

fn time(elapsed: Duration) -> String {
    match elapsed.as_millis() {
        milliseconds @ 0..10_000 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", elapsed.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use smp_host::observer::Call;

    use super::*;

    #[test]
    fn a_request_is_a_line() {
        let users = "GET /v1/orgs/{organization-id}/users";
        let page = Call::Collect { page: 3 };
        let answered = |status, bytes| Ended::Answered { status, bytes };
        for (call, number, ended, milliseconds, rest) in [
            (page, 1, answered(200, 75_321), 52, "200  75 kB  52 ms  page 3"),
            (page, 2, answered(503, 0), 9_999, "503  0 B  9999 ms  page 3  try 2"),
            (Call::Validate, 1, answered(200, 999), 0, "200  999 B  0 ms  validate"),
            (Call::Diagnose, 1, answered(403, 1_950_000), 12, "403  1.9 MB  12 ms  diagnose"),
            (
                Call::Connect,
                6,
                Ended::Unanswered(Fault::TimedOut),
                30_000,
                "no answer in time  30.0 s  connect  try 6",
            ),
        ] {
            let elapsed = Duration::from_millis(milliseconds);
            let (endpoint, paced) = (users, Duration::ZERO);
            let sent = Try { endpoint, call, number, ended, elapsed, paced, next: None };
            assert_eq!(line(&sent), format!("{users}  {rest}"));
        }
    }

    #[test]
    fn an_endpoint_cannot_steer_the_terminal() {
        let (call, ended) = (Call::Validate, Ended::Unanswered(Fault::Other));
        let (endpoint, elapsed, paced) = ("GET /\u{1b}[2J", Duration::ZERO, Duration::ZERO);
        let sent = Try { endpoint, call, number: 1, ended, elapsed, paced, next: None };
        assert_eq!(line(&sent), "GET /\\u{1b}[2J  no answer  0 ms  validate");
    }
}
