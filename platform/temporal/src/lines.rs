//! Standard input and output: the lines of the [`protocol`](crate::protocol), read and written in
//! threads of their own.

use std::io::{BufRead, BufReader, Write};
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::protocol::{Said, Say};

/// Longest line: a page of runs to start.
const LONGEST: usize = 4 * 1024 * 1024;

/// Where lines are written. They are written in the order in which they are said.
#[derive(Clone, Debug)]
pub(crate) struct Mouth(UnboundedSender<Said>);

impl Mouth {
    /// Says something. A reader that is gone has ended standard input, too.
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

/// Reads standard input from a thread of its own, since a read of it cannot be given up. The end of
/// what is received is the end of the program that started this one.
pub(crate) fn ears() -> UnboundedReceiver<Say> {
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
