//! Rows on their way to a file: written in memory on the thread of the run, and passed on to the
//! file elsewhere, because that may block.
//!
//! To change threads for a page costs as much as to write four of them. So a file that nobody
//! resumes takes several pages at once, where they come fast.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are worth the change of threads: some five pages of a hundred members. A page that
/// may be as long by itself is not held.
pub(super) const ENOUGH: usize = 256 * 1024;

/// An output that holds back what is written while a page is. Clones share it.
pub(super) struct Held<W>(Arc<Mutex<State<W>>>);

struct State<W> {
    output: W,
    bytes: Vec<u8>,
    is_held: bool,
}

impl<W: Write> Held<W> {
    pub(super) fn new(output: W) -> Self {
        Self(Arc::new(Mutex::new(State { output, bytes: Vec::new(), is_held: false })))
    }

    /// Holds back what this work writes. Returns whether enough is held to be passed on.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) fn during(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<bool> {
        /// Ends the holding, also if the work panics.
        struct Holding<'h, W: Write>(&'h Held<W>);
        impl<W: Write> Drop for Holding<'_, W> {
            fn drop(&mut self) {
                self.0.state().is_held = false;
            }
        }
        self.state().is_held = true;
        let holding = Holding(self);
        work()?;
        drop(holding);
        Ok(self.state().bytes.len() >= ENOUGH)
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    fn pass_on(&mut self) -> io::Result<()> {
        let passed = self.output.write_all(&self.bytes);
        if self.bytes.len() < ENOUGH {
            // The next page may come much later, and a run that waits keeps no room for its rows.
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        passed
    }
}

impl<W> Clone for Held<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Write> Write for Held<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        if state.is_held {
            state.bytes.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        state.pass_on()?;
        state.output.write(bytes)
    }

    /// Passes on what is held, except while a page is written.
    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.state();
        if state.is_held {
            return Ok(());
        }
        state.pass_on()?;
        state.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_passed_on_in_order() {
        let mut held = Held::new(Vec::new());
        let mut writer = held.clone();
        let written = |held: &Held<Vec<u8>>| held.state().output.clone();
        assert!(!held.during(|| writer.write_all(b"a").and_then(|()| writer.flush())).unwrap());
        assert_eq!(written(&held), b"");
        held.write_all(b"b").unwrap();
        assert_eq!(written(&held), b"ab");
        assert!(!held.during(|| writer.write_all(b"c")).unwrap());
        held.flush().unwrap();
        assert_eq!(written(&held), b"abc");
        assert!(held.during(|| writer.write_all(&[b'd'; ENOUGH])).unwrap());
        held.flush().unwrap();
        assert!(!held.during(|| Ok(())).unwrap());
        assert_eq!(written(&held).len(), 3 + ENOUGH);
    }

    #[test]
    fn an_error_while_a_page_is_written_ends_the_holding() {
        let mut held = Held::new(Vec::new());
        assert!(held.during(|| Err(io::Error::other("no"))).is_err());
        held.write_all(b"a").unwrap();
        assert_eq!(held.state().output, b"a");
    }
}
