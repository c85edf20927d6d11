//! The command `smp-harness`: a thin layer over the library, one file per command.

use std::process::ExitCode;

use clap::Parser;

mod commands;
mod show;

fn main() -> ExitCode {
    if let Some(job) = commands::job_of_worker() {
        return smp_host::component::worker::work(&job);
    }
    match commands::Arguments::try_parse() {
        Ok(arguments) => commands::run(arguments),
        Err(error) => commands::console::wrong_arguments(error),
    }
}
