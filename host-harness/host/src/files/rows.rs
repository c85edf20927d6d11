//! Written rows in memory, for callers that examine them afterwards. They are bounded, because a
//! component may make up any number.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes: as large as a fixture's `expected.json` may be.
const MOST_BYTES: usize = 128 << 20;

/// A buffer for rows. Clones share one buffer.
#[derive(Clone, Debug)]
pub struct Rows {
    bytes: Arc<Mutex<Vec<u8>>>,
    most: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self { bytes: Arc::default(), most: MOST_BYTES }
    }
}

impl Rows {
    /// Takes the rows out.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Rows {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len().saturating_add(bytes.len()) > self.most {
            return Err(io::Error::other(format!(
                "members of more than {} bytes are not held in memory",
                self.most
            )));
        }
        held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_taken_once() {
        let mut rows = Rows { most: 3, ..Rows::default() };
        rows.write_all(b"ab").unwrap();
        assert_eq!(
            rows.write_all(b"cd").unwrap_err().to_string(),
            "members of more than 3 bytes are not held in memory"
        );
        rows.clone().write_all(b"c").unwrap();
        assert_eq!((rows.take(), rows.take()), (b"abc".to_vec(), vec![]));
    }
}
