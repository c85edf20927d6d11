//! The command `smp-harness`: a thin layer over the library, one file per command.

use std::process::ExitCode;

use clap::Parser;

mod commands;

fn main() -> ExitCode {
    let arguments = commands::Arguments::parse();
    commands::run(arguments)
}
