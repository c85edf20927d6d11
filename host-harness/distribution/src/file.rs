//! Reads files of a package and of its signer, within bounds.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The bytes of a regular file that is not larger than this. A link could lead to a file that its
/// author must not see, and a pipe would never end.
///
/// # Errors
/// If it cannot be read, is a link or not a file (`InvalidInput`), or is larger (`FileTooLarge`).
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what);
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(|error| {
        match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => refused("it is a link"),
            _ => error,
        }
    })?;
    if !file.metadata()?.is_file() {
        return Err(refused("it is not a file"));
    }
    bounded(file, most)
}

/// The bytes of a file that the user named. A link is followed, and a pipe is read to its end.
///
/// # Errors
/// If it cannot be read, or is larger (`FileTooLarge`).
pub fn read_named(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(File::open(path)?, most)
}

/// At most this many first bytes of a file that the user named.
///
/// # Errors
/// If it cannot be read.
pub fn beginning_of(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn bounded(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {most} bytes"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_a_folder_and_a_large_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, b"abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&file, 3).unwrap(), b"abc");
        assert_eq!(read_named(&link, 3).unwrap(), b"abc");
        let kind = |path: &Path, most| read(path, most).unwrap_err().kind();
        assert_eq!(kind(&link, 3), io::ErrorKind::InvalidInput);
        assert_eq!(kind(folder.path(), 3), io::ErrorKind::InvalidInput);
        assert_eq!(kind(&file, 2), io::ErrorKind::FileTooLarge);
        assert_eq!(kind(&folder.path().join("none"), 3), io::ErrorKind::NotFound);
    }
}
