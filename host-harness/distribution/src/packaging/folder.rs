//! Writes the folder of a package: whole or not at all, and never over anything but a package.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;
use smp_host::text;

/// A file of a package: its name and its bytes.
pub type Named = (String, Vec<u8>);

/// The result of writing a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was created.
    New,
    /// Another package of this version was there and was replaced.
    Replaced,
    /// It was there before with the same bytes.
    Unchanged,
}

/// The digests of these files, in the form of `sha256sum`.
#[must_use]
pub fn sums(files: &[Named]) -> Vec<u8> {
    let mut sorted: Vec<&Named> = files.iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let lines = sorted.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes).hex()));
    lines.collect::<String>().into_bytes()
}

/// Writes the files into a new folder.
///
/// # Errors
/// `output` if it cannot be written, or if the folder contains a file that packaging did not make,
/// such as a signature.
pub fn write(folder: &Path, files: &[Named]) -> Result<Written, Failure> {
    let written = match standing(folder, files).map_err(|error| unwritable(folder, &error))? {
        Standing::Nothing => Written::New,
        Standing::Same => return Ok(Written::Unchanged),
        Standing::Package => Written::Replaced,
        Standing::Other(name) => {
            return Err(Failure::new(
                Code::Output,
                format!(
                    "`{}` is not replaced: packaging did not make its `{}`",
                    shown(folder),
                    text::shortened(&name, 100)
                ),
            )
            .with_remedy(Remedy::NewVersion)
            .with_hint(
                "A signed package is final: give the connector a new version, or remove the \
                 folder if it was never published.",
            ));
        }
    };
    place(folder, files).map_err(|error| unwritable(folder, &error))?;
    Ok(written)
}

/// The present content of the folder.
enum Standing {
    Nothing,
    /// These files, and perhaps others.
    Same,
    /// Files of these names, and no others.
    Package,
    /// A file that is not part of it.
    Other(String),
}

fn standing(folder: &Path, files: &[Named]) -> io::Result<Standing> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
        entries => entries?,
    };
    if files.iter().all(|(name, bytes)| holds(&folder.join(name), bytes)) {
        return Ok(Standing::Same);
    }
    let ours: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for entry in entries {
        let name = entry?.file_name();
        if name.to_str().is_none_or(|name| !ours.contains(name)) {
            return Ok(Standing::Other(name.to_string_lossy().into_owned()));
        }
    }
    Ok(Standing::Package)
}

/// Whether the file has these bytes.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut there = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(length.saturating_add(1)).read_to_end(&mut there));
    read.is_ok() && there == bytes
}

/// Writes a folder beside the old one, then replaces the old one with it.
fn place(folder: &Path, files: &[Named]) -> io::Result<()> {
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map_or(PathBuf::from("."), Path::to_path_buf);
    std::fs::create_dir_all(&parent)?;
    let draft = tempfile::Builder::new().prefix(".package-").tempdir_in(&parent)?;
    let inside = draft.path().join("new");
    std::fs::create_dir(&inside)?;
    for (name, bytes) in files {
        let mut file = File::create_new(inside.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    if folder.exists() {
        std::fs::rename(folder, draft.path().join("old"))?;
    }
    std::fs::rename(&inside, folder)
}

fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::Output, format!("`{}` cannot be written: {error}", shown(folder)))
        .with_hint("Name a folder that can be written to, with room for the package.")
}

fn shown(folder: &Path) -> String {
    text::shortened(&folder.to_string_lossy(), 200).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<Named> {
        vec![("one".into(), text.into()), ("two".into(), b"2".to_vec())]
    }

    #[test]
    fn the_sums_are_those_of_other_tools_sorted_by_name() {
        let files = [("b".to_owned(), Vec::new()), ("a".to_owned(), b"abc".to_vec())];
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  \
                        a\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n";
        assert_eq!(String::from_utf8(sums(&files)).unwrap(), expected);
    }

    #[test]
    fn a_package_is_written_once_and_replaced_by_another_of_its_version() {
        let output = tempfile::tempdir().unwrap();
        let folder = output.path().join("deep/example-1.2.3");
        assert_eq!(write(&folder, &files("1")).unwrap(), Written::New);
        assert_eq!(write(&folder, &files("1")).unwrap(), Written::Unchanged);
        assert_eq!(write(&folder, &files("other")).unwrap(), Written::Replaced);
        assert_eq!(std::fs::read(folder.join("one")).unwrap(), b"other");
        assert_eq!(
            std::fs::read_dir(output.path().join("deep")).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_packaging_did_not_make_is_never_replaced() {
        let output = tempfile::tempdir().unwrap();
        let folder = output.path().join("example-1.2.3");
        write(&folder, &files("1")).unwrap();
        std::fs::write(folder.join("SHA256SUMS.sig"), "signed").unwrap();
        assert_eq!(write(&folder, &files("1")).unwrap(), Written::Unchanged);
        let failure = write(&folder, &files("other")).unwrap_err();
        assert_eq!(failure.code, Code::Output);
        assert!(failure.message.contains("`SHA256SUMS.sig`"), "{}", failure.message);
        assert_eq!(std::fs::read(folder.join("one")).unwrap(), b"1");
    }

    #[test]
    fn a_file_in_its_place_is_an_error() {
        let output = tempfile::tempdir().unwrap();
        let file = output.path().join("example-1.2.3");
        std::fs::write(&file, "mine").unwrap();
        assert_eq!(write(&file, &files("1")).unwrap_err().code, Code::Output);
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    }
}
