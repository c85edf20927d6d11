//! `completions`: the script that lets a shell complete this command.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::aot;

use super::Exit;
use super::console::Console;

const NAME: &str = "smp-harness";

/// The shells that `make install` knows a folder for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, console: &Console) -> Exit {
        let shell = match self.shell {
            Shell::Bash => aot::Shell::Bash,
            Shell::Zsh => aot::Shell::Zsh,
            Shell::Fish => aot::Shell::Fish,
        };
        let mut script = Vec::new();
        aot::generate(shell, &mut super::Arguments::command(), NAME, &mut script);
        // For bash, clap_complete 4.6 takes the hyphen of the name for the border of a subcommand,
        // in one of two places, and would complete nothing behind a subcommand.
        let script = String::from_utf8_lossy(&script);
        let script = script.replace("smp__subcmd__harness", "smp__harness");
        match console.data(&script) {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }
}
