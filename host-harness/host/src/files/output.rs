//! The output file: written under a temporary name, and renamed only when the list is complete.
//!
//! ```text
//! FILE.partial ─ whole ──────▶ FILE
//!      │       └ incomplete ─▶ FILE.incomplete
//!      └ failed ─▶ removed;  stopped ─▶ kept for the next run
//! ```
//! A FILE of an earlier run is first moved to FILE.previous, so that after a failure the old list
//! is not mistaken for the new one, and nothing is lost. Where FILE is a link, all of this happens
//! at its target. A device, a pipe or a socket is no such FILE: [`super::target`] opens it.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::target::{self, Target};
use crate::collect::sink::fault;
use crate::failure::{Code, Failure};
use crate::remedy::{Place, Remedy};

/// SHA-256 of the written bytes: it identifies a partial file, whatever its name.
pub type Fingerprint = [u8; 32];

/// An output file that is being written.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    file: File,
    written: Written,
    /// Bytes of an unfinished file that was here before.
    overwrote: u64,
}

/// The hash of the written bytes. None if nobody resumes the file: to hash takes more time than to
/// write.
type Written = Option<Arc<Mutex<Sha256>>>;

/// Writes to an output file, and hashes what it writes if a later run may resume it.
#[derive(Debug)]
pub struct Writer {
    file: File,
    written: Written,
}

