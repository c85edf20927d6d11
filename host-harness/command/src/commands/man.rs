//! `man`: the manual pages, made from the same arguments as `--help`.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_mangen::Man;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::{Place, Remedy};

use super::Exit;
use super::console::{Console, is_a_key};
use super::entered::{arguments, no_key_among};

#[derive(Debug, Args)]
pub(crate) struct ManPages {
    /// Write a page for the command and one for each subcommand into this folder; without it, the
    /// command's own page goes to standard output.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl ManPages {
    pub(crate) fn run(self, console: &Console) -> Exit {
        if let Err(refusal) = no_key_among(arguments(), is_a_key) {
            return refusal.shown(console);
        }
        let written = match &self.output {
            Some(folder) => std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(super::Arguments::command(), folder))
                .map_err(|error| unwritten(folder, &error)),
            None => page()
                .map_err(|error| super::console::output_fault(&error))
                .and_then(|page| console.data(&page)),
        };
        match written {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }
}

fn page() -> io::Result<String> {
    let mut page = Vec::new();
    // As in the folder: `help` has no page.
    Man::new(super::Arguments::command().disable_help_subcommand(true)).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn unwritten(folder: &std::path::Path, error: &io::Error) -> Failure {
    Failure::new(
        Code::Output,
        format!("the manual pages cannot be written to `{}`: {error}", folder.display()),
    )
    .with_remedy(Remedy::MakeRoom { of: Place::Output })
    .with_hint("Name a folder that you may write to.")
}
