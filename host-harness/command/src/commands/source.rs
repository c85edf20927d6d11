//! The settings and the source of answers: options that `validate`, `connect`, `collect`, `usage`
//! and `record` share, made into a run.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use smp_host::component::calls::tells_no_usage;
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::contract::{Descriptor, Instant, Setting, SettingField};
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
use smp_host::pasted;
use smp_host::remedy::Remedy;
use smp_host::settings::{Checked, SecretText, Settings, looks_like_a_secret};
use smp_replay::fixture::{Fixture, Phase};
use smp_replay::player::{Mode, Player};

use super::Exit;
use super::approval::{self, Approval};
use super::connector::ConnectorArguments;
use super::console::Console;

/// The program's name for services.
pub(crate) const USER_AGENT: &str = concat!("smp-harness/", env!("CARGO_PKG_VERSION"));
/// Largest file of settings, a key or certificates, in bytes: each has a few lines.
const LARGEST_SMALL_FILE: u64 = 1024 * 1024;
/// Most answers to one question, so that input that never fits comes to an end.
const MOST_ANSWERS: usize = 5;

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

/// The place of a secret.
#[derive(Clone, Debug)]
enum SecretPlace {
    Environment(String),
    File(PathBuf),
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

/// Why there is no source.
pub(crate) struct Refusal {
    pub(crate) failure: Box<Failure>,
    pub(crate) exit: Exit,
}

impl Refusal {
    fn usage(failure: Failure) -> Self {
        Self { failure: Box::new(failure), exit: Exit::Usage }
    }

    /// Shows the reason, and returns the exit.
    pub(crate) fn shown(&self, console: &Console) -> Exit {
        console.failure(&self.failure);
        self.exit
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure: Box::new(failure), exit: Exit::Failed }
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
        let settings = self.entered(descriptor, fixture.as_ref(), console)?;
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

    /// The settings that were entered, on the command line, in files, in the fixture or on the
    /// terminal.
    fn entered(
        &self,
        descriptor: &Descriptor,
        fixture: Option<&Fixture>,
        console: &Console,
    ) -> Result<Settings, Refusal> {
        let mut settings = Settings::default();
        if let Some(fixture) = fixture {
            settings.values.extend(fixture.settings().clone());
        }
        if let Some(path) = &self.settings {
            settings.values.extend(settings_file(path, descriptor)?);
        }
        for text in &self.set {
            let (key, value) = pair(text)?;
            settings.values.insert(key, value);
        }
        for text in &self.secret {
            let (key, place) = secret_pair(text)?;
            let value = place.read(&key, descriptor)?;
            settings.secrets.insert(key, value);
        }
        if fixture.is_none()
            && !console.json()
            && std::io::stdin().is_terminal()
            && std::io::stderr().is_terminal()
        {
            for field in descriptor.settings.iter().filter(|field| field.required) {
                ask(field, descriptor, &mut settings, console)?;
            }
        }
        Ok(settings)
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

impl SecretPlace {
    fn read(&self, key: &str, descriptor: &Descriptor) -> Result<SecretText, Refusal> {
        let place = match self {
            Self::Environment(name) => name.as_str(),
            Self::File(path) => path.to_str().unwrap_or_default(),
        };
        if looks_like_a_secret(key, descriptor) || looks_like_a_secret(place, descriptor) {
            return Err(Refusal::usage(
                Failure::new(
                    Code::InvalidSettings,
                    "`--secret` was given a text that looks like a key, in place of the key's \
                     location",
                )
                .with_hint(
                    "Put it into an environment variable or a file, and give its name: \
                     KEY=env:NAME or KEY=file:PATH. A key on a command line may have been seen by \
                     others: consider a new one.",
                ),
            ));
        }
        match self {
            Self::Environment(name) => match std::env::var(name) {
                Ok(value) => Ok(SecretText::new(value)),
                Err(std::env::VarError::NotUnicode(_)) => Err(Failure::new(
                    Code::InvalidSettings,
                    format!("the environment variable `{name}` for `{key}` is not text"),
                )
                .with_hint("Set it again: a key has letters, digits and a few signs.")
                .with_setting(key)
                .into()),
                Err(std::env::VarError::NotPresent) => Err(Failure::new(
                    Code::InvalidSettings,
                    format!("the environment variable `{name}` for `{key}` is not set"),
                )
                .with_remedy(Remedy::GiveSetting { setting: key.to_owned(), secret: true })
                .with_hint("Set it, or name another place.")
                .with_setting(key)
                .into()),
            },
            Self::File(path) => {
                let bytes = read_bounded(path, LARGEST_SMALL_FILE)
                    .map_err(|reason| unopened(&format!("--secret {key}"), path, &reason))?;
                let text = pasted::text(bytes).map_err(|reason| {
                    unreadable(&format!("--secret {key}"), path, &reason.to_string())
                })?;
                Ok(SecretText::new(text))
            }
        }
    }
}

/// Refuses a key as the value of an option that is for anything else, so that no message repeats
/// it. Options whose values have their own check are left to it.
fn no_key_among(
    arguments: impl Iterator<Item = String>,
    is_key: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    const CHECKED: [&str; 2] = ["--set", "--secret"];
    let mut option = String::new();
    for argument in arguments {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), value),
            _ if argument.starts_with("--") => {
                option = argument;
                continue;
            }
            _ => (std::mem::take(&mut option), argument.as_str()),
        };
        option.clear();
        let is_path_of_key = || value.split(['/', ' ']).any(&is_key);
        if CHECKED.contains(&name.as_str()) || !(is_key(value) || is_path_of_key()) {
            continue;
        }
        let place = if name.is_empty() { "an argument".to_owned() } else { format!("`{name}`") };
        return Err(Refusal::usage(
            Failure::new(
                Code::InvalidSettings,
                format!("{place} was given a text that looks like a key"),
            )
            .with_hint(
                "Leave it out, and give the key as a secret. A key on a command line may have \
                 been seen by others: consider a new one.",
            ),
        ));
    }
    Ok(())
}