impl OutputFile {
    /// Begins a new file. A file of an earlier run with the final name is moved aside. What an
    /// earlier run left without a name is overwritten; [`Self::overwrote`] tells of it. Only a file
    /// that `is_resumable` is hashed as it is written.
    ///
    /// # Errors
    /// `output` if the file cannot be created.
    pub fn begin(path: &Path, is_resumable: bool) -> Result<Self, Failure> {
        let path = &regular(path)?;
        let failed = |error| fault(path, &error);
        let partial = beside(path, ".partial");
        let file = target::own(&partial).map_err(|error| fault(&partial, &error))?;
        claim(&file, path)?;
        let overwrote = file.metadata().map_err(failed)?.len();
        file.set_len(0).map_err(failed)?;
        match fs::rename(path, beside(path, ".previous")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let _ = fs::remove_file(&partial);
                return Err(failed(error));
            }
            _ => {}
        }
        let _ = fs::remove_file(beside(path, ".incomplete"));
        let written = is_resumable.then(Arc::default);
        Ok(Self { path: path.to_owned(), file, written, overwrote })
    }

    /// The file that an earlier run left without its final name and that this one began over, and
    /// its length in bytes. `None` if there was none.
    #[must_use]
    pub fn overwrote(&self) -> Option<(PathBuf, u64)> {
        (self.overwrote > 0).then(|| (beside(&self.path, ".partial"), self.overwrote))
    }

    /// Resumes a file that an earlier run began, after its first `offset` bytes, which have this
    /// fingerprint.
    ///
    /// # Errors
    /// `checkpoint` if the file is not the one that the checkpoint was written for. It is not
    /// changed then.
    pub fn resume(path: &Path, offset: u64, fingerprint: &Fingerprint) -> Result<Self, Failure> {
        const AGAIN: &str = "Remove the checkpoint to begin again from the first page.";
        let path = &regular(path)?;
        let lost = |what: &str, hint: &str| {
            Failure::new(
                Code::Checkpoint,
                format!("`{}` {what}", beside(path, ".partial").display()),
            )
            .with_hint(hint)
        };
        let partial = beside(path, ".partial");
        let mut file = target::existing(&partial).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                lost("no longer exists, so the collection cannot resume from the checkpoint", AGAIN)
            }
            _ => lost(&format!("cannot be used to resume the collection: {error}"), AGAIN),
        })?;
        claim(&file, path)?;
        let length = file.metadata().map_err(|error| fault(path, &error))?.len();
        if length < offset {
            return Err(lost("is shorter than the checkpoint states", AGAIN));
        }
        let written = hashed(&mut file, offset).map_err(|error| fault(path, &error))?;
        if written.clone().finalize() != (*fingerprint).into() {
            return Err(lost(
                "has other rows than the checkpoint states: another run has written to this \
                 output since",
                "Nothing was changed. Give each run a separate output, and let the other run end \
                 first. To begin again from the first page, remove the checkpoint: the file's \
                 rows are lost then.",
            ));
        }
        let cut = file.set_len(offset).and_then(|()| file.seek(SeekFrom::Start(offset)));
        cut.map_err(|error| fault(path, &error))?;
        let written = Some(Arc::new(Mutex::new(written)));
        Ok(Self { path: path.to_owned(), file, written, overwrote: 0 })
    }

    /// Whether an earlier run has given the file its final name: it has this length and
    /// fingerprint.
    #[must_use]
    pub fn is_complete(path: &Path, length: u64, fingerprint: &Fingerprint) -> bool {
        let Ok(path) = &regular(path) else { return false };
        let is_it = || {
            let mut file = File::open(path)?;
            let same_length = file.metadata()?.len() == length;
            io::Result::Ok(
                same_length && hashed(&mut file, length)?.finalize() == (*fingerprint).into(),
            )
        };
        !beside(path, ".partial").exists() && is_it().unwrap_or(false)
    }

    /// A writer to the file. It shares the file's position.
    ///
    /// # Errors
    /// `output` if the system gives no second handle.
    pub fn writer(&self) -> Result<Writer, Failure> {
        let file = self.file.try_clone().map_err(|error| fault(&self.path, &error))?;
        Ok(Writer { file, written: self.written.clone() })
    }

    /// Waits until everything written is on the disk. Returns its length and fingerprint, for which
    /// a file that was not hashed is read.
    ///
    /// # Errors
    /// The system's error.
    pub fn sync(&mut self) -> io::Result<(u64, Fingerprint)> {
        self.file.sync_data()?;
        let length = self.file.stream_position()?;
        let written = match &self.written {
            Some(written) => written.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            None => hashed(&mut self.file, length)?,
        };
        Ok((length, written.finalize().into()))
    }

    /// Gives the file of a complete list its final name, and the permissions of the list that it
    /// replaces. Without one, its owner alone can read it.
    ///
    /// # Errors
    /// `output` if that fails; the partial file still exists then.
    pub fn complete(self) -> Result<(), Failure> {
        target::keep_permissions(&self.file, &beside(&self.path, ".previous"));
        self.rename_to(&self.path)?;
        target::sync_folder(&self.path);
        let _ = fs::remove_file(beside(&self.path, ".previous"));
        Ok(())
    }

    /// Keeps an incomplete list under a name that says so, which it returns.
    ///
    /// # Errors
    /// `output` if that fails.
    pub fn keep_incomplete(self) -> Result<PathBuf, Failure> {
        let kept = beside(&self.path, ".incomplete");
        self.rename_to(&kept)?;
        Ok(kept)
    }

    fn rename_to(&self, name: &Path) -> Result<(), Failure> {
        // A file that has the name now may not be the one that was written.
        if !is_at(&self.file, &self.path) {
            return Err(fault(
                &self.path,
                &io::Error::other("the partial file was removed or replaced while it was written"),
            ));
        }
        let renamed =
            self.file.sync_all().and_then(|()| fs::rename(beside(&self.path, ".partial"), name));
        renamed.map_err(|error| fault(&self.path, &error))
    }

    /// Removes the output of a failed run.
    pub fn abandon(self) {
        let _ = fs::remove_file(beside(&self.path, ".partial"));
    }
}

/// The file that a path leads to. Only a regular file can be written beside and renamed.
fn regular(path: &Path) -> Result<PathBuf, Failure> {
    match Target::of(path).map_err(|error| fault(path, &error))? {
        Target::File(path) => Ok(path),
        Target::Stream | Target::StandardOutput | Target::Descriptor(_) => {
            Err(fault(path, &io::Error::other("it is a device, a pipe or a socket")))
        }
    }
}

/// Locks the partial file while it is open: two runs at once would mix their rows.
fn claim(file: &File, path: &Path) -> Result<(), Failure> {
    let in_use = || {
        Failure::new(Code::Output, format!("`{}` is being written by another run", path.display()))
            .with_remedy(Remedy::WaitForRun { of: Place::Output })
            .with_hint("Wait until that run has ended, or use another output.")
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use()),
        // Some network file systems have no locks: the file is written without one.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            return Ok(());
        }
        Err(TryLockError::Error(error)) => return Err(fault(path, &error)),
    }
    // The other run may have ended between the opening and the lock: then this is its finished
    // file.
    if is_at(file, path) { Ok(()) } else { Err(in_use()) }
}

