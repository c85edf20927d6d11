//! The command `smp-platform`: serves the platform, and what an operator does beside it.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run()
}
