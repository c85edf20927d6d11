//! A relay or proxy between the command and a mock, which records what passes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// A relay between the command and a mock that records what passes.
pub(crate) struct Between {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    /// The requests to the proxy itself.
    heads: Vec<String>,
    sent: Vec<u8>,
    received: usize,
}

impl Between {
    /// Passes on all bytes unchanged.
    pub(crate) fn relay(to: SocketAddr) -> Self {
        Self::start(to, false)
    }

    /// A proxy: whatever host a CONNECT names, it leads to the mock.
    pub(crate) fn tunnel(to: SocketAddr) -> Self {
        Self::start(to, true)
    }

    fn start(to: SocketAddr, is_proxy: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, seen, stopped) = (
            listener.local_addr().unwrap(),
            Arc::<Mutex<Seen>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (noted, over) = (Arc::clone(&seen), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                noted.lock().unwrap().connections += 1;
                let noted = Arc::clone(&noted);
                thread::spawn(move || converse(stream.unwrap(), to, is_proxy, &noted));
            }
        });
        Self { address, seen, stopped, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().heads.clone()
    }

    pub(crate) fn sent(&self) -> String {
        String::from_utf8(self.seen.lock().unwrap().sent.clone()).unwrap()
    }

    pub(crate) fn received(&self) -> usize {
        self.seen.lock().unwrap().received
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn converse(mut client: TcpStream, to: SocketAddr, is_proxy: bool, seen: &Arc<Mutex<Seen>>) {
    if is_proxy {
        let mut head = Vec::new();
        // No request to a proxy is as long as this.
        while !head.ends_with(b"\r\n\r\n") && head.len() < 8_192 {
            let mut byte = [0];
            match client.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        seen.lock().unwrap().heads.push(String::from_utf8(head).unwrap());
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    }
    let server = TcpStream::connect(to).unwrap();
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let noted = Arc::clone(seen);
    let up = thread::spawn(move || {
        pass(from_client, to_server, |bytes| noted.lock().unwrap().sent.extend_from_slice(bytes))
    });
    pass(server, client, |bytes| seen.lock().unwrap().received += bytes.len());
    let _ended = up.join();
}

/// Passes bytes on until one side closes, and then closes the other.
fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        note(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
