//! What members are written through, page by page. It knows no format, no file and no terminal.

use std::io;
use std::path::Path;

use crate::contract::MemberPage;
use crate::failure::{Code, Failure};

/// A place for members.
///
/// After an error the output is in an undefined state: what was flushed before is good, nothing
/// else is.
pub trait Sink: Send {
    /// Takes the members of a page, all of which are to be written.
    ///
    /// # Errors
    /// What the output says; `InvalidData` where the members are more than can be held.
    fn write_page(&mut self, page: &MemberPage) -> io::Result<()>;

    /// Hands everything that was taken on to the output, as far as the format writes before the
    /// end.
    ///
    /// # Errors
    /// What the output says.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes what belongs at the end, and flushes. Nothing is written after it.
    ///
    /// # Errors
    /// What the output says.
    fn finish(&mut self) -> io::Result<()>;
}

/// The failure of an output that cannot be written.
#[must_use]
pub fn fault(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Output, format!("`{}` cannot be written: {error}", path.display()))
        .with_hint(
            "Make room or choose another place for the output, then run the same command again.",
        )
}