/// Whether the partial file at this path is still the one that is open.
fn is_at(file: &File, path: &Path) -> bool {
    let partial = fs::metadata(beside(path, ".partial"));
    let same = partial.and_then(|partial| {
        Ok((partial.dev(), partial.ino())
            == file.metadata().map(|file| (file.dev(), file.ino()))?)
    });
    same.unwrap_or(false)
}

/// The digest state after a file's first bytes.
fn hashed(file: &mut File, length: u64) -> io::Result<Sha256> {
    let mut digest = Sha256::new();
    file.rewind()?;
    let read = io::copy(&mut file.take(length), &mut digest)?;
    if read == length { Ok(digest) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        if let Some(hash) = &self.written {
            let written = bytes.get(..length).unwrap_or_default();
            hash.lock().unwrap_or_else(PoisonError::into_inner).update(written);
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The endings of an output's other names.
pub const BESIDE: [&str; 3] = [".partial", ".previous", ".incomplete"];

/// The path with an ending after its name.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("members.csv");
        (folder, path)
    }

    fn begin(path: &Path) -> Result<OutputFile, Failure> {
        OutputFile::begin(path, true)
    }

    fn fingerprint(text: &str) -> Fingerprint {
        Sha256::digest(text).into()
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_has_its_name_only_when_the_list_is_whole() {
        let (folder, path) = folder();
        let output = begin(&path).unwrap();
        output.writer().unwrap().write_all(b"x").unwrap();
        assert_eq!(names(&folder), ["members.csv.partial"]);
        output.complete().unwrap();
        assert_eq!(names(&folder), ["members.csv"]);
    }

    #[test]
    fn after_a_failure_there_is_no_file_and_the_old_one_is_kept_aside() {
        let (folder, path) = folder();
        fs::write(&path, "old").unwrap();
        begin(&path).unwrap().abandon();
        assert_eq!(names(&folder), ["members.csv.previous"]);
        begin(&path).unwrap().abandon();
        assert_eq!(fs::read_to_string(beside(&path, ".previous")).unwrap(), "old");
        begin(&path).unwrap().complete().unwrap();
        assert_eq!(names(&folder), ["members.csv"]);
    }

    #[test]
    fn where_the_old_one_cannot_be_moved_nothing_is_left_behind() {
        let (folder, path) = folder();
        fs::write(&path, "old").unwrap();
        fs::create_dir(beside(&path, ".previous")).unwrap();
        assert_eq!(begin(&path).unwrap_err().code, Code::Output);
        assert_eq!(names(&folder), ["members.csv", "members.csv.previous"]);
    }

    #[test]
    fn a_list_that_is_not_whole_says_so_in_its_name() {
        let (folder, path) = folder();
        let kept = begin(&path).unwrap().keep_incomplete().unwrap();
        assert_eq!(names(&folder), [kept.file_name().unwrap().to_str().unwrap()]);
    }

    #[test]
    fn a_file_has_the_same_fingerprint_whether_it_is_hashed_as_it_is_written_or_read_for_it() {
        let (_folder, path) = folder();
        for is_resumable in [true, false] {
            let mut output = OutputFile::begin(&path, is_resumable).unwrap();
            let mut writer = output.writer().unwrap();
            assert_eq!(writer.written.is_some(), is_resumable);
            for (text, whole) in [("first", "first"), (" second", "first second")] {
                writer.write_all(text.as_bytes()).unwrap();
                assert_eq!(output.sync().unwrap(), (whole.len() as u64, fingerprint(whole)));
            }
            output.abandon();
        }
    }

    #[test]
    fn a_resumed_file_is_cut_to_what_was_delivered() {
        let (_folder, path) = folder();
        fs::write(beside(&path, ".partial"), "first second-torn").unwrap();
        let mut output = OutputFile::resume(&path, 6, &fingerprint("first ")).unwrap();
        output.writer().unwrap().write_all(b"other").unwrap();
        assert_eq!(output.sync().unwrap(), (11, fingerprint("first other")));
        output.complete().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first other");
    }

    #[test]
    fn another_runs_rows_are_known_and_left_as_they_are() {
        let (_folder, path) = folder();
        for (rows, because) in [
            ("xyz", "is shorter"),
            ("second rows", "has other rows"),
            ("First row", "has other rows"),
        ] {
            fs::write(beside(&path, ".partial"), rows).unwrap();
            let failure = OutputFile::resume(&path, 6, &fingerprint("first ")).unwrap_err();
            assert!(
                failure.code == Code::Checkpoint && failure.message.contains(because),
                "{failure}"
            );
            assert_eq!(fs::read_to_string(beside(&path, ".partial")).unwrap(), rows);
        }
    }

    #[test]
    fn a_finished_file_is_known_by_what_is_in_it() {
        let (_folder, path) = folder();
        let is_complete = || OutputFile::is_complete(&path, 4, &fingerprint("rows"));
        assert!(!is_complete());
        for (rows, complete) in [("rows", true), ("nows", false), ("rows ", false), ("row", false)]
        {
            fs::write(&path, rows).unwrap();
            assert_eq!(is_complete(), complete, "{rows}");
        }
        fs::write(&path, "rows").unwrap();
        fs::write(beside(&path, ".partial"), "").unwrap();
        assert!(!is_complete());
    }

    #[test]
    fn a_partial_file_that_was_replaced_gets_no_name() {
        let (_folder, path) = folder();
        let output = begin(&path).unwrap();
        fs::remove_file(beside(&path, ".partial")).unwrap();
        fs::write(beside(&path, ".partial"), "another run's").unwrap();
        let failure = output.complete().unwrap_err();
        assert!(failure.code == Code::Output && failure.message.contains("replaced"), "{failure}");
        assert!(!path.exists() && beside(&path, ".partial").exists());
    }

    #[test]
    fn a_new_list_is_its_owners_and_an_old_one_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = folder();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let output = begin(&path).unwrap();
        assert_eq!(mode(&beside(&path, ".partial")), 0o600);
        output.complete().unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        // What was left by an older program is closed before anything is written to it.
        fs::write(beside(&path, ".partial"), "").unwrap();
        let output = begin(&path).unwrap();
        assert_eq!(mode(&beside(&path, ".partial")), 0o600);
        output.complete().unwrap();
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn a_link_stays_and_its_target_gets_the_list() {
        let (folder, path) = folder();
        std::os::unix::fs::symlink("members.csv", folder.path().join("link")).unwrap();
        let link = folder.path().join("link");
        for before in [None, Some("old")] {
            before.into_iter().for_each(|text| fs::write(&path, text).unwrap());
            let output = begin(&link).unwrap();
            output.writer().unwrap().write_all(b"new").unwrap();
            output.complete().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(names(&folder), ["link", "members.csv"]);
        }
        assert!(OutputFile::is_complete(&link, 3, &fingerprint("new")));
        fs::write(beside(&path, ".partial"), "first second").unwrap();
        OutputFile::resume(&link, 6, &fingerprint("first ")).unwrap().complete().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first ");
    }

    #[test]
    fn a_planted_partial_link_is_refused_and_what_it_leads_to_left_alone() {
        let (folder, path) = folder();
        let victim = folder.path().join("victim");
        fs::write(&victim, "first theirs").unwrap();
        std::os::unix::fs::symlink(&victim, beside(&path, ".partial")).unwrap();
        for failure in [begin(&path), OutputFile::resume(&path, 6, &fingerprint("first "))] {
            let failure = failure.unwrap_err();
            assert!(failure.message.contains("it is a link"), "{failure}");
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "first theirs");
    }

    #[test]
    fn a_device_or_a_pipe_is_never_moved_aside() {
        let failure = begin(Path::new("/dev/null")).unwrap_err();
        assert!(failure.message.contains("a device, a pipe or a socket"), "{failure}");
    }

    #[test]
    fn two_runs_do_not_write_one_file() {
        let (folder, path) = folder();
        let first = begin(&path).unwrap();
        first.writer().unwrap().write_all(b"x").unwrap();
        for second in [begin(&path), OutputFile::resume(&path, 1, &fingerprint("x"))] {
            let failure = second.unwrap_err();
            assert_eq!(failure.code, Code::Output);
            assert!(failure.message.ends_with("is being written by another run"));
        }
        first.complete().unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), names(&folder)),
            ("x".to_owned(), vec!["members.csv".to_owned()])
        );
        begin(&path).unwrap().abandon();
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told() {
        let (folder, _) = folder();
        assert_eq!(begin(folder.path()).unwrap_err().code, Code::Output);
        assert_eq!(begin(&folder.path().join("none/members.csv")).unwrap_err().code, Code::Output);
    }
}
