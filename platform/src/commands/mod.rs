//! The commands, what they share, and how they end: 0 done, 1 failed, 2 wrong usage.

mod backup;
mod connector;
mod engine;
mod oidc;
mod rotate_key;
mod serve;
mod token;
mod work;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use smp_distribution::file;
use smp_distribution::trust::{LARGEST_FILE, TrustPolicy};
use smp_host::component::compile::Compiler;
use smp_host::component::worker;
use smp_host::http::origin::Origin;
use smp_platform::keys::{Keys, Source, vault};
use smp_platform::problem::Problem;
use smp_platform::runs::claims::LEASE;
use smp_platform::store::{Place, Store};
use smp_platform::traces::Traces;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use url::Url;
use zeroize::Zeroizing;

/// Name of the hidden command with which this program starts itself to compile.
const WORKER: &str = "compile-component";

/// Most runs of a process at the same time.
const MOST_SLOTS: i64 = 10_000;

/// Keeps the members of many tenants' connections over time.
#[derive(Debug, Parser)]
#[command(name = "smp-platform", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the API, the schedule and the runs, until SIGTERM.
    Serve(Box<serve::Serve>),
    /// Run connections of a PostgreSQL database beside its `serve`, until SIGTERM; as many of it as
    /// wanted, on any machine.
    Work(work::Work),
    /// Install, list, approve and roll back connectors.
    #[command(subcommand)]
    Connector(connector::Connector),
    /// Make, list and revoke tokens of the API.
    #[command(subcommand)]
    Token(token::Token),
    /// Wrap all stored keys of connections with a new key; runs go on meanwhile.
    RotateKey(rotate_key::RotateKey),
    /// Copy the store into a new file while it is in use. The key file is not in it.
    Backup(backup::Backup),
}

/// Where the store is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct StoreArguments {
    /// Keep the store in this folder. It is made if it is not there.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep the store in this PostgreSQL database: postgres://USER@HOST:PORT/DATABASE.
    #[arg(long, value_name = "URL", env = "SMP_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

/// The key that wraps the stored keys of connections.
#[derive(Debug, Args)]
struct KeyArguments {
    /// Keep the key file here instead of in the data folder.
    #[arg(long, value_name = "FILE", conflicts_with = "key_vault")]
    key: Option<PathBuf>,
    /// Let this key of a Vault or OpenBao wrap them, in place of a key file:
    /// https://HOST:PORT/v1/transit/keys/NAME. The token is that of `VAULT_TOKEN`.
    #[arg(long, value_name = "URL")]
    key_vault: Option<String>,
    /// Read the token of the Vault from this file, each time that it is needed: an agent may renew
    /// it.
    #[arg(long, value_name = "FILE", requires = "key_vault")]
    key_vault_token: Option<PathBuf>,
}

/// How long runs are lent.
#[derive(Debug, Args)]
struct LeaseArguments {
    /// Let others take a run over, in a `--database`, when the process that has it is not heard of
    /// for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = LEASE.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=600))]
    lease: u64,
}

impl LeaseArguments {
    fn get(&self) -> Duration {
        Duration::from_secs(self.lease)
    }
}

impl StoreArguments {
    fn place(&self) -> Place {
        match (&self.data, &self.database) {
            (Some(folder), _) => Place::Folder(folder.clone()),
            (None, url) => Place::Server(url.clone().unwrap_or_default()),
        }
    }

    async fn open(&self) -> Result<Store, Problem> {
        Store::open(&self.place()).await
    }
}

impl KeyArguments {
    fn source(&self, place: &Place) -> Result<Source, Problem> {
        match &self.key_vault {
            Some(key) => self.vault(key).map(Source::Vault),
            None => self.path(place).map(Source::File),
        }
    }

    fn vault(&self, key: &str) -> Result<vault::Options, Problem> {
        let key = address("--key-vault", key, vault::ADDRESS)?;
        let of_environment = || std::env::var("VAULT_TOKEN").ok().filter(|text| !text.is_empty());
        let token = match &self.key_vault_token {
            Some(path) => vault::Token::File(path.clone()),
            None => vault::Token::Text(of_environment().map(Zeroizing::new).ok_or_else(|| {
                Problem::invalid("there is no token for the Vault")
                    .hint("Set `VAULT_TOKEN`, or name a file with `--key-vault-token FILE`.")
            })?),
        };
        Ok(vault::Options { key, token })
    }

    fn path(&self, place: &Place) -> Result<PathBuf, Problem> {
        if let Some(path) = &self.key {
            return Ok(path.clone());
        }
        if let Some(folder) = place.folder() {
            return Ok(folder.join("key"));
        }
        let variable = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        let folder =
            variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")));
        let folder = folder.ok_or_else(|| {
            Problem::invalid("there is no home folder for the key file")
                .hint("Name it with `--key FILE`.")
        })?;
        Ok(folder.join("smp-platform").join("key"))
    }

    async fn open(&self, place: &Place, store: &Store) -> Result<Keys, Problem> {
        Keys::open(&self.source(place)?, store).await
    }
}

