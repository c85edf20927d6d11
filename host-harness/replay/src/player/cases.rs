//! Finds the fixture cases in the folders that a check is given.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::case::name_of;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// The files that mark the folder of a case. One of them may be missing.
const FILES: [&str; 2] = ["traffic.har", "settings.json"];

/// The cases in these folders, each of which is a case or a folder of cases; by name, each once. A
/// folder beside cases that has files but is not a case is included: opening it reports what is
/// missing.
///
/// # Errors
/// `invalid-settings` if a folder cannot be read, has no case, or is a case and contains cases too.
pub fn find(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let (mut cases, mut taken) = (Vec::new(), BTreeSet::new());
    for folder in folders {
        let shown = smp_host::text::shortened(&folder.to_string_lossy(), 200).into_owned();
        let refused = |why: String| {
            Failure::new(Code::InvalidSettings, format!("`fixtures {shown}`: {why}"))
                .with_remedy(Remedy::CorrectInput { input: "fixtures" })
                .with_hint(
                    "Give the folder of a case, which holds settings.json and traffic.har, or a \
                     folder of such folders.",
                )
        };
        let unreadable = |error: io::Error| refused(format!("the folder cannot be read: {error}"));
        let mut below = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() && !name_of(&path).starts_with('.') {
                below.push((is_case(&path).map_err(unreadable)?, path));
            }
        }
        let has_cases = below.iter().any(|(is_case, _)| *is_case);
        let found = match is_case(folder).map_err(unreadable)? {
            true if has_cases => {
                return Err(refused("the folder is a case and contains cases too".into()));
            }
            true => vec![folder.clone()],
            false if !has_cases => return Err(refused("there is no fixture in the folder".into())),
            false => {
                let mut found = Vec::new();
                for (is_case, path) in below {
                    if is_case || holds_files(&path).map_err(unreadable)? {
                        found.push(path);
                    }
                }
                found.sort_by_key(|path| name_of(path));
                found
            }
        };
        for case in found {
            if taken.insert(case.canonicalize().map_err(unreadable)?) {
                cases.push(case);
            }
        }
    }
    Ok(cases)
}

/// Whether one of the files of a case exists, of any type.
fn is_case(folder: &Path) -> io::Result<bool> {
    for file in FILES {
        match folder.join(file).symlink_metadata() {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn holds_files(folder: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        if !entry?.file_type()?.is_dir() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_and_a_folder_of_cases_are_told_apart() {
        let top = tempfile::tempdir().unwrap();
        for case in ["b", "a", "notes"] {
            std::fs::create_dir(top.path().join(case)).unwrap();
        }
        let refusal = find(&[top.path().into()]).unwrap_err();
        assert!(
            refusal.message.ends_with("there is no fixture in the folder"),
            "{}",
            refusal.message
        );
        std::fs::write(top.path().join("a/traffic.har"), "{}").unwrap();
        std::fs::write(top.path().join("b/settings.json"), "{}").unwrap();
        assert_eq!(
            find(&[top.path().into()]).unwrap(),
            [top.path().join("a"), top.path().join("b")]
        );
        assert_eq!(find(&[top.path().join("a")]).unwrap(), [top.path().join("a")]);
        assert_eq!(find(&[top.path().join("none")]).unwrap_err().code, Code::InvalidSettings);
        assert_eq!(
            find(&[top.path().join("b/../a"), top.path().join("a")]).unwrap(),
            [top.path().join("b/../a")],
            "it is taken once"
        );
        std::fs::write(top.path().join("notes/trafic.har"), "{}").unwrap();
        assert_eq!(
            find(&[top.path().into()]).unwrap(),
            ["a", "b", "notes"].map(|name| top.path().join(name)),
            "it is reported later"
        );
        std::fs::write(top.path().join("settings.json"), "{}").unwrap();
        let refusal = find(&[top.path().into()]).unwrap_err();
        assert!(
            refusal.message.ends_with("the folder is a case and contains cases too"),
            "{}",
            refusal.message
        );
    }
}
