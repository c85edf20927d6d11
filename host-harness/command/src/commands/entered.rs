//! The settings that a person entered: on the command line, in files, or on a terminal. No message
//! repeats a value, because it may be the key.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use smp_host::contract::{Descriptor, SettingField};
use smp_host::failure::{Code, Failure};
use smp_host::pasted;
use smp_host::remedy::Remedy;
use smp_host::settings::{SecretText, Settings, looks_like_a_secret};
use smp_replay::fixture::Fixture;

use super::console::Console;
use super::refusal::Refusal;

/// Largest file of settings, a key or certificates, in bytes: each has a few lines.
pub(crate) const LARGEST_SMALL_FILE: u64 = 1024 * 1024;
/// Most answers to one question, so that input that never fits comes to an end.
const MOST_ANSWERS: usize = 5;

/// The options that settings are entered by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered<'a> {
    /// `--settings`.
    pub(crate) file: Option<&'a Path>,
    /// Each `--set`.
    pub(crate) set: &'a [String],
    /// Each `--secret`.
    pub(crate) secret: &'a [String],
}

/// The place of a secret.
#[derive(Clone, Debug)]
enum SecretPlace {
    Environment(String),
    File(PathBuf),
}

impl Entered<'_> {
    /// The settings: those of the fixture, those that were entered, and on a terminal those that
    /// are still missing.
    pub(crate) fn read(
        self,
        descriptor: &Descriptor,
        fixture: Option<&Fixture>,
        console: &Console,
    ) -> Result<Settings, Refusal> {
        let mut settings = Settings::default();
        if let Some(fixture) = fixture {
            settings.values.extend(fixture.settings().clone());
        }
        if let Some(path) = self.file {
            settings.values.extend(settings_file(path, descriptor)?);
        }
        for text in self.set {
            let (key, value) = pair(text)?;
            settings.values.insert(key, value);
        }
        for text in self.secret {
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
pub(crate) fn no_key_among(
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
        let is_path_of_key = || value.split(['/', ' ']).any(|part| has_key(part, &is_key));
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

/// Whether a part of a path is a key, or has a long one after a sign, as in `list_KEY.csv`.
fn has_key(part: &str, is_key: impl Fn(&str) -> bool) -> bool {
    /// Fewest bytes of a key that is looked for within a name.
    const SHORTEST_WITHIN: usize = 24;
    let mut signs = part.match_indices(|sign: char| !sign.is_alphanumeric());
    is_key(part)
        || signs.any(|(at, sign)| {
            let rest = part.get(at + sign.len()..).unwrap_or_default();
            rest.len() >= SHORTEST_WITHIN && is_key(rest)
        })
}

/// The arguments of this program, as far as they are text.
pub(crate) fn arguments() -> impl Iterator<Item = String> {
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
pub(crate) fn unopened(option: &str, path: &Path, reason: &str) -> Refusal {
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
pub(crate) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
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
