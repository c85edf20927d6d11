//! `--html`: a report for people as one file, a page that stands alone. Where it can go is checked
//! before any work begins, as for the report of a run.

use std::path::{Path, PathBuf};

use clap::Args;
use smp_host::collect::sink::fault;
use smp_host::failure::{Code, Failure};
use smp_host::files::target::{self, Target};
use smp_host::remedy::{Place, Remedy};

use super::outputs;

/// Name of the option.
const OPTION: &str = "--html";

/// Where a report for people goes.
#[derive(Debug, Args)]
pub(crate) struct PageArguments {
    /// Write the report to this file too, as a page for people: static HTML, without a script.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl PageArguments {
    /// Refuses a page that would replace a file that is read, lies inside a fixture or a folder of
    /// fixtures, goes where standard output goes, or could not be written.
    ///
    /// # Errors
    /// `invalid-settings` or `output`.
    pub(crate) fn check(
        &self,
        read: &[(&str, &Path)],
        fixtures: &[&[PathBuf]],
    ) -> Result<(), Failure> {
        let Some(file) = self.html.as_deref() else { return Ok(()) };
        let wrong = |message: &str| {
            Err(Failure::new(Code::InvalidSettings, message)
                .with_hint("Give the page a file of its own, such as `report.html`."))
        };
        if file == Path::new("-") {
            return wrong("`--html -` names no file: standard output is for the result");
        }
        let written = [(OPTION, file)];
        outputs::check_separate(&written, read)?;
        for folder in fixtures.iter().copied().flatten() {
            outputs::check_fixture(&written, "--fixtures", Some(folder))?;
        }
        if matches!(Target::of(file), Ok(Target::StandardOutput)) {
            return wrong("`--html` leads to standard output, which is for the result");
        }
        target::check(file).map_err(|error| no_page(file, &error))
    }

    /// Writes the page, if it is wanted.
    ///
    /// # Errors
    /// `output` if it cannot be written.
    pub(crate) fn write(&self, page: impl FnOnce() -> String) -> Result<(), Failure> {
        let Some(file) = self.html.as_deref() else { return Ok(()) };
        target::replace(file, page().as_bytes()).map_err(|error| no_page(file, &error))
    }
}

fn no_page(file: &Path, error: &std::io::Error) -> Failure {
    fault(file, error).with_remedy(Remedy::MakeRoom { of: Place::Page })
}
