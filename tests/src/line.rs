//! A line between two processes of a test that can be cut: nothing is told of a cut, as where a
//! cable is pulled; what was sent meanwhile arrives when the line is whole again.

#![expect(clippy::unwrap_used, reason = "a test that cannot run says so by panicking")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A line. Its threads end with the connections of both ends.
#[derive(Clone, Debug, Default)]
pub struct Line {
    is_cut: Arc<(Mutex<bool>, Condvar)>,
}

/// One end of a connection.
trait End: Read + Write + Send + Sized + 'static {
    fn other(&self) -> Self;
    fn end(&self);
}

impl End for TcpStream {
    fn other(&self) -> Self {
        self.try_clone().unwrap()
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl End for UnixStream {
    fn other(&self) -> Self {
        self.try_clone().unwrap()
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Line {
    /// A line to a port of this machine. Returns the port at which it begins, too.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn to_port(port: u16) -> (Self, u16) {
        let line = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let begins = listener.local_addr().unwrap().port();
        let ends = move || TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        line.clone().carry(move || listener.accept().map(|(stream, _)| stream), ends);
        (line, begins)
    }

    /// A line to a socket, from one of the same name in another folder.
    ///
    /// # Panics
    /// When that one cannot be made.
    #[must_use]
    pub fn to_socket(socket: &Path, folder: &Path) -> Self {
        let line = Self::default();
        let listener = UnixListener::bind(folder.join(socket.file_name().unwrap())).unwrap();
        let socket: PathBuf = socket.to_owned();
        let ends = move || UnixStream::connect(&socket);
        line.clone().carry(move || listener.accept().map(|(stream, _)| stream), ends);
        line
    }

    /// Cuts it.
    pub fn cut(&self) {
        *self.is_cut.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Mends it.
    pub fn mend(&self) {
        *self.is_cut.0.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.is_cut.1.notify_all();
    }

    /// Waits until it is whole.
    fn whole(&self) {
        let (is_cut, changed) = &*self.is_cut;
        let mut cut = is_cut.lock().unwrap_or_else(PoisonError::into_inner);
        while *cut {
            cut = changed.wait(cut).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn carry<E: End>(
        self,
        mut accept: impl FnMut() -> std::io::Result<E> + Send + 'static,
        connect: impl Fn() -> std::io::Result<E> + Send + Sync + 'static,
    ) {
        let connect = Arc::new(connect);
        std::thread::spawn(move || {
            while let Ok(begin) = accept() {
                let (line, connect) = (self.clone(), Arc::clone(&connect));
                std::thread::spawn(move || {
                    line.whole();
                    let Ok(end) = connect() else { return begin.end() };
                    let (back, to, from) = (line.clone(), begin.other(), end.other());
                    std::thread::spawn(move || back.forward(from, to));
                    line.forward(begin, end);
                });
            }
        });
    }

    /// Forwards what one end says to the other, while the line is whole.
    fn forward<E: End>(&self, mut from: E, mut to: E) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            self.whole();
            let Some(said) = buffer.get(..length) else { break };
            if to.write_all(said).is_err() {
                break;
            }
        }
        from.end();
        to.end();
    }
}
