//! A server that repeats the key in every answer, like a careless gateway. It has no tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// How the server repeats the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// In members, names and cursors.
    Data,
    /// The same, with the escapes that JSON allows.
    Escaped,
    /// In an error with this status.
    Error(u16),
}

/// A server that runs until it is dropped.
pub(crate) struct Echo {
    address: SocketAddr,
    repeated: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (repeated, stopping) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, stopped) = (Arc::clone(&repeated), Arc::clone(&stopping));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A connection that breaks concerns only its client.
                let _answered = stream.and_then(|stream| answer(stream, manner, &counted));
            }
        });
        Self { address, repeated, stopping, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Number of answers that contained the key.
    pub(crate) fn repeated(&self) -> usize {
        self.repeated.load(Ordering::SeqCst)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // One more connection wakes the thread.
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn answer(mut stream: TcpStream, manner: Manner, repeated: &AtomicUsize) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let target = lines.next().transpose()?.unwrap_or_default();
    let mut key = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("authorization")
        {
            key = value.strip_prefix("Bearer ").map(str::to_owned);
        }
    }
    // A request without a key gets an answer without one.
    let key = key.unwrap_or_else(|| "none".into());
    repeated.fetch_add(usize::from(key == super::search::KEY), Ordering::SeqCst);
    let (status, body) = answered(&target, manner, &key);
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json; \
         key={key}\r\nX-RateLimit-Reset: {key}\r\nX-RateLimit-Limit: {key}\r\nRetry-After: \
         {key}\r\nX-Echo: Bearer {key}\r\nSet-Cookie: key={key}\r\nContent-Length: \
         {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn answered(target: &str, manner: Manner, key: &str) -> (u16, String) {
    let path = target.split(' ').nth(1).unwrap_or_default();
    let key = if manner == Manner::Escaped {
        key.replace('u', "\\u0075").replace('=', "\\u003d").replace('-', "\\u002D")
    } else {
        key.to_owned()
    };
    if let Manner::Error(status) = manner {
        let body = format!(
            r#"{{"errors":[{{"id":"{key}","status":"{status}","code":"{key}","title":"{key}","detail":"Bearer {key}"}}]}}"#
        );
        return (status, body);
    }
    let id = "repeating";
    let body = match path.split_once('?').map_or(path, |(path, _)| path) {
        "/admin/v1/orgs" => format!(
            r#"{{"data":[{{"id":"{id}","type":"orgs","attributes":{{"name":"{key}"}}}}],"links":{{}}}}"#
        ),
        path if path.ends_with("/users") => {
            let further = target.contains("cursor=");
            let (number, next) = (
                u8::from(further),
                if further {
                    String::new()
                } else {
                    format!(r#","next":"https://x.test/?cursor={key}""#)
                },
            );
            format!(
                r#"{{"data":[{{"account_id":"{number}","account_type":"atlassian","account_status":"{key}","name":"{key}","email":"{key}@x.test",
                "product_access":[{{"key":"{key}","name":"{key}","url":"https://{key}.x.test/"}}]}}],"meta":{{"total":2}},"links":{{"self":"{key}"{next}}}}}"#
            )
        }
        path if path.ends_with("/domains") => format!(
            r#"{{"data":[{{"id":"{key}","type":"domains","attributes":{{"name":"{key}","claim":{{"type":"dns","status":"verified"}}}}}}],"links":{{}}}}"#
        ),
        _ => format!(r#"{{"data":{{"id":"{id}","type":"orgs","attributes":{{"name":"{key}"}}}}}}"#),
    };
    (200, body)
}
