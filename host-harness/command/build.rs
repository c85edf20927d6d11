//! Tells the command which commit it is built from, for `--version`.
//!
//! Only the commit: no date, host or user name, so that two builds of a commit are the same. A
//! copy without git, or one inside the repository of another project, has no commit.

use std::process::Command;

/// The files that git writes when another commit is checked out.
const WATCHED: [&str; 3] = ["HEAD", "logs/HEAD", "packed-refs"];

fn main() {
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
}

/// What git answers; nothing where it fails or is not installed.
fn git(arguments: &[&str]) -> Option<String> {
    let ended = Command::new("git").args(arguments).output().ok()?;
    let answer = String::from_utf8(ended.stdout).ok()?;
    (ended.status.success() && !answer.trim().is_empty()).then(|| answer.trim().to_owned())
}
