//! The settings and the source of answers: options that `validate`, `connect`, `collect`, `usage`
//! and `record` share, made into a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use smp_host::component::calls::tells_no_usage;
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::contract::{Descriptor, Instant, Setting};
use smp_host::failure::{Code, Failure};
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::base::{Purpose, needed};
use smp_host::http::origin::Origin;
use smp_host::http::pace::Rate;
use smp_host::http::policy::{Grants, method_of};
use smp_host::http::transport::Method;
use smp_host::instant::from_system;
use smp_host::limits::Limits;
use smp_host::live::address::{Range, RangeError};
use smp_host::live::{ClientError, LiveClient, LiveOptions};
use smp_host::observer::Observer;
use smp_host::remedy::Remedy;
use smp_host::settings::{Checked, looks_like_a_secret};
use smp_replay::fixture::{Fixture, Phase};
use smp_replay::player::{Mode, Player};

use super::approval::{self, Approval};
use super::connector::ConnectorArguments;
use super::console::Console;
use super::entered::{
    Entered, LARGEST_SMALL_FILE, arguments, no_key_among, read_bounded, unopened,
};
use super::refusal::Refusal;

/// The program's name for services.
pub(crate) const USER_AGENT: &str = concat!("smp-harness/", env!("CARGO_PKG_VERSION"));

/// Settings, and the source of answers.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// Read settings from a TOML file: `organization-id = "…"`. It must not contain a secret.
    #[arg(long, value_name = "FILE.toml", help_heading = "Settings")]
    settings: Option<PathBuf>,
    /// Set a setting; takes precedence over the file.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Settings")]
    set: Vec<String>,
    /// Name an environment variable or a file that holds a secret. Asked for on a terminal.
    #[arg(long, value_name = "KEY=env:NAME|KEY=file:PATH", help_heading = "Settings")]
    secret: Vec<String>,
    /// Take the answers, and the settings, from a recorded fixture. Nothing is sent.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["upstream", "allow_origin", "ca_file"], help_heading = "Answers")]
    fixture: Option<PathBuf>,
    /// Send requests to this origin instead of the live API: a mock or a proxy. Plain http only to
    /// this machine.
    #[arg(long, value_name = "URL", value_parser = origin, conflicts_with = "allow_origin", help_heading = "Answers")]
    upstream: Option<Origin>,
    /// Trust the certificates in this file in addition to the system's.
    #[arg(long, value_name = "PEM", help_heading = "Answers")]
    ca_file: Option<PathBuf>,
    /// Approve sending the key to the live API at this origin. Asked for on a terminal.
    #[arg(long, value_name = "URL", value_parser = origin, help_heading = "Answers")]
    allow_origin: Option<Origin>,
    /// Connect to the API although its name has an address in this range, as behind a VPN. May be
    /// repeated.
    #[arg(
        long,
        value_name = "RANGE",
        value_parser = range,
        conflicts_with_all = ["upstream", "fixture"],
        help_heading = "Answers"
    )]
    allow_range: Vec<Range>,
    /// Grant an endpoint other than a GET, as `inspect` shows it, for example 'POST /v1/search'.
    /// Asked for on a terminal.
    #[arg(long, value_name = "METHOD PATH", value_parser = endpoint, conflicts_with = "fixture", help_heading = "Answers")]
    grant: Vec<(Method, String)>,
    /// Send at most this many requests a second [default: the rate that the connector declares].
    #[arg(long, value_name = "PER_SECOND|off", value_parser = pace, help_heading = "Answers")]
    rate: Option<Pace>,
    /// Wait at most this long in all, after 429, 5xx and connection faults.
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds_or_none, help_heading = "Answers")]
    max_wait: Duration,
    /// Limit the time of one request.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = some_seconds, help_heading = "Answers")]
    timeout: Duration,
}

/// Everything that a run needs, checked.
pub(crate) struct Source {
    pub(crate) plugin: Plugin,
    pub(crate) checked: Checked,
    /// The current time for what is shown: a replay's own, so that the same traffic gives the same
    /// bytes.
    pub(crate) now: Instant,
    /// The options of the run: transport, clock, pace, waits.
    pub(crate) options: RunOptions,
    host: Host,
    grants: Grants,
    /// Whether the source has answers for usage: any but a fixture that was recorded without it.
    answers_usage: bool,
}

/// What a command wants of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Members, or a check of the settings.
    Members,
    /// Usage, without which there is nothing to do.
    Usage,
    /// Members, and usage if the connector tells it and the operator grants it.
    All,
}