/// The arguments of this program, as far as they are text.
fn arguments() -> impl Iterator<Item = String> {
    std::env::args_os().skip(1).filter_map(|argument| argument.into_string().ok())
}

/// Asks for a required setting that was not given, with its help, until there is an answer that may
/// be one.
fn ask(
    field: &SettingField,
    descriptor: &Descriptor,
    settings: &mut Settings,
    console: &Console,
) -> Result<(), Refusal> {
    if settings.values.contains_key(&field.key) || settings.secrets.contains_key(&field.key) {
        return Ok(());
    }
    let label = smp_host::text::shortened(&field.label, 60);
    let failed = |error: std::io::Error| {
        Failure::new(Code::InvalidSettings, format!("{label} could not be asked for: {error}"))
    };
    for _ in 0..MOST_ANSWERS {
        if !field.help.trim().is_empty() {
            console.note(&smp_host::text::shortened(field.help.trim(), 400));
        }
        if field.secret.is_some() {
            let prompt = format!("{label} (not shown): ");
            let value = rpassword::prompt_password(prompt).map_err(failed)?;
            if !value.trim().is_empty() {
                settings.secrets.insert(field.key.clone(), SecretText::new(value));
                return Ok(());
            }
        } else {
            console.question(&format!("{label}: ")).map_err(failed)?;
            let mut value = String::new();
            if std::io::stdin().lock().read_line(&mut value).map_err(failed)? == 0 {
                break;
            }
            let value = value.trim();
            if looks_like_a_secret(value, descriptor) {
                console.note(&format!(
                    "This looks like a key, and {label} was asked for. It was not sent. The key is \
                     asked for separately, and not shown then. Others may have seen it on the \
                     screen: consider a new one."
                ));
                continue;
            }
            if !value.is_empty() {
                settings.values.insert(field.key.clone(), value.to_owned());
                return Ok(());
            }
        }
        console.note(&format!("{label} is required."));
    }
    let give = Remedy::GiveSetting { setting: field.key.clone(), secret: field.secret.is_some() };
    Err(Failure::new(Code::InvalidSettings, format!("{label} was not entered"))
        .with_remedy(give)
        .with_hint(&*field.help)
        .with_setting(&field.key)
        .into())
}

