//! Where an output lies: links are followed to their target, and devices, pipes and sockets are
//! told from files.
//!
//! The files that this program makes beside an output are opened here too. The user did
//! not choose their names, so no link is followed there: it could lead to any file of the user.
//! What is new can be read by its owner alone, because it holds personal data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use tokio::signal::unix::{SignalKind, signal};

/// Most links on the way to a target, which is the kernel's own bound.
const MOST_LINKS: usize = 40;
/// The permissions of a new file.
pub(super) const OWNER_ALONE: u32 = 0o600;
/// What the system takes the user's mask from.
const EVERYONE: u32 = 0o666;

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a regular file, or to where none is yet. Links are followed.
    File(PathBuf),
    /// To a device, a pipe or a socket, which is written through and never replaced.
    Stream,
    /// To this process's standard output, as `/dev/stdout` does, whatever that is.
    StandardOutput,
    /// To another open file of this process, as `/dev/stderr` and `/dev/fd/3` do. It is written to
    /// where it stands, and never opened again: that would begin at its start.
    Descriptor(i32),
}

impl Target {
    /// The target of a path.
    ///
    /// # Errors
    /// `IsADirectory`, and the system's error where the path cannot be followed.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let kind = match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File(path));
                }
                there => there?.file_type(),
            };
            if kind.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
            }
            if kind.is_file() {
                return Ok(Self::File(path));
            }
            if !kind.is_symlink() {
                return Ok(Self::Stream);
            }
            if let Some(descriptor) = descriptor(&path) {
                return Ok(descriptor);
            }
            path = folder(&path).join(fs::read_link(&path)?);
        }
        Err(Errno::LOOP.into())
    }
}

/// A link below `/proc`, which stands for an open file and is no path to it.
fn descriptor(link: &Path) -> Option<Target> {
    let folder = folder(link).canonicalize().ok()?;
    if !folder.starts_with("/proc") {
        return None;
    }
    let ours = fs::canonicalize("/proc/self/fd").is_ok_and(|ours| ours == folder);
    let number = link.file_name().and_then(|name| name.to_str()?.parse().ok());
    Some(match number {
        Some(1) if ours => Target::StandardOutput,
        Some(number) if ours => Target::Descriptor(number),
        _ => Target::Stream,
    })
}

/// The folder of a path.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Opens a device, a pipe or a socket to write to it. A pipe waits for its reader. What this
/// process has open already is written to where it stands.
///
/// # Errors
/// The system's error.
pub fn open_stream(path: &Path) -> io::Result<Box<dyn Write + Send>> {
    match Target::of(path)? {
        Target::StandardOutput => return Ok(Box::new(duplicate(1)?)),
        Target::Descriptor(number) => return Ok(Box::new(duplicate(number)?)),
        Target::File(_) | Target::Stream => {}
    }
    if fs::metadata(path)?.file_type().is_socket() {
        return Ok(Box::new(UnixStream::connect(path)?));
    }
    Ok(Box::new(OpenOptions::new().write(true).open(path)?))
}

/// Lets a write fail that makes a file larger than this process may write (`ulimit -f`), as on a
/// full disk. Otherwise a signal ends the process in the middle of it.
///
/// # Errors
/// If the signal cannot be caught, for example outside a runtime with I/O.
pub fn bear_a_limit_on_size() -> io::Result<()> {
    // A handler that does nothing stays after the listener is dropped.
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    signal(kind).map(drop)
}

/// Another handle of a file that this process has open: they share their position, and whether they
/// append.
fn duplicate(number: i32) -> io::Result<File> {
    let owned = match number {
        0 => io::stdin().as_fd().try_clone_to_owned()?,
        1 => io::stdout().as_fd().try_clone_to_owned()?,
        2 => io::stderr().as_fd().try_clone_to_owned()?,
        // A number alone proves no open file to the compiler. The kernel looks it up.
        _ => {
            let this = pidfd_open(getpid(), PidfdFlags::empty())?;
            match pidfd_getfd(&this, number, PidfdGetfdFlags::empty()) {
                Ok(owned) => owned,
                Err(Errno::BADF) => return Err(Errno::BADF.into()),
                // Containers may forbid that. Then what is there stays at least.
                Err(_) => {
                    let path = format!("/proc/self/fd/{number}");
                    return OpenOptions::new().append(true).open(path);
                }
            }
        }
    };
    Ok(File::from(owned))
}

/// Whether this program could write a file there: its folder exists and takes one more. Nothing is
/// left behind.
///
/// # Errors
/// Why it could not.
pub fn check(path: &Path) -> io::Result<()> {
    let Target::File(path) = Target::of(path)? else { return Ok(()) };
    if !fs::metadata(folder(&path)).is_ok_and(|folder| folder.is_dir()) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "its folder is not there"));
    }
    tempfile::tempfile_in(folder(&path)).map(drop)
}

/// Puts these bytes at a path, whole or not at all: an older file is replaced only when they are on
/// the disk, and keeps its permissions. A new one can be read by its owner alone.
///
/// # Errors
/// The system's error. What is there is unchanged then, unless it is a device or a pipe.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(OWNER_ALONE, path, bytes)
}

/// Like [`replace`], for what holds no personal data: a new file has the permissions that the
/// user's other new files have.
///
/// # Errors
/// As for [`replace`].
pub fn replace_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(EVERYONE, path, bytes)
}

