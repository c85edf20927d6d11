//! The folders where this program stores its own files: approvals, compiled components.

use std::path::PathBuf;

/// This program's folder of a kind, by the XDG base directory specification. `None` without a home.
pub(crate) fn home_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))?;
    Some(base.join("smp-harness"))
}
