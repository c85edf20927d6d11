//! The lines of JSON between the bridge and `smp-platform`, which started it: one message a line,
//! on standard input and output. None of them holds a member, a setting, a cursor or a key.
//!
//! `platform/src/engine/protocol.rs` is the other end. Both compare [`VERSION`].

use std::io::{BufRead, BufReader, Write};
use std::thread;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The version of these lines. A program of another version is not spoken to.
pub(crate) const VERSION: u32 = 1;
/// Longest line: a page of runs to start.
const LONGEST: usize = 4 * 1024 * 1024;

/// A run that is to begin.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Run {
    /// Its id.
    pub(crate) run: String,
    /// Its connection.
    pub(crate) connection: String,
    /// Its instant, in milliseconds since 1970.
    pub(crate) due: i64,
    /// Its tenant.
    pub(crate) tenant: String,
    /// 1 if a person waits for it, else 3.
    pub(crate) priority: u32,
}

/// What the bridge says.
#[derive(Debug, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(crate) enum Said {
    /// The first line.
    Hello { version: u32 },
    /// Whether the engine answers, and if not, why.
    Engine { there: bool, why: Option<String> },
    /// Asks for runs that are to begin.
    Due { id: u64 },
    /// The engine has this run.
    Started { run: String },
    /// The engine did not take this run.
    Refused { run: String },
    /// Asks for this run to be collected.
    Collect { task: u64, run: String, connection: String, waited_ms: u64 },
}

/// What `smp-platform` says.
#[derive(Debug, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(crate) enum Heard {
    /// Its process lives, and so do its runs.
    Alive,
    /// It ends: it takes no further run, and answers for those that it has.
    Rest,
    /// The answer to `due`. If there are none, no more are due.
    Runs { id: u64, runs: Vec<Run> },
    /// A run that is to begin at once.
    Start { run: Run },
    /// A run ended.
    Done { task: u64, state: String, members: u64, pages: u64 },
    /// A run is to be tried again after this time.
    Again { task: u64, after_ms: u64, code: String },
    /// A run failed, and it is not to be tried again.
    Failed { task: u64, code: String },
}

/// Where lines are written. They are written in the order in which they are said.
#[derive(Clone, Debug)]
pub(crate) struct Mouth(UnboundedSender<Said>);

impl Mouth {
    /// Says something. Whoever does not listen any more has ended standard input, too.
    pub(crate) fn say(&self, said: Said) {
        let _ = self.0.send(said);
    }
}

/// Writes on standard output from a thread of its own.
pub(crate) fn mouth() -> Mouth {
    let (sender, mut said) = unbounded_channel();
    thread::spawn(move || {
        let mut output = std::io::stdout();
        while let Some(next) = said.blocking_recv() {
            let Ok(mut line) = serde_json::to_string(&next) else { continue };
            line.push('\n');
            if output.write_all(line.as_bytes()).and_then(|()| output.flush()).is_err() {
                break;
            }
        }
    });
    Mouth(sender)
}

/// Reads standard input in a thread of its own, since a read of it cannot be given up. The end of
/// what is received is the end of the program that started this one.
pub(crate) fn ears() -> UnboundedReceiver<Heard> {
    let (sender, heard) = unbounded_channel();
    thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin());
        let mut line = Vec::new();
        loop {
            line.clear();
            match std::io::Read::take(&mut input, LONGEST as u64).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            match serde_json::from_slice(&line) {
                Ok(next) => {
                    if sender.send(next).is_err() {
                        break;
                    }
                }
                Err(error) => tracing::warn!(%error, "a line is not understood"),
            }
        }
    });
    heard
}
