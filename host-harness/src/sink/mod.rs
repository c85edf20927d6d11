//! Where members go. (The trait, until the formats are here.)

use std::io;

use crate::contract::MemberPage;

/// A place for members.
pub trait Sink: Send {
    /// Takes the members of a page, all of which are to be written.
    ///
    /// # Errors
    /// What the output says.
    fn write_page(&mut self, page: &MemberPage) -> io::Result<()>;

    /// Hands everything that was taken on to the output.
    ///
    /// # Errors
    /// What the output says.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes what belongs at the end, and flushes.
    ///
    /// # Errors
    /// What the output says.
    fn finish(&mut self) -> io::Result<()>;
}
