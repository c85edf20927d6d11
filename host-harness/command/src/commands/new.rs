//! `new`: makes the project of a connector, outside of this repository, that passes its check.
//!
//! The project is whole: the contract, lock files, the exact flags of its toolchain, recorded
//! cases, and for Rust the source of the kit. Making it needs no network.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use smp_host::contract;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::{Place, Remedy};
use smp_seal::wit;

use super::Exit;
use super::console::Console;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/templates.rs"));
}

/// Longest identifier: it is a label of the example's host name.
const LONGEST_ID: usize = 63;

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder to make. It must not exist yet, or be empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The language to write it in.
    #[arg(long, value_enum)]
    language: Language,
    /// The connector's identifier: small letters, digits and hyphens. By default the name of the
    /// folder.
    #[arg(long, value_name = "ID", value_parser = identifier)]
    id: Option<String>,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// With the kit, for `wasm32-unknown-unknown`.
    Rust,
    /// On QuickJS.
    Js,
    /// On CPython.
    Python,
    /// With clang and wasi-libc.
    C,
}

impl New {
    pub(crate) fn run(&self, console: &Console) -> Exit {
        let id = match self.id() {
            Ok(id) => id,
            Err(failure) => return console.wrong_usage(&failure),
        };
        let files = files(self.language, &id);
        let shown = write(&self.folder, &files)
            .map_err(|error| self.unwritten(&error))
            .and_then(|()| self.show(&id, files.len(), console));
        match shown {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    fn id(&self) -> Result<String, Failure> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        // The name that `.` stands for, too.
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let last = folder.components().next_back();
        let name = match last {
            Some(Component::Normal(name)) => name.to_str().unwrap_or_default(),
            _ => "",
        };
        identifier(name).map_err(|error| {
            Failure::new(
                Code::InvalidSettings,
                format!("the name of the folder is no identifier of a connector: {error}"),
            )
            .with_hint("Give one with `--id ID`.")
        })
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        let folder = self.folder.display();
        let message = match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => format!("{folder} is not empty"),
            io::ErrorKind::NotADirectory => format!("{folder} is, or leads through, a file"),
            _ => format!("{folder} cannot be made: {error}"),
        };
        Failure::new(Code::Output, message)
            .with_hint("Name a folder that is empty or does not exist yet, where you may write.")
            .with_remedy(Remedy::OtherPlace { of: Place::Stream })
    }

    fn show(&self, id: &str, files: usize, console: &Console) -> Result<(), Failure> {
        let folder = self.folder.display();
        if self.json {
            return console.json_line(&json!({"output": self.folder, "id": id, "files": files}));
        }
        console.note(&format!(
            "{folder}: {files} files of the connector `{id}`. README.md says what it needs; `make \
             check` in there builds and checks it."
        ));
        Ok(())
    }
}

/// An identifier of a connector.
fn identifier(text: &str) -> Result<String, String> {
    let is_letter = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
    let fits = text.len() <= LONGEST_ID
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(is_letter);
    if fits {
        return Ok(text.to_owned());
    }
    Err(format!(
        "it has small letters, digits and hyphens, begins with a letter, and is at most \
         {LONGEST_ID} long"
    ))
}

/// The name of a connector for people, made of its identifier.
fn name(id: &str) -> String {
    let capitalized = |word: &str| {
        let mut signs = word.chars();
        signs.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + signs.as_str()
        })
    };
    let words: Vec<_> = id.split('-').filter(|word| !word.is_empty()).map(capitalized).collect();
    words.join(" ")
}

/// Paths in the project, and their content.
fn files(language: Language, id: &str) -> Vec<(String, String)> {
    let filled = |text: &str| {
        [
            ("{{ID}}", id),
            ("{{NAME}}", &name(id)),
            ("{{VERSION}}", env!("CARGO_PKG_VERSION")),
            ("{{CONTRACT}}", contract::VERSION),
        ]
        .iter()
        .fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
    };
    let common = |name: &str| {
        let found = embedded::FILES.iter().find(|(path, _)| *path == format!("common/{name}"));
        found.map_or("", |(_, text)| *text)
    };
    let own = match language {
        Language::Rust => "rust/",
        Language::Js => "js/",
        Language::Python => "python/",
        Language::C => "c/",
    };
    let mut files: Vec<(String, String)> = Vec::new();
    for (path, text) in embedded::FILES {
        if let Some(path) = path.strip_prefix("common/fixtures/") {
            files.push((format!("fixtures/{path}"), filled(text)));
        } else if *path == "common/changelog" {
            files.push(("CHANGELOG.md".to_owned(), filled(text)));
        } else if let Some(path) = path.strip_prefix(own) {
            let (path, text) = match path {
                "gitignore" => (".gitignore", (*text).to_owned()),
                "readme" => ("README.md", (*text).to_owned()),
                "kit.toml" => ("vendor/smp-connector-kit/Cargo.toml", (*text).to_owned()),
                "Makefile" => {
                    (path, [common("Makefile.begin"), text, common("Makefile.end")].concat())
                }
                _ => (path, (*text).to_owned()),
            };
            files.push((path.to_owned(), filled(&text)));
        } else if let Some(path) = path.strip_prefix("kit/").filter(|_| language == Language::Rust)
        {
            files.push((format!("vendor/smp-connector-kit/{path}"), (*text).to_owned()));
        }
    }
    files.extend(wit::FILES.map(|(name, text)| (format!("wit/{name}"), text.to_owned())));
    files
}