impl Wanted {
    /// The purpose that needs the most requests.
    fn at_most(self) -> Purpose {
        match self {
            Self::Members => Purpose::Members,
            Self::Usage | Self::All => Purpose::Usage,
        }
    }
}

impl SourceArguments {
    /// The files that are read, with the options that name them.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let secrets = self.secret.iter().filter_map(|text| Some(text.split_once("=file:")?.1));
        let settings = self.settings.iter().map(|path| ("--settings", path.as_path()));
        let certificates = self.ca_file.iter().map(|path| ("--ca-file", path.as_path()));
        let secrets = secrets.map(|path| ("--secret", Path::new(path)));
        settings.chain(certificates).chain(secrets)
    }

    /// The folder of the fixture.
    pub(crate) fn fixture(&self) -> Option<&Path> {
        self.fixture.as_deref()
    }

    /// Makes the run's source: settings first, then the operator's approval. Nothing is sent yet.
    pub(crate) async fn open(
        &self,
        connector: &ConnectorArguments,
        wanted: Wanted,
        console: &Console,
    ) -> Result<Source, Refusal> {
        let plugin = connector.load().await?;
        if wanted == Wanted::Usage && !plugin.tells_usage() {
            return Err(tells_no_usage().into());
        }
        let descriptor = plugin.descriptor();
        let fixture = self.fixture.as_deref().map(Fixture::open).transpose()?;
        no_key_among(arguments(), |text| looks_like_a_secret(text, descriptor))?;
        let settings = self.entered().read(descriptor, fixture.as_ref(), console)?;
        no_key_among(arguments(), |text| settings.has_secret(text))?;
        settings.check_keys(descriptor).map_err(Refusal::usage)?;
        self.only_declared(descriptor)?;
        let checked = settings.check(descriptor, fixture.is_none())?;
        let answers_usage = fixture.as_ref().is_none_or(|fixture| fixture.has_page(Phase::Usage));
        if wanted == Wanted::Usage && !answers_usage {
            return Err(Failure::new(Code::Fixture, "the fixture has no usage")
                .with_remedy(Remedy::MendFixture)
                .with_hint("Give one with a page `usage` in its traffic.")
                .into());
        }
        let (grants, now, options) = match fixture {
            Some(fixture) => {
                let playback = Player::new(&plugin)?.playback(&fixture, Mode::Strict)?;
                let options = playback.options();
                // A requested pace is kept, on a virtual clock.
                let pace = self.rate.unwrap_or(options.pace);
                (playback.grants().clone(), playback.start(), RunOptions { pace, ..options })
            }
            None => {
                let approval = Approval {
                    upstream: self.upstream.as_ref(),
                    allowed: self.allow_origin.as_ref(),
                    named: &self.grant,
                    settings: &checked.public,
                    purpose: wanted.at_most(),
                };
                let grants = approval::grants(plugin.info(), &approval, console)?;
                let client = self.client(plugin.limits())?;
                let transport =
                    Arc::new(client.transport(grants.origin().clone(), checked.credential.clone()));
                let pace = self.rate.unwrap_or(Pace::Declared);
                (grants, SystemTime::now(), RunOptions { pace, ..RunOptions::new(transport) })
            }
        };
        let purpose = match wanted {
            Wanted::Members | Wanted::All => Purpose::Members,
            Wanted::Usage => Purpose::Usage,
        };
        let options = RunOptions { max_wait: self.max_wait, purpose, ..options };
        Ok(Source {
            plugin,
            checked,
            now: from_system(now),
            options,
            host: Host::default(),
            grants,
            answers_usage,
        })
    }

    /// Refuses to grant an endpoint that the connector does not declare, which is a typing error.
    fn only_declared(&self, descriptor: &Descriptor) -> Result<(), Refusal> {
        let endpoints = &descriptor.api.endpoints;
        let declared = |method, path: &str| {
            endpoints
                .iter()
                .any(|endpoint| method_of(endpoint.method) == method && endpoint.path == path)
        };
        let Some((method, path)) =
            self.grant.iter().find(|(method, path)| !declared(*method, path))
        else {
            return Ok(());
        };
        let others = endpoints.iter().filter(|endpoint| method_of(endpoint.method) != Method::Get);
        let others: Vec<_> = others
            .map(|endpoint| format!("`{} {}`", method_of(endpoint.method), endpoint.path))
            .collect();
        let hint = match others.as_slice() {
            [] => "It declares only GET endpoints, which are granted with the origin: leave \
                   `--grant` out."
                .to_owned(),
            others => format!("It declares {}.", others.join(", ")),
        };
        let path = smp_host::text::shortened(path, 200);
        Err(Refusal::usage(
            Failure::new(
                Code::InvalidSettings,
                format!("the connector does not declare `{method} {path}`"),
            )
            .with_hint(hint),
        ))
    }

    fn client(&self, limits: &Limits) -> Result<LiveClient, Refusal> {
        let extra_roots = match &self.ca_file {
            None => None,
            Some(path) => Some(
                read_bounded(path, LARGEST_SMALL_FILE)
                    .map_err(|reason| unopened("--ca-file", path, &reason))?,
            ),
        };
        let (system_proxy, private_network) = (self.upstream.is_none(), self.upstream.is_some());
        let (timeout, largest_body, user_agent) =
            (self.timeout, limits.response, USER_AGENT.to_owned());
        let options = LiveOptions {
            timeout,
            largest_body,
            extra_roots,
            system_proxy,
            private_network,
            ranges: self.allow_range.clone(),
            user_agent,
        };
        LiveClient::new(&options).map_err(|error| {
            let file = self.ca_file.as_ref().filter(|_| !matches!(error, ClientError::Proxy(_)));
            let place =
                file.map(|path| format!("`--ca-file {}`: ", path.display())).unwrap_or_default();
            Refusal::usage(
                Failure::new(Code::InvalidSettings, format!("{place}{error}"))
                    .with_hint(error.hint()),
            )
        })
    }
}

