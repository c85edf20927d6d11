//! A raw HTTP/1.1 client that hides nothing: it reports how an answer ended, and never retries,
//! follows redirects or decompresses.
//!
//! One connection per request. It waits for at most [`PATIENCE`] between two pieces of an answer.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test helper fails by panicking"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use smp_tests::mock::Mock;

/// Long enough for a busy machine to answer.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to see that nothing comes, short enough to wait for.
pub const IMPATIENCE: Duration = Duration::from_millis(300);

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything that was announced has come.
    Complete,
    /// The connection ended before that.
    CutShort,
    /// Nothing more came.
    Silence,
}

/// The answer.
#[derive(Debug)]
pub struct Reply {
    /// 0 if there was no head.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub end: End,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The cursor of the next page, decoded once.
    pub fn next_cursor(&self) -> Option<String> {
        let json = self.json();
        let link = json["links"]["next"].as_str()?;
        let (_, cursor) = link.split_once("cursor=").unwrap();
        Some(percent_encoding::percent_decode_str(cursor).decode_utf8().unwrap().into_owned())
    }

    /// The account identifiers on the page.
    pub fn ids(&self) -> Vec<String> {
        let json = self.json();
        let members = json["data"].as_array().unwrap();
        members.iter().map(|member| member["account_id"].as_str().unwrap().to_owned()).collect()
    }
}

/// Requests a path below the organization, with the right key: `""`, `/users`, `/domains`.
pub fn ask(mock: &Mock, call: &str) -> Reply {
    get(mock, &format!("/admin/v1/orgs/{}{call}", mock.organization().id))
}

/// Requests a page of users.
pub fn users(mock: &Mock, cursor: Option<&str>) -> Reply {
    let encoded = cursor.map(|cursor| {
        percent_encoding::utf8_percent_encode(cursor, percent_encoding::NON_ALPHANUMERIC)
    });
    ask(mock, &encoded.map_or("/users".to_owned(), |cursor| format!("/users?cursor={cursor}")))
}

/// Requests all pages of users, at most this many.
pub fn sweep(mock: &Mock, pages: usize) -> Vec<Reply> {
    let mut replies = vec![users(mock, None)];
    while replies.len() < pages {
        let Some(cursor) = replies.last().and_then(Reply::next_cursor) else { break };
        replies.push(users(mock, Some(&cursor)));
    }
    replies
}

/// Requests a path with the right key.
pub fn get(mock: &Mock, path: &str) -> Reply {
    send(mock, "GET", path, &[("Authorization", &format!("Bearer {}", mock.key()))], PATIENCE)
}

/// Sends a request with these headers.
pub fn send(
    mock: &Mock,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    patience: Duration,
) -> Reply {
    let mut stream = TcpStream::connect(mock.address()).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    exchange(&mut stream, method, path, headers)
}

/// Writes a request and reads until the end.
pub fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Reply {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 64 * 1024];
    let silent = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break false,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break true;
            }
            Err(_) => break false,
        }
    };
    parse(&bytes, if silent { End::Silence } else { End::CutShort })
}

fn parse(bytes: &[u8], incomplete: End) -> Reply {
    let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Reply { status: 0, headers: Vec::new(), body: bytes.to_vec(), end: incomplete };
    };
    let head = std::str::from_utf8(&bytes[..at]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut reply = Reply { status, headers, body: bytes[at + 4..].to_vec(), end: incomplete };
    if let Some(length) = reply.header("content-length") {
        if reply.body.len() == length.parse::<usize>().unwrap() {
            reply.end = End::Complete;
        }
    } else if reply.header("transfer-encoding") == Some("chunked") {
        let (body, complete) = unchunk(&reply.body);
        reply.body = body;
        if complete {
            reply.end = End::Complete;
        }
    }
    reply
}

fn unchunk(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(at) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..at]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = bytes.get(at + 2..at + 2 + size) else { break };
        body.extend_from_slice(chunk);
        bytes = bytes.get(at + 4 + size..).unwrap_or_default();
    }
    (body, false)
}