/// Writes all files or none: into a new folder, or into an empty one that is there, which stays
/// itself.
fn write(folder: &Path, files: &[(String, String)]) -> io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let is_there = fs::symlink_metadata(&folder).is_ok();
    if is_there && fs::read_dir(&folder)?.next().is_some() {
        return Err(io::ErrorKind::DirectoryNotEmpty.into());
    }
    if !is_there {
        fs::create_dir_all(parent)?;
    }
    let staging = tempfile::tempdir_in(if is_there { &folder } else { parent })?;
    for (path, text) in files {
        let path = staging.path().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    if is_there {
        return moved_up(staging.path(), &folder);
    }
    // As any program makes a folder; a temporary one is for its owner alone.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(staging.path(), mode)?;
    // It replaces an empty folder and nothing else.
    fs::rename(staging.path(), &folder)
}

/// Moves everything from one folder into another, or nothing.
fn moved_up(from: &Path, to: &Path) -> io::Result<()> {
    let mut moved = Vec::new();
    let done = move_each(from, to, &mut moved);
    if done.is_err() {
        for (back, place) in moved {
            let _ = fs::rename(place, back);
        }
    }
    done
}

fn move_each(from: &Path, to: &Path, moved: &mut Vec<(PathBuf, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        fs::rename(entry.path(), &place)?;
        moved.push((entry.path(), place));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_label() {
        for id in ["a", "rosterly", "my-service2"] {
            assert_eq!(identifier(id).as_deref(), Ok(id));
        }
        for id in ["", "-a", "a-", "2a", "A", "a b", "a.b", &"a".repeat(64)] {
            assert!(identifier(id).is_err(), "{id}");
        }
        assert_eq!(name("my-service2"), "My Service2");
    }

    #[test]
    fn every_project_is_whole_and_names_nothing_but_itself() {
        for (language, some) in [
            (Language::Rust, "vendor/smp-connector-kit/src/lib.rs"),
            (Language::Js, "package-lock.json"),
            (Language::Python, "requirements.txt"),
            (Language::C, "generated/connector_plugin.h"),
        ] {
            let files = files(language, "my-service");
            for path in [
                some,
                "Makefile",
                "README.md",
                "CHANGELOG.md",
                ".gitignore",
                "wit/world.wit",
                "fixtures/people-on-two-pages/expected.json",
            ] {
                assert!(files.iter().any(|(have, _)| have == path), "{language:?}: {path}");
            }
            for (path, text) in &files {
                assert!(!text.contains("{{ID}}") && !text.contains("{{NAME}}"), "{path}");
            }
        }
    }

    #[test]
    fn the_vendored_kit_needs_what_the_kit_needs() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| -> toml::Table {
            fs::read_to_string(here.join(path)).unwrap().parse().unwrap()
        };
        let (kit, vendored) =
            (read("../../connector/kit/Cargo.toml"), read("templates/rust/kit.toml"));
        let workspace = read("../../Cargo.toml");
        assert_eq!(kit["features"], vendored["features"]);
        assert_eq!(kit["target"], vendored["target"]);
        let mut needs = kit["dependencies"].as_table().unwrap().clone();
        needs["wit-bindgen"] = workspace["workspace"]["dependencies"]["wit-bindgen"].clone();
        assert_eq!(&needs, vendored["dependencies"].as_table().unwrap());
    }

    #[test]
    fn a_folder_that_holds_something_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let files = [("a/b.txt".to_owned(), "text".to_owned())];
        fs::write(folder.path().join("mine"), "").unwrap();
        let error = write(folder.path(), &files).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty);
        let file = write(&folder.path().join("mine"), &files).unwrap_err();
        assert_eq!(file.kind(), io::ErrorKind::NotADirectory);
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
        let before = inode(&empty);
        write(&empty, &files).unwrap();
        // A shell that stands in it stays in it.
        assert_eq!(inode(&empty), before);
        assert_eq!(fs::read_dir(&empty).unwrap().count(), 1);
        write(&folder.path().join("deep/new"), &files).unwrap();
        for made in ["empty/a/b.txt", "deep/new/a/b.txt"] {
            assert_eq!(fs::read_to_string(folder.path().join(made)).unwrap(), "text");
        }
    }
}