/// Reads a settings file. Its text is never repeated, because it may contain the key.
fn settings_file(
    path: &Path,
    descriptor: &Descriptor,
) -> Result<BTreeMap<String, String>, Refusal> {
    let option = "--settings";
    let bytes =
        read_bounded(path, LARGEST_SMALL_FILE).map_err(|reason| unopened(option, path, &reason))?;
    let text =
        pasted::text(bytes).map_err(|reason| unreadable(option, path, &reason.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        unreadable(
            option,
            path,
            &format!("line {line} is no TOML; write `organization-id = \"…\"`"),
        )
    })?;
    table
        .into_iter()
        .map(|(key, value)| match value {
            toml::Value::String(value) => Ok((key, value)),
            _ if looks_like_a_secret(&key, descriptor) => {
                Err(unreadable(option, path, "a text that looks like a key is in place of a name"))
            }
            _ => Err(unreadable(option, path, &format!("`{key}` is not a text in quotes"))),
        })
        .collect()
}

/// A file whose content is wrong.
fn unreadable(option: &str, path: &Path, reason: &str) -> Refusal {
    Refusal::usage(unusable(option, path, reason))
}

/// A file that cannot be read at all: the command line may be right.
fn unopened(option: &str, path: &Path, reason: &str) -> Refusal {
    unusable(option, path, reason).into()
}

fn unusable(option: &str, path: &Path, reason: &str) -> Failure {
    Failure::new(
        Code::InvalidSettings,
        format!("`{option}`: `{}` cannot be used: {reason}", path.display()),
    )
    .with_hint("Correct the file or its path, and run the command again.")
}

/// Reads a file that must not be larger than this.
fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(format!("it is larger than {most} bytes"));
    }
    Ok(bytes)
}

/// Parses `KEY=VALUE`. A text that cannot be parsed is not repeated, here and below, because it may
/// be a key.
fn pair(text: &str) -> Result<(String, String), Refusal> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err(Refusal::usage(
            Failure::new(Code::InvalidSettings, "a `--set` is no KEY=VALUE")
                .with_hint("Write for example `--set organization-id=1234…`."),
        )),
    }
}

/// Parses `KEY=env:NAME` or `KEY=file:PATH`.
fn secret_pair(text: &str) -> Result<(String, SecretPlace), Refusal> {
    let refused = || {
        Refusal::usage(
            Failure::new(
                Code::InvalidSettings,
                "a `--secret` is neither KEY=env:NAME nor KEY=file:PATH",
            )
            .with_hint(
                "A secret itself must never be on the command line, where others can read it. Put \
                 it into an environment variable or a file and give its name, for example \
                 `--secret api-key=env:MY_KEY`.",
            ),
        )
    };
    let (key, place) = text.split_once('=').ok_or_else(refused)?;
    let place = match place.split_once(':') {
        Some(("env", name)) if !name.is_empty() => SecretPlace::Environment(name.to_owned()),
        Some(("file", path)) if !path.is_empty() => SecretPlace::File(path.into()),
        _ => return Err(refused()),
    };
    if key.trim().is_empty() { Err(refused()) } else { Ok((key.trim().to_owned(), place)) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_as_the_value_of_any_option_is_refused_and_not_repeated() {
        let refused = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|text| (*text).to_owned());
            no_key_among(arguments, |text| text.starts_with("KEY"))
                .err()
                .map(|refusal| refusal.failure.message)
        };
        for (arguments, place) in [
            (&["collect", "a.wasm", "--output", "KEYabc"][..], Some("`--output`")),
            (&["--output=KEYabc"], Some("`--output`")),
            (&["--output", "/tmp/KEYabc"], Some("`--output`")),
            (&["--grant", "POST KEYabc"], Some("`--grant`")),
            (&["--grant", "POST /v1/KEYabc"], Some("`--grant`")),
            (&["--settings", "KEYabc"], Some("`--settings`")),
            (&["collect", "KEYabc"], Some("an argument")),
            (&["--json", "KEYabc"], Some("`--json`")),
            (&["--set", "organization-id=KEYabc", "--secret=KEYabc"], None),
            (&["--set", "a=1", "--output", "monKEYs.csv"], None),
        ] {
            let message = refused(arguments);
            let expected =
                place.map(|place| format!("{place} was given a text that looks like a key"));
            assert_eq!(message, expected, "{arguments:?}");
        }
    }
}
