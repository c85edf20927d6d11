//! Which fixture cases a check is given.

use std::path::{Path, PathBuf};

use super::bench::name_of;
use crate::failure::{Code, Failure};

/// The files by which the folder of a case is known, also where one of them is missing.
const FILES: [&str; 2] = ["traffic.har", "settings.json"];

/// The cases in these folders, each of which is a case or a folder of cases; by name.
///
/// # Errors
/// `invalid-settings`, where a folder is not there or holds no case.
pub fn find(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut cases = Vec::new();
    for folder in folders {
        let shown = crate::text::shortened(&folder.to_string_lossy(), 200).into_owned();
        let refused = |why: String| {
            Failure::new(Code::InvalidSettings, format!("`--fixtures {shown}`: {why}"))
                .with_hint("Give the folder of a case, which holds settings.json and traffic.har, or a folder of such folders.")
        };
        if is_case(folder) {
            cases.push(folder.clone());
            continue;
        }
        let entries = std::fs::read_dir(folder).map_err(|error| refused(format!("the folder cannot be read: {error}")))?;
        let mut below: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_case(path)).collect();
        if below.is_empty() {
            return Err(refused("there is no fixture in the folder".into()));
        }
        below.sort_by_key(|path| name_of(path));
        cases.extend(below);
    }
    Ok(cases)
}

fn is_case(folder: &Path) -> bool {
    FILES.iter().any(|file| folder.join(file).is_file())
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
        assert!(refusal.message.ends_with("there is no fixture in the folder"), "{}", refusal.message);
        std::fs::write(top.path().join("a/traffic.har"), "{}").unwrap();
        std::fs::write(top.path().join("b/settings.json"), "{}").unwrap();
        assert_eq!(find(&[top.path().into()]).unwrap(), [top.path().join("a"), top.path().join("b")]);
        assert_eq!(find(&[top.path().join("a")]).unwrap(), [top.path().join("a")]);
        assert_eq!(find(&[top.path().join("none")]).unwrap_err().code, Code::InvalidSettings);
    }
}
