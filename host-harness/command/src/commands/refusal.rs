//! Why a command cannot begin its work, and the exit that this means.

use smp_host::failure::{Code, Failure};

use super::Exit;
use super::console::Console;

/// Why there is no source.
pub(crate) struct Refusal {
    pub(crate) failure: Box<Failure>,
    pub(crate) exit: Exit,
}

impl Refusal {
    /// Wrong usage of the command line.
    pub(crate) fn usage(failure: Failure) -> Self {
        Self { failure: Box::new(failure), exit: Exit::Usage }
    }

    /// What a failure of a command means that needs no run: a request that is impossible is wrong
    /// usage.
    pub(crate) fn of(failure: Failure) -> Self {
        if failure.code == Code::InvalidSettings { Self::usage(failure) } else { failure.into() }
    }

    /// Shows the reason, and returns the exit.
    pub(crate) fn shown(&self, console: &Console) -> Exit {
        console.failure(&self.failure);
        self.exit
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure: Box::new(failure), exit: Exit::Failed }
    }
}
