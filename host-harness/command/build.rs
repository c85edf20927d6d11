//! Tells the command which commit it is built from, for `--version`, and embeds the templates of
//! `new`.
//!
//! Of the build only the commit: no date, host or user name, so that two builds of a commit are
//! the same. A
//! copy without git, or one inside the repository of another project, has no commit.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The files that git writes when another commit is checked out.
const WATCHED: [&str; 3] = ["HEAD", "logs/HEAD", "packed-refs"];

fn main() -> io::Result<()> {
    embed()?;
    println!("cargo::rerun-if-changed=build.rs");
    // A file that git does not track belongs to no commit of the repository around it.
    let tracked = git(&["ls-files", "--error-unmatch", "build.rs"]).is_some();
    let commit = if tracked { git(&["rev-parse", "HEAD"]) } else { None };
    if let Some(commit) = commit {
        println!("cargo::rustc-env=SMP_HARNESS_COMMIT={commit}");
    }
    for file in WATCHED {
        let path = git(&["rev-parse", "--git-path", file]);
        if let Some(path) = path.filter(|path| std::path::Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Ok(())
}

/// Writes the table of all templates, by path.
fn embed() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    // The source of the kit, for projects in Rust.
    for (folder, name) in [("templates", ""), ("../../connector/kit/src", "kit/src/")] {
        let folder = here.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        walk(&folder, name, &mut files)?;
    }
    files.sort();
    let mut table = String::from("pub(super) const FILES: &[(&str, &str)] = &[\n");
    for (name, path) in files {
        let _ = writeln!(table, "({name:?}, include_str!({path:?})),");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("templates.rs"), table)
}

fn walk(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

/// What git answers; nothing where it fails or is not installed.
fn git(arguments: &[&str]) -> Option<String> {
    let ended = Command::new("git").args(arguments).output().ok()?;
    let answer = String::from_utf8(ended.stdout).ok()?;
    (ended.status.success() && !answer.trim().is_empty()).then(|| answer.trim().to_owned())
}
