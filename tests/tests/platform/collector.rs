//! A collector of traces that takes everything, and keeps it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A running collector.
pub(crate) struct Collector {
    pub(crate) url: String,
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    taken: Arc<Mutex<Taken>>,
    taking: JoinHandle<()>,
}

/// The heads of the requests, and all of their bodies.
type Taken = (Vec<String>, Vec<u8>);

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (is_over, taken) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let taking = {
            let (is_over, taken) = (Arc::clone(&is_over), Arc::clone(&taken));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    // One request on each connection: the answer closes it.
                    take(stream.unwrap(), &taken);
                }
            })
        };
        Self { url: format!("http://{address}"), address, is_over, taken, taking }
    }

    /// Ends it. Returns what it took.
    pub(crate) fn end(self) -> Taken {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.taking.join().unwrap();
        std::mem::take(&mut *self.taken.lock().unwrap())
    }
}

fn take(mut stream: TcpStream, taken: &Mutex<Taken>) {
    let mut request = Vec::new();
    let mut buffer = [0; 65_536];
    let (head, body) = loop {
        let length = stream.read(&mut buffer).unwrap_or(0);
        if length == 0 {
            return;
        }
        request.extend(&buffer[..length]);
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]).into_owned();
        let told = head.lines().find_map(|line| {
            line.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
        });
        let body = &request[end + 4..];
        if body.len() >= told.unwrap_or(0) {
            break (head, body.to_vec());
        }
    };
    let (heads, bodies) = &mut *taken.lock().unwrap();
    heads.push(head);
    bodies.extend(body);
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let _ = stream.write_all(answer.as_bytes());
}
