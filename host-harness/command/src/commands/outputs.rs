//! The files that a collection writes: which they are, and whether they can be those, told before
//! anything is asked.

use std::fs;
use std::io;
use std::os::fd::AsFd;
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
            Target::Stream | Target::Descriptor(_) => Ok(Self::Through(path.to_owned())),
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
        if let Some(stream) = Standing::of_this_process().into_iter().find(|it| it.is(file)) {
            return Err(wrong(
                format!("`{option}` is the file that {} goes to", stream.name),
                "Give each a separate file.",
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

/// Refuses a report on standard output, where the list goes.
pub(crate) fn check_report(output: &Output, report: Option<&Path>) -> Result<(), Failure> {
    let on_standard = |path| matches!(Target::of(path), Ok(Target::StandardOutput));
    if *output == Output::Standard && report.is_some_and(on_standard) {
        return Err(wrong(
            "`--report` leads to standard output, which is for the list".into(),
            "Give the report a file, or the list one with `--output`.",
        ));
    }
    Ok(())
}

/// Refuses files inside the folder of the fixture that this option names: what was recorded is not
/// written over.
pub(crate) fn check_fixture(
    written: &[(&str, &Path)],
    named_by: &str,
    fixture: Option<&Path>,
) -> Result<(), Failure> {
    let Some(folder) = fixture.and_then(|fixture| fixture.canonicalize().ok()) else {
        return Ok(());
    };
    match written.iter().find(|(_, file)| named(file).starts_with(&folder)) {
        Some((option, _)) => Err(wrong(
            format!("`{option}` is a file inside the folder of `{named_by}`"),
            "Give it a place outside the fixture, which would be another one afterwards.",
        )),
        None => Ok(()),
    }
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

/// A regular file that a standard stream of this process goes to.
struct Standing {
    name: &'static str,
    device: u64,
    inode: u64,
}

impl Standing {
    fn of_this_process() -> Vec<Self> {
        let streams = [
            ("standard output", io::stdout().as_fd().try_clone_to_owned()),
            ("standard error", io::stderr().as_fd().try_clone_to_owned()),
        ];
        let standing = streams.into_iter().filter_map(|(name, stream)| {
            let there = fs::File::from(stream.ok()?).metadata().ok()?;
            let (device, inode) = (there.dev(), there.ino());
            there.is_file().then_some(Self { name, device, inode })
        });
        standing.collect()
    }

    /// Whether a path, which would be replaced, leads to it, or one of its temporary files does.
    fn is(&self, path: &Path) -> bool {
        let Ok(Target::File(path)) = Target::of(path) else { return false };
        let taken = BESIDE.iter().map(|suffix| beside(&path, suffix));
        taken.chain([path.clone()]).any(|path| {
            fs::metadata(path)
                .is_ok_and(|there| (there.dev(), there.ino()) == (self.device, self.inode))
        })
    }
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
    fn what_is_written_is_not_in_the_folder_of_the_fixture() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("fixture/bodies")).unwrap();
        fs::write(at("fixture/traffic.har"), "").unwrap();
        std::os::unix::fs::symlink("fixture", at("link")).unwrap();
        for (file, fixture, is_refused) in [
            ("fixture/traffic.har", "fixture", true),
            ("fixture/bodies/new", "link", true),
            ("link/new.csv", "fixture", true),
            ("fixture/../new.csv", "fixture", false),
            ("fixture.csv", "fixture", false),
            ("new.csv", "none", false),
        ] {
            let (file, fixture) = (at(file), at(fixture));
            let checked = check_fixture(&[("--report", &file)], "--fixture", Some(&fixture));
            assert_eq!(checked.is_err(), is_refused, "{file:?} {fixture:?}");
        }
    }

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
