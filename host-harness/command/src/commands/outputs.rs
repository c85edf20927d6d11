//! The files that a collection writes: which they are, and whether they can be those, told before
//! anything is asked.

use std::path::{Path, PathBuf};

use smp_host::collect::sink::fault;
use smp_host::failure::{Code, Failure};
use smp_host::files::target::Target;

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
        let Some(path) = path else { return Ok(Self::Standard) };
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
