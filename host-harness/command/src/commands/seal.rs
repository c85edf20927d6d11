//! `seal`: closes the imports of WASI that a toolchain cannot avoid, and leaves out exports that no
//! host calls.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use smp_distribution::file;
use smp_host::collect::sink::fault;
use smp_host::failure::{Code, Failure};
use smp_host::files::target::{self, Target};
use smp_host::limits::Limits;
use smp_host::remedy::{Place, Remedy};
use smp_host::text::{counted, grouped};
use smp_seal::{SealError, Sealed};

use super::Exit;
use super::console::Console;
use super::outputs;
use super::registry::ended;

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The component or core module that a toolchain wrote.
    #[arg(value_name = "IN.wasm")]
    input: PathBuf,
    /// Write the sealed component to this file.
    #[arg(long, short, value_name = "OUT.wasm")]
    output: PathBuf,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Seal {
    pub(crate) fn run(&self, console: &Console) -> Exit {
        if let Err(failure) = self.check() {
            return ended(&failure, console);
        }
        let shown = self.sealed().and_then(|sealed| self.show(&sealed, console));
        match shown {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    /// Refuses an output that is the input, where standard output goes, or could not be written.
    fn check(&self) -> Result<(), Failure> {
        let no_file = |message: &str| {
            Err(Failure::new(Code::InvalidSettings, message)
                .with_hint("Give the component a file, such as `dist/connector.wasm`."))
        };
        if self.output == Path::new("-") {
            return no_file("`--output -` names no file: standard output is for the result");
        }
        outputs::check_separate(&[("--output", &self.output)], &[("IN.wasm", &self.input)])?;
        if matches!(Target::of(&self.output), Ok(Target::StandardOutput)) {
            return no_file("`--output` leads to standard output, which is for the result");
        }
        target::check(&self.output).map_err(|error| self.unwritten(&error))
    }

    fn sealed(&self) -> Result<Sealed, Failure> {
        let most = Limits::default().component;
        let bytes = file::read_named(&self.input, most).map_err(|error| {
            let message = format!("{} cannot be read: {error}", self.input.display());
            Failure::new(Code::Component, message)
                .with_hint("Give the `.wasm` file that the toolchain wrote.")
                .with_remedy(Remedy::OtherComponent { contract: None })
        })?;
        let sealed = smp_seal::seal(&bytes).map_err(|error| refused(&error))?;
        target::replace_public(&self.output, &sealed.component)
            .map_err(|error| self.unwritten(&error))?;
        Ok(sealed)
    }

    fn unwritten(&self, error: &std::io::Error) -> Failure {
        fault(&self.output, error).with_remedy(Remedy::OtherPlace { of: Place::Output })
    }

    fn show(&self, sealed: &Sealed, console: &Console) -> Result<(), Failure> {
        let Sealed { component, closed, left_out } = sealed;
        let size = component.len();
        if self.json {
            return console.json_line(&json!({
                "output": self.output, "size": size, "closed": closed, "left_out": left_out,
            }));
        }
        let done = match (closed.is_empty(), left_out.is_empty()) {
            (true, true) => "nothing was open".to_owned(),
            (false, true) => format!("{} closed", counted(closed.len(), "import")),
            (true, false) => format!("{} left out", counted(left_out.len(), "export")),
            (false, false) => format!(
                "{} closed, {} left out",
                counted(closed.len(), "import"),
                counted(left_out.len(), "export")
            ),
        };
        let size = grouped(u64::try_from(size).unwrap_or(u64::MAX));
        console.note(&format!("{}: {done}; {size} bytes.", self.output.display()));
        Ok(())
    }
}

fn refused(error: &SealError) -> Failure {
    Failure::new(Code::Component, error.to_string())
        .with_hint(error.hint())
        .with_remedy(Remedy::MendConnector)
}
