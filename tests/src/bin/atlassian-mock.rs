//! The mock organization as a command. Everything but arguments and signals is in the library.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use smp_tests::mock::{
    Builder, DEFAULT_KEY, DEFAULT_NOW, DEFAULT_ORGANIZATION_ID, Mock, Rule, Situation,
};
use tokio::signal::unix::{SignalKind, signal};

/// Plays an Atlassian organization over real HTTP on 127.0.0.1.
///
/// Prints `listening on URL`, `url=`, `organization-id=` and `api-key=` (and `ca-file=` with
/// --tls), a line each, and then runs until Ctrl-C or SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "atlassian-mock", version, after_long_help = RULES)]
struct Arguments {
    /// Number of members; millions cost nothing
    #[arg(long, default_value_t = 250, value_name = "N")]
    members: u64,
    /// Seed of members, cursors and identifiers
    #[arg(long, default_value_t = 0, value_name = "S")]
    seed: u64,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "P")]
    port: u16,
    /// Members on a page
    #[arg(long, default_value_t = 100, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    page_size: u64,
    /// Time that passes before every answer, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "L")]
    latency_ms: u64,
    /// Number of external people, whom only the search of the directories shows
    #[arg(long, default_value_t = 20, value_name = "N")]
    externals: u64,
    /// Number of directories; with more than one, one person in ten is in two of them
    #[arg(long, default_value_t = 2, value_name = "N")]
    directories: u64,
    /// Key that is accepted
    #[arg(long, default_value = DEFAULT_KEY, value_name = "KEY")]
    key: String,
    /// Identifier of the organization
    #[arg(long, default_value = DEFAULT_ORGANIZATION_ID, value_name = "ID")]
    org_id: String,
    /// Number of other organizations that the key can see
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1_000))]
    other_orgs: u64,
    /// State of the organization or of the key
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    situation: Situation,
    /// Something that goes wrong: `CALL:FAULT` or `CALL:WHEN:FAULT`; may be repeated
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Rule>,
    /// Answer 429 to requests beyond this many in any second
    #[arg(long, value_name = "R")]
    rate_limit: Option<NonZeroU32>,
    /// Pack answers for clients that accept gzip
    #[arg(long)]
    gzip: bool,
    /// Keep answers to the published API file: no null, no unlisted product or status, no bare
    /// date
    #[arg(long)]
    published_only: bool,
    /// Instant from which activity is counted back, RFC 3339, or `today` for the machine's day
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    now: Option<i64>,
    /// Serve TLS, and write the certificate that clients must trust to this file
    #[arg(long, value_name = "CA_FILE")]
    tls: Option<PathBuf>,
    /// Write a line of JSON to this file for each request that is answered
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Stop, too, when standard input ends
    #[arg(long)]
    until_stdin_closes: bool,
}

const RULES: &str = "\
Faults:
  CALL   orgs, org, users, domains, count, search, workspaces, keys or any
  WHEN   always, N (only the N-th request), N-M, or N- (from the N-th on); always when left out
  FAULT  NAME[;OPTION=VALUE]...
    status-NNN [;body=gateway|wrapped|bare|access|html|none] [;code=CODE]
               [;retry-after=SECONDS|date+SECONDS] [;reset=SECONDS] [;message=TEXT]
    unauthorized, missing-scope, access-denied, not-allowed, organization-not-found, no-route, \
                     invalid-cursor
    drop, drop-body, stall, stall-body, slow;ms=N
    html, truncated, wrong-types, invalid-utf8, empty-body, nested[;depth=N]
    oversized[;bytes=N][;length=told|untold], gzip-bomb[;bytes=N], redirect[;to=URL]
    next-elsewhere[;origin=ORIGIN], same-cursor, endless, endless-empty, empty-page, cursor-expired
    total;value=absent|null|N|+N|-N, duplicate, shifted[;by=N]

  --fault 'users:3:status-429;retry-after=2'   --fault 'any:1-2:drop'   --fault \
                     'users:4-:cursor-expired'";

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a command tells there why it ended")]
            {
                eprintln!("atlassian-mock: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Signals are caught before the server is announced.
    let stopped = runtime.block_on(async { stop_signal(arguments.until_stdin_closes) })?;
    let mock = start(&arguments)?;
    announce(&mock, &arguments).context("writing to standard output")?;
    runtime.block_on(stopped);
    Ok(())
}

fn start(arguments: &Arguments) -> anyhow::Result<Mock> {
    let builder = builder(arguments)?;
    let address = format!("listening on port {} of 127.0.0.1", arguments.port);
    let Some(path) = &arguments.tls else {
        return builder.start().context(address);
    };
    let mock = builder.start_tls().context(address)?;
    let pem = mock.ca_pem().unwrap_or_default();
    std::fs::write(path, pem).with_context(|| format!("writing `{}`", path.display()))?;
    Ok(mock)
}

fn builder(arguments: &Arguments) -> anyhow::Result<Builder> {
    let mut builder = Mock::builder()
        .members(arguments.members)
        .seed(arguments.seed)
        .port(arguments.port)
        .page_size(arguments.page_size)
        .latency(Duration::from_millis(arguments.latency_ms))
        .externals(arguments.externals)
        .directories(arguments.directories)
        .key(&arguments.key)
        .organization_id(&arguments.org_id)
        .other_organizations(arguments.other_orgs)
        .situation(arguments.situation)
        .now(arguments.now.unwrap_or(DEFAULT_NOW));
    if let Some(per_second) = arguments.rate_limit {
        builder = builder.rate_limit(per_second);
    }
    if arguments.gzip {
        builder = builder.gzip();
    }
    if arguments.published_only {
        builder = builder.published_only();
    }
    if let Some(path) = &arguments.log {
        builder = builder
            .log_to(File::create(path).with_context(|| format!("creating `{}`", path.display()))?);
    }
    Ok(arguments.faults.iter().cloned().fold(builder, Builder::rule))
}

fn announce(mock: &Mock, arguments: &Arguments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", mock.url())?;
    writeln!(out, "url={}", mock.url())?;
    writeln!(out, "organization-id={}", mock.organization().id)?;
    writeln!(out, "api-key={}", mock.key())?;
    if let Some(path) = &arguments.tls {
        writeln!(out, "ca-file={}", path.display())?;
    }
    out.flush()
}

/// Begins to listen for whatever ends the command, and returns a future that waits for it.
fn stop_signal(until_stdin_closes: bool) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (closed, stdin_closed) = tokio::sync::oneshot::channel();
    let mut kept = None;
    if until_stdin_closes {
        std::thread::Builder::new().name("standard-input".to_owned()).spawn(move || {
            // An input that cannot be read has ended too.
            let _copied = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _told = closed.send(());
        })?;
    } else {
        // Kept during the wait, which would end at once without it.
        kept = Some(closed);
    }
    Ok(async move {
        let _kept = kept;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = stdin_closed => {}
        }
    })
}

fn instant(text: &str) -> Result<i64, String> {
    if text == "today" {
        let now = jiff::Timestamp::now().as_second();
        return Ok(now - now.rem_euclid(86_400));
    }
    let instant: jiff::Timestamp =
        text.parse().map_err(|_| "an instant in RFC 3339, or `today`, is expected".to_owned())?;
    Ok(instant.as_second())
}