fn replace_with(permissions: u32, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Target::File(path) = Target::of(path)? else {
        let mut stream = open_stream(path)?;
        return stream.write_all(bytes).and_then(|()| stream.flush());
    };
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(permissions))
        .tempfile_in(folder(&path))?;
    file.write_all(bytes)?;
    keep_permissions(file.as_file(), &path);
    file.as_file().sync_all()?;
    file.persist(&path)?;
    sync_folder(&path);
    Ok(())
}

/// Gives a file the permissions of the one that it replaces, which were somebody's decision. Not
/// every file system has any.
pub(super) fn keep_permissions(file: &File, replaced: &Path) {
    if let Ok(there) = fs::symlink_metadata(replaced)
        && there.is_file()
    {
        let _ = file.set_permissions(there.permissions());
    }
}

/// Makes a rename durable by writing the folder's own entry. Not every file system permits that.
pub(super) fn sync_folder(path: &Path) {
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
}

/// Opens a file of this program's own, and makes it if it is not there.
pub(super) fn own(path: &Path) -> io::Result<File> {
    let new =
        OpenOptions::new().read(true).write(true).create_new(true).mode(OWNER_ALONE).open(path);
    match new {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = existing(path)?;
            let there = file.metadata()?;
            if there.nlink() > 1 {
                return Err(io::Error::other("it has a second name, by a hard link"));
            }
            if there.uid() != rustix::process::geteuid().as_raw() {
                return Err(io::Error::other("it belongs to another user"));
            }
            // An older program made it for everybody. Not every file system has permissions.
            let _ = file.set_permissions(fs::Permissions::from_mode(OWNER_ALONE));
            Ok(file)
        }
        new => new,
    }
}

/// Opens a file of this program's own that is there.
pub(super) fn existing(path: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits());
    let flags = flags.map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::LOOP.raw_os_error() => {
            io::Error::other("it is a link, which is not followed")
        }
        _ => error,
    })?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn links_lead_to_their_target_and_devices_are_told_from_files() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::write(at("data/list"), "").unwrap();
        symlink("data/list", at("link")).unwrap();
        symlink("link", at("second")).unwrap();
        symlink("data/none", at("dangling")).unwrap();
        symlink("/dev/null", at("null")).unwrap();
        let _listener = UnixListener::bind(at("socket")).unwrap();
        for (name, target) in [
            ("data/list", Target::File(at("data/list"))),
            ("new", Target::File(at("new"))),
            ("link", Target::File(at("data/list"))),
            ("second", Target::File(at("data/list"))),
            ("dangling", Target::File(at("data/none"))),
            ("null", Target::Stream),
            ("socket", Target::Stream),
            ("/dev/full", Target::Stream),
            ("/dev/stdout", Target::StandardOutput),
            ("/dev/fd/1", Target::StandardOutput),
            ("/proc/self/fd/2", Target::Descriptor(2)),
            ("/dev/fd/70", Target::File("/dev/fd/70".into())),
        ] {
            assert_eq!(Target::of(&at(name)).unwrap(), target, "{name}");
        }
        symlink("circle", at("circle")).unwrap();
        assert!(Target::of(&at("circle")).is_err());
        assert_eq!(Target::of(&at("data")).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn an_open_file_is_written_to_where_it_stands() {
        let home = tempfile::tempdir().unwrap();
        for append in [false, true] {
            let path = home.path().join(format!("log-{append}"));
            fs::write(&path, "first\nsecond\n").unwrap();
            let mut log = OpenOptions::new().write(true).append(append).open(&path).unwrap();
            log.write_all(b"F").unwrap();
            let number = std::os::fd::AsRawFd::as_raw_fd(&log);
            for name in [format!("/dev/fd/{number}"), format!("/proc/self/fd/{number}")] {
                assert_eq!(Target::of(Path::new(&name)).unwrap(), Target::Descriptor(number));
                open_stream(Path::new(&name)).unwrap().write_all(b"X").unwrap();
                replace(Path::new(&name), b"Y").unwrap();
            }
            log.write_all(b"Z").unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let expected = if append { "first\nsecond\nFXYXYZ" } else { "FXYXYZsecond\n" };
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        fs::write(at("old"), "something longer").unwrap();
        fs::set_permissions(at("old"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("old", at("link")).unwrap();
        for name in ["link", "new"] {
            check(&at(name)).unwrap();
            replace(&at(name), b"text").unwrap();
            assert_eq!(fs::read_to_string(at(name)).unwrap(), "text");
        }
        assert_eq!((mode("old"), mode("new")), (0o640, 0o600));
        fs::write(at("usual"), "").unwrap();
        replace_public(&at("public"), b"text").unwrap();
        assert_eq!(mode("public"), mode("usual"));
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert!(replace(Path::new("/dev/full"), b"text").is_err());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_place_where_no_file_can_be_is_known_before() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        for (name, because) in
            [("none/x", "its folder is not there"), ("file/x", "Not a directory"), ("", "a folder")]
        {
            let told = check(&home.path().join(name)).unwrap_err().to_string();
            assert!(told.contains(because), "{name}: {told}");
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_planted_file_is_not_written_to_and_a_new_one_is_its_owners() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("victim"), "theirs").unwrap();
        symlink("victim", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        fs::hard_link(at("victim"), at("second-name")).unwrap();
        for (name, because) in
            [("link", "a link"), ("dangling", "a link"), ("second-name", "a hard link")]
        {
            let refused = own(&at(name)).unwrap_err().to_string();
            assert!(refused.contains(because), "{name}: {refused}");
        }
        assert!(existing(Path::new("/dev/null")).is_err());
        let mode = own(&at("new")).unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        own(&at("new")).unwrap();
        assert!(!at("nowhere").exists());
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "theirs");
    }
}
