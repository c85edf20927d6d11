//! The command `smp-harness`: a thin layer over the library, one file per command.

use std::process::ExitCode;

use clap::Parser;

mod commands;
mod show;

fn main() -> ExitCode {
    match commands::Arguments::try_parse() {
        Ok(arguments) => commands::run(arguments),
        Err(error) => commands::console::wrong_arguments(error),
    }
}
