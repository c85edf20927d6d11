//! A folder for the files of one input, in memory if the system has such a place: a target runs
//! thousands of times.

use std::path::Path;

use tempfile::TempDir;

/// A new folder, removed when it is dropped.
pub(super) fn folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let made =
        if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.expect("a folder for the files of an input")
}
