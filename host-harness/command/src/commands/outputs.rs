//! The files that a collection writes: which they are, and whether they can be those, told before
//! anything is asked.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use smp_host::collect::sink::fault;
use smp_host::failure::{Code, Failure};
use smp_host::files::output::{BESIDE, beside};
use smp_host::files::target::{self, Target};
use smp_host::remedy::{Place, Remedy};

/// The name of standard output, as other programs have it.
const STANDARD: &str = "-";

/// Where a list goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// To standard output, the terminal or what follows in a pipe.
    Standard,
    /// Through a device, a pipe or a socket that has a name.
    Through(PathBuf),
    /// To a file that appears when the list is complete.
    File(PathBuf),
}

impl Output {
    /// What `--output` names, or standard output without it.
    pub(crate) fn of(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new(STANDARD)) else {
            return Ok(Self::Standard);
        };
        match Target::of(path).map_err(|error| fault(path, &error))? {
            Target::StandardOutput => Ok(Self::Standard),
            Target::Stream => Ok(Self::Through(path.to_owned())),
            Target::File(_) => Ok(Self::File(path.to_owned())),
        }
    }

    /// Refuses a checkpoint where no later run could go on: what a device or a pipe took is gone.
    pub(crate) fn check_checkpoint(&self) -> Result<(), Failure> {
        if matches!(self, Self::File(_)) {
            return Ok(());
        }
        Err(Failure::new(
            Code::InvalidSettings,
            "`--checkpoint` needs an output that is a regular file: no run can resume a list that \
             went to a device, a pipe or a socket",
        )
        .with_hint("Name a file with `--output`, or leave `--checkpoint` out."))
    }
}

/// Refuses two paths that are one file, if a run writes to one of them. Each is named by the option
/// that it was given with.
pub(crate) fn check_separate(
    written: &[(&str, &Path)],
    read: &[(&str, &Path)],
) -> Result<(), Failure> {
    for (number, (option, file)) in written.iter().enumerate() {
        if file.as_os_str().is_empty() {
            return Err(wrong(
                format!("`{option}` does not name a file"),
                "Give the name of a file.",
            ));
        }
        if *file == Path::new(STANDARD) {
            if *option == "--output" {
                continue;
            }
            return Err(wrong(
                format!("`{option} -` names no file: standard output is for the list"),
                "Give the name of a file; one of the name `-` is `./-`.",
            ));
        }
        let others = written.iter().skip(number + 1).chain(read);
        if let Some((other, _)) = others.into_iter().find(|(_, other)| are_one(file, other)) {
            return Err(wrong(
                format!("`{option}` and `{other}` are the same file"),
                "Give each a separate file.",
            ));
        }
    }
    Ok(())
}

/// Refuses an output, a checkpoint or a report that could not be written at the end of a run.
pub(crate) fn check_places(
    output: &Output,
    checkpoint: Option<&Path>,
    report: Option<&Path>,
) -> Result<(), Failure> {
    if let Output::File(path) = output {
        target::check(path).map_err(|error| fault(path, &error))?;
    }
    if let Some(path) = report {
        target::check(path).map_err(|error| no_report(path, &error))?;
    }
    match checkpoint {
        // It is written in place.
        Some(path) if fs::metadata(path).is_ok_and(|there| there.is_file()) => Ok(()),
        Some(path) => target::check(path).map_err(|error| {
            Failure::new(
                Code::Checkpoint,
                format!("`{}` cannot be a checkpoint: {error}", path.display()),
            )
            .with_hint("Name a file in a folder that exists and that this user may write to.")
            .with_remedy(Remedy::OtherPlace { of: Place::Checkpoint })
        }),
        None => Ok(()),
    }
}

/// The failure of a report that cannot be written.
pub(crate) fn no_report(path: &Path, error: &io::Error) -> Failure {
    fault(path, error).with_remedy(Remedy::MakeRoom { of: Place::Report })
}

fn wrong(message: String, hint: &str) -> Failure {
    Failure::new(Code::InvalidSettings, message).with_hint(hint)
}

/// Whether two paths lead to one file, or one of them to a temporary file of the other: by name
/// where there is none yet, and by device and inode where there is one.
fn are_one(one: &Path, other: &Path) -> bool {
    let (one, other) = (named(one), named(other));
    let taken =
        |by: &Path, path: &Path| BESIDE.iter().any(|suffix| same(&beside(by, suffix), path));
    same(&one, &other) || taken(&one, &other) || taken(&other, &one)
}

fn same(one: &Path, other: &Path) -> bool {
    // Devices such as `/dev/null` hold nothing that a second writer could damage.
    let identity = |path| {
        let there = fs::metadata(path).ok()?;
        let device = there.file_type().is_char_device();
        Some((device, there.dev(), there.ino()))
    };
    match (identity(one), identity(other)) {
        (Some((true, ..)), _) | (_, Some((true, ..))) => false,
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// The one name of a path's target: links, also in its folders, and `..` are followed as far as
/// they exist.
fn named(path: &Path) -> PathBuf {
    let path = match Target::of(path) {
        Ok(Target::File(target)) => target,
        _ => path.to_owned(),
    };
    let through_its_folder =
        || Some(target::folder(&path).canonicalize().ok()?.join(path.file_name()?));
    through_its_folder().or_else(|| std::path::absolute(&path).ok()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_paths_to_one_file_are_known_however_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::write(at("list"), "").unwrap();
        fs::hard_link(at("list"), at("hard")).unwrap();
        for (to, link) in [
            ("data", "link"),
            ("list", "alias"),
            ("new.csv", "dangling"),
            ("new.csv", "dangling-too"),
            ("data/../new.csv.partial", "planted"),
        ] {
            std::os::unix::fs::symlink(to, at(link)).unwrap();
        }
        for (one, other, expected) in [
            ("m.csv", "m.csv", true),
            ("m.csv", "data/../m.csv", true),
            ("data/m.csv", "link/m.csv", true),
            ("list", "alias", true),
            ("list", "hard", true),
            ("alias", "hard", true),
            ("dangling", "new.csv", true),
            ("dangling", "dangling-too", true),
            ("new.csv", "planted", true),
            ("m.csv", "m.csv.partial", true),
            ("m.csv.previous", "m.csv", true),
            ("m.csv", "m.csv.incomplete", true),
            ("m.csv", "m.json", false),
            ("m.csv", "data/m.csv", false),
            ("missing/m.csv", "m.csv", false),
            ("/dev/null", "/dev/null", false),
        ] {
            assert_eq!(are_one(&at(one), &at(other)), expected, "{one} {other}");
            assert_eq!(are_one(&at(other), &at(one)), expected, "{other} {one}");
        }
    }
}
