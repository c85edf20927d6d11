//! The interface of an output format for members or usage, page by page. It knows no format, no
//! file and no terminal.

use std::io;
use std::path::Path;

use crate::contract::MemberPage;
use crate::failure::{Code, Failure};

/// A writer of members, or of usage.
///
/// After an error the output is undefined: only what was flushed before is valid.
pub trait Sink<P = MemberPage>: Send {
    /// Writes all records of a page. Its output may keep them until [`Sink::flush`].
    ///
    /// # Errors
    /// The error of the output; `InvalidData` if there are more than the sink can hold.
    fn write_page(&mut self, page: &P) -> io::Result<()>;

    /// Passes everything so far to the output, as far as the format writes before the end.
    ///
    /// # Errors
    /// The error of the output.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes the end, and flushes. Nothing is written after it.
    ///
    /// # Errors
    /// The error of the output.
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
