//! The command line: arguments, exit codes, and one file per command. It decides nothing about
//! members, keys or the network.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod approval;
mod check;
mod collect;
mod collection;
mod completions;
mod connect;
mod connector;
pub(crate) mod console;
mod date;
mod diff;
mod entered;
mod guide;
mod home;
mod inspect;
mod limited;
mod limits;
mod man;
mod new;
mod outputs;
mod package;
mod page;
mod progress;
mod pull;
mod push;
mod record;
mod refusal;
mod registry;
mod remedy;
mod seal;
mod sign;
mod source;
mod stop;
mod usage;
mod validate;
mod verify;
mod version;

use console::Console;

/// Runs SaaS connector plugins: WebAssembly components that read an organization's members.
#[derive(Debug, Parser)]
#[command(
    name = "smp-harness",
    version,
    long_version = version::long(),
    max_term_width = 100,
    after_help = EXIT_CODES
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Also show each request and the log lines for developers.
    #[arg(long, short, global = true)]
    verbose: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong usage of the command line; 3 \
                          stopped, the same command resumes (only `collect` and \
                          `usage` with `--checkpoint`).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what a connector collects, which settings and requests it needs, and what it imports.
    Inspect(inspect::Inspect),
    /// Check whether a collection with these settings would work, and if not, why.
    Validate(validate::Validate),
    /// Show the account that the settings identify.
    Connect(connect::Connect),
    /// Collect the members of the organization.
    Collect(collect::Collect),
    /// Show the seats of the organization's products: how many it has, and how many are taken.
    Usage(usage::Usage),
    /// Print the setup guide as Markdown.
    Guide(guide::Guide),
    /// Show the limits of a connector, with their reasons.
    Limits(limits::ShowLimits),
    /// Validate and collect, and store the traffic as a fixture, without the key and without
    /// personal data.
    Record(record::Record),
    /// Check whether a connector keeps the contract, with its fixtures unchanged and under every
    /// fault.
    Check(check::Check),
    /// Make the project of a new connector, in a language of your choice, that passes its check.
    New(new::New),
    /// Close the imports of WASI that a toolchain cannot avoid: the result imports only what the
    /// contract defines.
    Seal(seal::Seal),
    /// Make the folder for a marketplace: the component with metadata, listing, bill of materials,
    /// changelog, checksums.
    Package(Box<package::MakePackage>),
    /// Show what an upgrade from one build of a connector to another changes.
    Diff(diff::Diff),
    /// Push a package, or a component without one, to a registry.
    Push(push::Push),
    /// Pull a package from a registry.
    Pull(pull::Pull),
    /// Sign a package or an artifact in a registry, in cosign's format with a key pair; or generate
    /// such a pair.
    Sign(sign::Sign),
    /// Show whether a trust file permits a package, an artifact in a registry or a file, and who
    /// signed it.
    Verify(verify::Verify),
    /// Print the script that lets a shell complete this command; `make install` installs it.
    Completions(completions::Completions),
    /// Print the manual page, or write all of them into a folder.
    Man(man::ManPages),
}

/// The exit of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command line was wrong.
    Usage,
    /// Stopped; the same command resumes.
    Stopped,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Stopped => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The job of a process that this program started to compile a component, with limits on time and
/// memory. It is no command of a user: no help and no suggestion names it.
pub(crate) fn job_of_worker() -> Option<String> {
    let mut arguments = std::env::args_os().skip(1);
    let job = arguments.next().filter(|first| first == connector::WORKER).and(arguments.next());
    job.and_then(|job| job.into_string().ok())
}

/// Runs a command and returns its exit code.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let console = Console::new(arguments.command.json(), arguments.verbose);
    // Before a key, a password or a token is read.
    if let Err(error) = smp_host::secret::forbid_memory_dumps() {
        console.note(&format!("note: dumps of this program's memory cannot be forbidden: {error}"));
    }
    if arguments.verbose {
        console.show_developers_lines();
    }
    stop::speak_through(console);
    let runtime = room_for_files()
        .and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build());
    let exit = match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(async {
                // Where that fails, the signal ends the process as before.
                let _ = smp_host::files::target::bear_a_limit_on_size();
                arguments.command.run(&console).await
            });
            // A write that does not end does not keep the program running.
            runtime.shutdown_background();
            exit
        }
        Err(error) => console.failed(
            &smp_host::failure::Failure::new(
                smp_host::failure::Code::Limit,
                format!("this machine lacks a resource for the program: {error}"),
            )
            .with_remedy(smp_host::remedy::Remedy::FreeMachine),
        ),
    };
    exit.into()
}

/// Whether as many files can be opened as a run needs. Without this, the first that cannot is told
/// as a fault of its own: of the output, of the fixture, or of the runtime, which panics.
///
/// # Errors
/// The system's, where too many are open.
fn room_for_files() -> std::io::Result<()> {
    const FILES: usize = 32;
    let is_full = |error: &std::io::Error| matches!(error.raw_os_error(), Some(23 | 24));
    let opened: Result<Vec<_>, _> = (0..FILES).map(|_| std::fs::File::open("/dev/null")).collect();
    opened.map(drop).or_else(|error| if is_full(&error) { Err(error) } else { Ok(()) })
}

impl Command {
    fn json(&self) -> bool {
        match self {
            Self::Inspect(command) => command.json,
            Self::Validate(command) => command.json,
            Self::Connect(command) => command.json,
            Self::Collect(command) => command.collection.json,
            Self::Usage(command) => command.collection.json,
            Self::Record(command) => command.json,
            Self::Limits(command) => command.json,
            Self::Check(command) => command.json,
            Self::New(command) => command.json,
            Self::Seal(command) => command.json,
            Self::Package(command) => command.json,
            Self::Diff(command) => command.json,
            Self::Push(command) => command.json,
            Self::Pull(command) => command.json,
            Self::Sign(command) => command.json,
            Self::Verify(command) => command.json,
            Self::Guide(_) | Self::Completions(_) | Self::Man(_) => false,
        }
    }

    async fn run(self, console: &Console) -> Exit {
        match self {
            Self::Inspect(command) => command.run(console).await,
            Self::Validate(command) => command.run(console).await,
            Self::Connect(command) => command.run(console).await,
            Self::Collect(command) => command.run(console).await,
            Self::Usage(command) => command.run(console).await,
            Self::Guide(command) => command.run(console).await,
            Self::Record(command) => command.run(console).await,
            Self::Limits(command) => command.run(console),
            Self::Check(command) => command.run(console).await,
            Self::New(command) => command.run(console),
            Self::Seal(command) => command.run(console),
            Self::Package(command) => command.run(console).await,
            Self::Diff(command) => command.run(console).await,
            Self::Push(command) => command.run(console).await,
            Self::Pull(command) => command.run(console).await,
            Self::Sign(command) => command.run(console).await,
            Self::Verify(command) => command.run(console).await,
            Self::Completions(command) => command.run(console),
            Self::Man(command) => command.run(console),
            // The worker has no console and no runtime: it runs before they are created.
        }
    }
}