/// The address that an option names. It is never repeated: it may hold a password.
fn address(option: &str, text: &str, way_out: &str) -> Result<Url, Problem> {
    Url::parse(text).map_err(|error| {
        Problem::invalid(format!("`{option}` is no address: {error}")).hint(way_out)
    })
}

/// Writes why the arguments cannot be read, or the requested help.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    let _ = write!(std::io::stderr().lock(), "{}", without_users(&error.render().to_string()));
    ExitCode::from(2)
}

/// The text without users and passwords in its addresses: standard error is often stored. A password
/// may have any sign in it, so everything goes between the first address and the last `@`.
fn without_users(text: &str) -> String {
    let after = text.find("://").map_or(text.len(), |at| at + 3);
    let (before, rest) = text.split_at(after);
    match rest.rfind('@').and_then(|at| rest.get(at..)) {
        Some(host) => format!("{before}[not shown]{host}"),
        None => text.to_owned(),
    }
}

/// Runs the command line.
pub(crate) fn run() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if let (Some(first), Some(job)) = (arguments.next(), arguments.next())
        && first == WORKER
    {
        return worker::work(&job);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return wrong_arguments(&error),
    };
    // Before a key is read.
    if let Err(error) = smp_host::secret::forbid_memory_dumps() {
        note(&format!("dumps of this program's memory cannot be forbidden: {error}"));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return failed(&Problem::broken(format!("no thread can be started: {error}")));
        }
    };
    let traces = match Traces::of_environment(runtime.handle()) {
        Ok(traces) => traces,
        Err(problem) => return failed(&problem),
    };
    logs(traces.as_ref());
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Serve(serve) => serve.run().await,
            Command::Work(work) => work.run().await,
            Command::Connector(connector) => connector.run().await,
            Command::Token(token) => token.run().await,
            Command::RotateKey(rotate) => rotate.run().await,
            Command::Backup(backup) => backup.run().await,
        }
    });
    if let Some(traces) = traces {
        // The last spans are sent by the runtime, so this thread must not be one of its.
        traces.end();
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failed(&problem),
    }
}

/// Logs go to standard error: JSON when it is no terminal. Spans go to the collector, if there is
/// one.
fn logs(traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_env("SMP_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,smp_platform=info"));
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = if std::io::stderr().is_terminal() { logs.boxed() } else { logs.json().boxed() };
    let spans = traces.map(|traces| {
        // Requests are spans of the level debug.
        let ours = Targets::new()
            .with_target("smp_host", LevelFilter::DEBUG)
            .with_target("smp_platform", LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer())
            .with_location(false)
            .with_threads(false)
            .with_filter(ours.and(filter_fn(|told| told.is_span())))
    });
    tracing_subscriber::registry().with(logs.with_filter(filter)).with(spans).init();
}

fn failed(problem: &Problem) -> ExitCode {
    let mut text = format!("smp-platform: {}\n", smp_host::text::escaped(&problem.detail));
    if let Some(hint) = &problem.hint {
        text.push_str(&format!("  {}\n", smp_host::text::escaped(hint)));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(if problem.status == 422 && problem.code == "invalid-request" { 2 } else { 1 })
}

/// Writes to standard output.
fn say(text: &str) -> Result<(), Problem> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| Problem::broken(format!("the output cannot be written: {error}")))
}

/// Tells the person who runs a command something beside its output.
fn note(text: &str) {
    let _ = std::io::stderr().write_all(format!("smp-platform: {text}\n").as_bytes());
}

/// Reads the trust file that `--trust` names, if it does.
fn trust(path: Option<&Path>) -> Result<Option<Arc<TrustPolicy>>, Problem> {
    let Some(path) = path else { return Ok(None) };
    let bytes = file::read_named(path, LARGEST_FILE).map_err(|error| {
        Problem::broken(format!("the file of `--trust` cannot be read: {error}"))
            .hint("Name a trust file that this user may read.")
    })?;
    let policy = TrustPolicy::read(&bytes).map_err(|failure| {
        let wrong = Problem::invalid(format!("the file of `--trust`: {}", failure.message));
        failure.hint.into_iter().fold(wrong, Problem::hint)
    })?;
    Ok(Some(Arc::new(policy)))
}

/// Ends everything at the first SIGTERM or Ctrl-C.
fn end_on_signal(end: watch::Sender<bool>) -> Result<tokio::task::JoinHandle<()>, Problem> {
    let listen = |kind| {
        signal(kind)
            .map_err(|error| Problem::broken(format!("signals cannot be received: {error}")))
    };
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        end.send_replace(true);
        std::future::pending::<()>().await;
    }))
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text).map_err(|error| error.to_string())
}

/// This program compiles components in a separate process, within limits.
fn compiler() -> Compiler {
    let running = PathBuf::from("/proc/self/exe");
    let program =
        if running.exists() { running } else { std::env::current_exe().unwrap_or(running) };
    Compiler::Apart { program, arguments: vec![WORKER.into()] }
}

/// The folder of compiled code: in the store's folder, or in the user's cache.
fn cache(place: &Place) -> Option<PathBuf> {
    if let Some(folder) = place.folder() {
        return Some(folder.join("compiled"));
    }
    let variable =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(folder.join("smp-platform").join("compiled"))
}
