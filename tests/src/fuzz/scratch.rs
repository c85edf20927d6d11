//! A folder for the files of one input, in memory where the system has such a place: a target is
//! run thousands of times.

use std::path::Path;

use tempfile::TempDir;

/// A new folder, which goes with the value.
pub(super) fn folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let made =
        if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.expect("a folder for the files of an input")
}
