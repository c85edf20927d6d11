//! The registry of Debian's package `docker-registry`: on loopback, with its own folder, and
//! stopped when it is dropped.
//!
//! If it is not installed, the tests that need it say so and are skipped.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot run says so by panicking"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::skipped;
use crate::mock::throw_away_certificate;

/// The user of a registry with a login.
pub const USER: &str = "publisher";
/// The password of that user.
pub const PASSWORD: &str = "open: sesame";
/// The same for the registry: bcrypt, the only form that it reads.
const HTPASSWD: &str = "publisher:$2b$04$8SGfNHIqAoAkHY29u2XWpeoFb11I6xzrdQXSEZi8AZ0yswh.qTooW\n";

/// Longest time to wait until it listens.
const START: Duration = Duration::from_secs(30);

/// A registry that runs.
#[derive(Debug)]
pub struct DockerRegistry {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl DockerRegistry {
    /// Starts one without a login, over plain http. `None` if it is not installed.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::with(|_| String::new())
    }

    /// Starts one that requires [`USER`] and [`PASSWORD`].
    ///
    /// # Panics
    /// When its files cannot be written.
    #[must_use]
    pub fn with_password() -> Option<Self> {
        Self::with(|folder| {
            let path = folder.path().join("htpasswd");
            std::fs::write(&path, HTPASSWD).expect("the file is written");
            format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", path.display())
        })
    }

    /// Starts one over TLS; its authority's certificate is `ca.pem` in [`DockerRegistry::folder`].
    ///
    /// # Panics
    /// When its files cannot be made.
    #[must_use]
    pub fn with_tls() -> Option<Self> {
        Self::with(|folder| {
            let made = throw_away_certificate().expect("a certificate is made");
            let path = |name: &str| folder.path().join(name);
            for (name, text) in [
                ("ca.pem", &made.authority),
                ("cert.pem", &made.certificate),
                ("key.pem", &made.key),
            ] {
                std::fs::write(path(name), text).expect("the file is written");
            }
            format!(
                "  tls: {{ certificate: {}, key: {} }}\n",
                path("cert.pem").display(),
                path("key.pem").display()
            )
        })
    }

    /// `more` returns an addition to the configuration, whose last section is `http`.
    fn with(more: impl FnOnce(&TempDir) -> String) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {} }}, delete: {{ enabled: \
             true }} }}\nhttp:\n  addr: 127.0.0.1:0\n{}",
            folder.path().join("data").display(),
            more(&folder)
        );
        let path = folder.path().join("config.yml");
        std::fs::write(&path, config).expect("the file is written");
        let mut command = Command::new("docker-registry");
        command
            .arg("serve")
            .arg(&path)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                skipped(
                    "docker-registry is not installed here; `make registry-installed` does that, \
                     as root on Debian",
                );
                return None;
            }
            Err(error) => panic!("docker-registry does not start: {error}"),
        };
        let log = child.stderr.take().expect("its log");
        let (tell, told) = mpsc::channel();
        // The log is read to its end, so that the registry never waits for a reader.
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let mut seen = String::new();
        let address = loop {
            let line = told
                .recv_timeout(START)
                .unwrap_or_else(|_| panic!("docker-registry does not listen: {seen}"));
            let rest = line
                .split_once("listening on ")
                .map(|(_, rest)| rest.chars().take_while(|sign| !"\", ".contains(*sign)).collect());
            if let Some(address) = rest.and_then(|text: String| text.parse().ok()) {
                break address;
            }
            seen.push_str(&line);
        };
        Some(Self { child, address, folder })
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Sends a request from a client that knows nothing of this project, and returns the status and
    /// the body of the answer.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, media_type: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: {media_type}\r\nContent-Type: \
             {media_type}\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        )
        .expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0),
            body.to_owned(),
        )
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
