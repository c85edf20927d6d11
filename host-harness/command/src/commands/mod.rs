//! What a person types, and what comes back. No decision about members, keys or the network is made
//! here.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod approval;
mod check;
mod collect;
mod connect;
mod connector;
pub(crate) mod console;
mod date;
mod diff;
mod guide;
mod home;
mod inspect;
mod limited;
mod limits;
mod package;
mod progress;
mod pull;
mod push;
mod record;
mod registry;
mod remedy;
mod sign;
mod source;
mod validate;
mod verify;

use console::Console;

/// Runs SaaS connector plugins: WebAssembly components that read an organization's members.
#[derive(Debug, Parser)]
#[command(name = "smp-harness", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Also show each request and what is logged for developers.
    #[arg(long, short, global = true)]
    verbose: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong usage of the command line; 3 \
                          stopped, the same command goes on (only `collect --checkpoint`).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what a connector is: what it collects, asks for, may call and is handed.
    Inspect(inspect::Inspect),
    /// Check whether a collection with these settings would work, and if not, why.
    Validate(validate::Validate),
    /// Show the account that the settings lead to.
    Connect(connect::Connect),
    /// Collect the members of the organization.
    Collect(collect::Collect),
    /// Print the setup guide as Markdown.
    Guide(guide::Guide),
    /// Show what a connector may use up at most, and why.
    Limits(limits::ShowLimits),
    /// Validate and collect, and keep the traffic as a fixture, without the key and without
    /// personal data.
    Record(record::Record),
    /// Check whether a connector does what the contract asks of it, as it is and under every fault.
    Check(check::Check),
    /// Make the folder that a marketplace takes: the component with metadata, listing, bill of
    /// materials, changelog, checksums.
    Package(Box<package::MakePackage>),
    /// Show what an upgrade from one build of a connector to another changes, before it happens.
    Diff(diff::Diff),
    /// Put a package, or a component alone, into a registry.
    Push(push::Push),
    /// Take a package out of a registry.
    Pull(pull::Pull),
    /// Sign a package or an artifact in a registry, as cosign does with a key pair; or make such a
    /// pair.
    Sign(sign::Sign),
    /// Tell whether a trust file lets a package, an artifact in a registry or a file run, and who
    /// vouches for it.
    Verify(verify::Verify),
    /// Compile a component for this program itself, which starts it under limits of time and
    /// memory.
    #[command(name = connector::WORKER, hide = true)]
    Compile {
        /// What the worker must know.
        job: String,
    },
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command line was wrong.
    Usage,
    /// Stopped; the same command goes on.
    Stopped,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Stopped => 3,
        })
    }
}

/// Runs a command to its exit code.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    if let Command::Compile { job } = &arguments.command {
        return smp_host::component::worker::work(job);
    }
    let console = Console::new(arguments.command.json(), arguments.verbose);
    if arguments.verbose {
        console.show_developers_lines();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let exit = match runtime {
        Ok(runtime) => runtime.block_on(arguments.command.run(&console)),
        Err(error) => console.failed(
            &smp_host::failure::Failure::new(
                smp_host::failure::Code::Limit,
                format!("this machine gives the program what it needs no more: {error}"),
            )
            .with_remedy(smp_host::remedy::Remedy::FreeMachine),
        ),
    };
    exit.into()
}

impl Command {
    fn json(&self) -> bool {
        match self {
            Self::Inspect(command) => command.json,
            Self::Validate(command) => command.json,
            Self::Connect(command) => command.json,
            Self::Collect(command) => command.json,
            Self::Record(command) => command.json,
            Self::Limits(command) => command.json,
            Self::Check(command) => command.json,
            Self::Package(command) => command.json,
            Self::Diff(command) => command.json,
            Self::Push(command) => command.json,
            Self::Pull(command) => command.json,
            Self::Sign(command) => command.json,
            Self::Verify(command) => command.json,
            Self::Guide(_) | Self::Compile { .. } => false,
        }
    }

    async fn run(self, console: &Console) -> Exit {
        match self {
            Self::Inspect(command) => command.run(console).await,
            Self::Validate(command) => command.run(console).await,
            Self::Connect(command) => command.run(console).await,
            Self::Collect(command) => command.run(console).await,
            Self::Guide(command) => command.run(console).await,
            Self::Record(command) => command.run(console).await,
            Self::Limits(command) => command.run(console),
            Self::Check(command) => command.run(console).await,
            Self::Package(command) => command.run(console).await,
            Self::Diff(command) => command.run(console).await,
            Self::Push(command) => command.run(console).await,
            Self::Pull(command) => command.run(console).await,
            Self::Sign(command) => command.run(console).await,
            Self::Verify(command) => command.run(console).await,
            // The worker has no console and no runtime: it was run before they were made.
            Self::Compile { .. } => Exit::Usage,
        }
    }
}