impl SourceArguments {
    fn entered(&self) -> Entered<'_> {
        Entered { file: self.settings.as_deref(), set: &self.set, secret: &self.secret }
    }
}

impl Source {
    /// Whether the connector tells usage, everything that it needs for that is granted, and the
    /// source has answers.
    pub(crate) fn grants_usage(&self) -> bool {
        let needed = needed(self.plugin.descriptor(), &self.checked.public, Purpose::Usage);
        self.plugin.tells_usage()
            && self.answers_usage
            && needed
                .into_iter()
                .all(|endpoint| self.grants.include(method_of(endpoint.method), &endpoint.path))
    }

    /// A run of the connector that collects usage. Nothing is sent yet.
    pub(crate) fn usage_session(&self, observer: Arc<dyn Observer>) -> Session {
        let purpose = Purpose::Usage;
        let options = RunOptions { observer, purpose, ..self.options.clone() };
        self.host.session(&self.plugin, &self.checked, &self.grants, options)
    }

    /// A run of the connector. Nothing is sent yet.
    pub(crate) fn session(&self, observer: Arc<dyn Observer>) -> Session {
        let options = RunOptions { observer, ..self.options.clone() };
        self.host.session(&self.plugin, &self.checked, &self.grants, options)
    }

    /// The settings for the component.
    pub(crate) fn settings(&self) -> &[Setting] {
        &self.checked.public
    }

    /// Shows warnings about the settings.
    pub(crate) fn note_warnings(&self, console: &Console) {
        for doubt in &self.checked.warnings {
            console.note(&format!(
                "note: {}. {}",
                doubt.message,
                smp_host::text::escaped(&doubt.hint)
            ));
        }
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text).map_err(|error| error.to_string())
}

fn range(text: &str) -> Result<Range, String> {
    text.parse().map_err(|error: RangeError| error.to_string())
}

fn endpoint(text: &str) -> Result<(Method, String), String> {
    let (method, path) = text.trim().split_once(char::is_whitespace).unwrap_or((text, ""));
    let method = [Method::Get, Method::Post]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(method));
    match (method, path.trim()) {
        (Some(method), path) if path.starts_with('/') => Ok((method, path.to_owned())),
        _ => Err("write the method and the path as `inspect` shows them, for example 'POST \
                  /v1/search'"
            .into()),
    }
}

fn pace(text: &str) -> Result<Pace, String> {
    if text == "off" {
        return Ok(Pace::Off);
    }
    let rate = text.parse().ok().and_then(Rate::per_second);
    rate.map(Pace::At)
        .ok_or_else(|| "write a number of requests a second, for example 5 or 0.5, or `off`".into())
}

/// Longest time that an option accepts, in seconds: a day.
const MOST_SECONDS: f64 = 86_400.0;

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> =
        text.parse().ok().filter(|seconds| (0.0..=MOST_SECONDS).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("write a number of seconds from 0 to {MOST_SECONDS}"))
}

fn some_seconds(text: &str) -> Result<Duration, String> {
    seconds_or_none(text)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("write a number of seconds above 0, up to {MOST_SECONDS}"))
}
