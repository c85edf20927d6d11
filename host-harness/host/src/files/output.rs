//! The output file: written beside its final name, and given that name only when the list is whole.
//!
//! ```text
//! FILE.partial ─ whole ──────▶ FILE
//!      │       └ incomplete ─▶ FILE.incomplete
//!      └ failed ─▶ removed;  stopped ─▶ kept for the next run
//! ```
//! A FILE of an earlier run is moved to FILE.previous first, so that after a failure nobody takes the old list for the new one, and
//! nothing is lost.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::{Code, Failure};

/// An output file that is being written.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    file: File,
}

impl OutputFile {
    /// Begins a new file. What an earlier run left under the final name is moved aside.
    ///
    /// # Errors
    /// `output`, when the file cannot be made.
    pub fn begin(path: &Path) -> Result<Self, Failure> {
        let failed = |error| fault(path, &error);
        if path.is_dir() {
            return Err(fault(path, &io::Error::other("it is a folder")));
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(beside(path, ".partial")).map_err(failed)?;
        claim(&file, path)?;
        file.set_len(0).map_err(failed)?;
        match fs::rename(path, beside(path, ".previous")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let _ = fs::remove_file(beside(path, ".incomplete"));
        Ok(Self { path: path.to_owned(), file })
    }

    /// Goes on with a file that an earlier run began, after its first `offset` bytes.
    ///
    /// # Errors
    /// `checkpoint`, when the file is not the one that the checkpoint was written for.
    pub fn resume(path: &Path, offset: u64) -> Result<Self, Failure> {
        let lost = |what: &str| {
            Failure::new(Code::Checkpoint, format!("`{}` {what}", beside(path, ".partial").display()))
                .with_hint("Remove the checkpoint to begin again from the first page.")
        };
        let partial = OpenOptions::new().write(true).open(beside(path, ".partial"));
        let mut file = partial.map_err(|_| lost("is not there any more, so the collection cannot go on from the checkpoint"))?;
        claim(&file, path)?;
        let length = file.metadata().map_err(|error| fault(path, &error))?.len();
        if length < offset {
            return Err(lost("is shorter than the checkpoint says it was"));
        }
        let cut = file.set_len(offset).and_then(|()| file.seek(SeekFrom::Start(offset)));
        cut.map_err(|error| fault(path, &error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Where the sink writes to. It shares the file's position.
    ///
    /// # Errors
    /// `output`, when the system gives no second handle.
    pub fn writer(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(|error| fault(&self.path, &error))
    }

    /// Waits until everything written is on the disk, and tells how much that is.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.file.sync_data()?;
        self.file.stream_position()
    }

    /// The list is whole: gives the file its final name.
    ///
    /// # Errors
    /// `output`, when that does not work; the partial file is still there then.
    pub fn complete(self) -> Result<(), Failure> {
        let renamed = self.file.sync_all().and_then(|()| fs::rename(beside(&self.path, ".partial"), &self.path));
        renamed.map_err(|error| fault(&self.path, &error))?;
        sync_folder(&self.path);
        let _ = fs::remove_file(beside(&self.path, ".previous"));
        Ok(())
    }

    /// The list is not whole: keeps it under a name that says so, and tells it.
    ///
    /// # Errors
    /// `output`, when that does not work.
    pub fn keep_incomplete(self) -> Result<PathBuf, Failure> {
        let kept = beside(&self.path, ".incomplete");
        let renamed = self.file.sync_all().and_then(|()| fs::rename(beside(&self.path, ".partial"), &kept));
        renamed.map_err(|error| fault(&self.path, &error))?;
        Ok(kept)
    }

    /// There is no list: removes what was written.
    pub fn abandon(self) {
        let _ = fs::remove_file(beside(&self.path, ".partial"));
    }
}

/// Makes sure that no other run writes this partial file, as long as it is open: two at once would make one file of both.
fn claim(file: &File, path: &Path) -> Result<(), Failure> {
    let in_use = || {
        Failure::new(Code::Output, format!("`{}` is being written by another run", path.display()))
            .with_hint("Wait until that run has ended, or use another output.")
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use()),
        // Some network file systems know no locks: the file is written there as it is.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(fault(path, &error)),
    }
    // The other run may have ended between the opening and the lock: then this is its finished file.
    let partial = fs::metadata(beside(path, ".partial"));
    let same = partial.and_then(|partial| Ok((partial.dev(), partial.ino()) == file.metadata().map(|file| (file.dev(), file.ino()))?));
    if same.unwrap_or(false) { Ok(()) } else { Err(in_use()) }
}

/// The failure of an output that cannot be written.
#[must_use]
pub fn fault(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Output, format!("`{}` cannot be written: {error}", path.display()))
        .with_hint("Make room or choose another place for the output, then run the same command again.")
}

/// The path with something behind its name.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a rename last: the folder's own entry is written too. Not every file system lets a folder be synced.
pub(super) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("members.csv");
        (folder, path)
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_has_its_name_only_when_the_list_is_whole() {
        let (folder, path) = folder();
        let output = OutputFile::begin(&path).unwrap();
        output.writer().unwrap().write_all(b"x").unwrap();
        assert_eq!(names(&folder), ["members.csv.partial"]);
        output.complete().unwrap();
        assert_eq!(names(&folder), ["members.csv"]);
    }

    #[test]
    fn after_a_failure_there_is_no_file_and_the_old_one_is_kept_aside() {
        let (folder, path) = folder();
        fs::write(&path, "old").unwrap();
        OutputFile::begin(&path).unwrap().abandon();
        assert_eq!(names(&folder), ["members.csv.previous"]);
        OutputFile::begin(&path).unwrap().abandon();
        assert_eq!(fs::read_to_string(beside(&path, ".previous")).unwrap(), "old");
        OutputFile::begin(&path).unwrap().complete().unwrap();
        assert_eq!(names(&folder), ["members.csv"]);
    }

    #[test]
    fn a_list_that_is_not_whole_says_so_in_its_name() {
        let (folder, path) = folder();
        let kept = OutputFile::begin(&path).unwrap().keep_incomplete().unwrap();
        assert_eq!(names(&folder), [kept.file_name().unwrap().to_str().unwrap()]);
    }

    #[test]
    fn a_resumed_file_is_cut_to_what_was_delivered() {
        let (_folder, path) = folder();
        fs::write(beside(&path, ".partial"), "first second-torn").unwrap();
        let mut output = OutputFile::resume(&path, 6).unwrap();
        output.writer().unwrap().write_all(b"other").unwrap();
        assert_eq!(output.sync().unwrap(), 11);
        output.complete().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first other");
        fs::write(beside(&path, ".partial"), "xyz").unwrap();
        assert_eq!(OutputFile::resume(&path, 6).unwrap_err().code, Code::Checkpoint);
    }

    #[test]
    fn two_runs_do_not_write_one_file() {
        let (folder, path) = folder();
        let first = OutputFile::begin(&path).unwrap();
        first.writer().unwrap().write_all(b"x").unwrap();
        for second in [OutputFile::begin(&path), OutputFile::resume(&path, 1)] {
            let failure = second.unwrap_err();
            assert_eq!(failure.code, Code::Output);
            assert!(failure.message.ends_with("is being written by another run"));
        }
        first.complete().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), names(&folder)), ("x".to_owned(), vec!["members.csv".to_owned()]));
        OutputFile::begin(&path).unwrap().abandon();
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told() {
        let (folder, _) = folder();
        assert_eq!(OutputFile::begin(folder.path()).unwrap_err().code, Code::Output);
        assert_eq!(OutputFile::begin(&folder.path().join("none/members.csv")).unwrap_err().code, Code::Output);
    }
}
