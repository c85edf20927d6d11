//! Standard output for data, and standard error for everything else. Only this file prints.
//!
//! It is the last place before a terminal, so whatever steers one is escaped here, wherever a text
//! came from: a line for people stays one line, and a text of several has only line breaks and the
//! colours of this program.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::show;
use crate::show::terminal::{self, COLOURS, Look};
use clap::error::{ContextKind, ContextValue};
use smp_host::failure::{Code, Failure};
use smp_host::files::json;
use smp_host::remedy::{Place, Remedy};
use smp_host::text;

use super::{Exit, remedy};

/// Width in columns if the terminal does not report it.
const USUAL_WIDTH: usize = 100;

/// The two streams, and how they look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    json: bool,
    verbose: bool,
}

impl Console {
    pub(crate) fn new(json: bool, verbose: bool) -> Self {
        Self { json, verbose }
    }

    /// Whether failures are written as JSON.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    /// Whether developers' log lines are shown.
    pub(crate) fn verbose(self) -> bool {
        self.verbose
    }

    /// Shows the host's log lines for developers, but not those of libraries, which might log a
    /// header. Lines that are shown anyway are left out: the progress shows requests, and failures
    /// come at the end.
    pub(crate) fn show_developers_lines(self) {
        use tracing_subscriber::Layer;
        use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
        use tracing_subscriber::layer::SubscriberExt;
        use tracing_subscriber::util::SubscriberInitExt;
        let ours = Targets::new().with_target("smp_", tracing::Level::WARN);
        let ours = ours.with_target("smp_harness", tracing::Level::DEBUG);
        // The person who started the run knows which one it is.
        let ours = ours.and(filter_fn(|metadata| metadata.is_event()));
        let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time();
        let lines = lines.with_target(false).with_ansi(self.error_look().colour);
        tracing_subscriber::registry().with(lines.with_filter(ours)).init();
    }

    /// How standard output looks.
    pub(crate) fn output_look(self) -> Look {
        Look { width: width(), colour: colour(io::stdout().is_terminal()) }
    }

    /// How standard error looks.
    pub(crate) fn error_look(self) -> Look {
        Look { width: width(), colour: colour(io::stderr().is_terminal()) }
    }

    /// Writes data to standard output. A reader that has left, as `head` does, wants no more: that
    /// is no failure, and the command ends as it would have.
    pub(crate) fn data(self, text: &str) -> Result<(), Failure> {
        match StandardOutput
            .write_all(harmless(text).as_bytes())
            .and_then(|()| StandardOutput.flush())
        {
            Err(_) if reader_left() => Ok(()),
            written => written.map_err(|error| output_fault(&error)),
        }
    }

    /// Writes one JSON value to standard output, on one line.
    pub(crate) fn json_line(self, value: &serde_json::Value) -> Result<(), Failure> {
        let line = json::line(value).map_err(|error| output_fault(&error))?;
        self.data(&format!("{line}\n"))
    }

    /// Writes a line for the person who runs the command. If standard error is closed, it is
    /// lost.
    pub(crate) fn note(self, line: &str) {
        let line = text::escaped(line);
        let mut error = io::stderr().lock();
        // A terminal would break it within a word. What is laid out already is left as it is.
        let is_wide = terminal::width(&line) > width() && !line.contains('\n');
        if is_wide && error.is_terminal() && !line.starts_with(' ') {
            for part in terminal::wrapped(&line, width()) {
                let _ = writeln!(error, "{part}");
            }
        } else {
            let _ = writeln!(error, "{line}");
        }
    }

    /// Writes a line for scripts, which is one line whatever reads it.
    fn line(self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", text::escaped(line));
    }

    /// Writes a question, after which the cursor stays.
    pub(crate) fn question(self, question: &str) -> io::Result<()> {
        let mut terminal = io::stderr().lock();
        terminal.write_all(harmless(question).as_bytes())?;
        terminal.flush()
    }

    /// Writes why a command failed.
    pub(crate) fn failed(self, failure: &Failure) -> Exit {
        self.failure(failure);
        Exit::Failed
    }

    /// Writes why a command line is wrong.
    pub(crate) fn wrong_usage(self, failure: &Failure) -> Exit {
        self.failure(failure);
        Exit::Usage
    }

    /// Writes a failure: for people, or as the last line for scripts, in both cases with a way out
    /// in this command's words.
    pub(crate) fn failure(self, failure: &Failure) {
        let failure = &remedy::worded(failure);
        let arguments = arguments();
        let keys = || parts(&arguments).filter(|part| is_a_key(part));
        if self.json {
            match json::line(&serde_json::json!({ "error": failure.to_json() })) {
                Ok(line) => self.line(&without(line, keys())),
                Err(error) => self.note(&format!("the failure cannot be written as JSON: {error}")),
            }
        } else {
            let text = show::report::failure(failure, self.error_look());
            let text = without(text, keys());
            let _ = writeln!(io::stderr().lock(), "{}", harmless(text.trim_end()));
        }
    }
}

/// A text of several lines as a terminal may get it: what steers one is escaped, except line
/// breaks, tabs and the colours that this program itself uses.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |sign| text::is_active(sign) && !matches!(sign, '\n' | '\t');
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find(steers) {
        let (before, from) = rest.split_at(start);
        safe.push_str(before);
        let colour = COLOURS.iter().find(|colour| from.starts_with(**colour));
        let taken = match colour {
            Some(colour) => {
                safe.push_str(colour);
                colour.len()
            }
            None => {
                let sign = from.chars().next().unwrap_or_default();
                safe.extend(sign.escape_unicode());
                sign.len_utf8()
            }
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    safe.push_str(rest);
    Cow::Owned(safe)
}

/// Standard output, which notes when its reader has left.
pub(crate) struct StandardOutput;

/// Whether the reader of the output has closed its end of the pipe.
static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Whether the reader of standard output, or of what the list goes through, has left: a list that is still being collected ends then,
/// without a word, and with 0.
pub(crate) fn reader_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).inspect_err(note_reader)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().inspect_err(note_reader)
    }
}

/// Another output that a list goes through, which notes the same of its reader.
pub(crate) struct Noting<W>(pub(crate) W);

impl<W: Write> Write for Noting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).inspect_err(note_reader)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().inspect_err(note_reader)
    }
}

fn note_reader(error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        READER_LEFT.store(true, Ordering::Relaxed);
    }
}

/// Writes why the arguments cannot be read, or the requested help. Anything that may be a key or a
/// password is not repeated, because standard error is often stored.
pub(crate) fn wrong_arguments(error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // The help or the version, which is data like any other.
        return match error.print() {
            Err(unwritten) if unwritten.kind() != io::ErrorKind::BrokenPipe => {
                let json = arguments().iter().any(|argument| argument == "--json");
                Console::new(json, false).failed(&output_fault(&unwritten)).into()
            }
            _ => Exit::Done.into(),
        };
    }
    let arguments = arguments();
    let mut error = without_secret_values(error);
    let way = without_an_origin(&error);
    if let Some(way) = &way {
        let tip = ContextValue::StyledStrs(vec![way.clone().into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    let text = error.render().to_string();
    let keys = parts(&arguments).filter(|part| looks_like_a_key(part));
    let text = without(text, keys.chain(arguments.iter().filter_map(|text| user_of(text))));
    let _ = write!(io::stderr().lock(), "{}", harmless(&text));
    if arguments.iter().any(|argument| argument == "--json") {
        let message = text
            .lines()
            .take_while(|line| !line.is_empty())
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ");
        let failure = Failure::new(Code::InvalidSettings, message.trim_start_matches("error: "))
            .with_hint(way.as_deref().unwrap_or(USUAL_WAY));
        Console::new(true, false).failure(&failure);
    }
    Exit::Usage.into()
}

/// The way out of any other mistake in the arguments.
const USUAL_WAY: &str = "`--help` after the name of the command lists what it takes.";

/// Shown in place of a value.
const NOT_SHOWN: &str = "[not shown]";

/// The arguments of this program.
fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()).collect()
}

/// The arguments, and what stands in them between `=`, `/`, `:` and spaces.
fn parts(arguments: &[String]) -> impl Iterator<Item = &str> {
    arguments.iter().flat_map(|argument| {
        let values = argument.split('=');
        // A key may stand where the name of an option does.
        let name = argument.trim_start_matches('-').split('=').next();
        let name = name.filter(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()));
        values.chain(argument.split(['=', '/', ':', ' '])).chain([argument.as_str()]).chain(name)
    })
}

/// The user and the password in an address or a reference, if there are both.
fn user_of(argument: &str) -> Option<&str> {
    let address = argument.split_once("://").map_or(argument, |(_, rest)| rest);
    let (user, host) = address.rsplit_once('@')?;
    // A digest stands behind that sign, too.
    (user.contains(':') && !host.starts_with("sha256:")).then_some(user)
}

/// The text without these parts.
fn without<'a>(text: String, keys: impl Iterator<Item = &'a str>) -> String {
    keys.fold(text, |text, key| text.replace(key, NOT_SHOWN))
}

/// The error without the values of options that may hold a key or a password.
fn without_secret_values(mut error: clap::Error) -> clap::Error {
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) => option.split_whitespace().next().unwrap_or_default(),
        _ => "",
    };
    let has_value = matches!(error.get(ContextKind::InvalidValue),
        Some(ContextValue::String(value)) if !value.is_empty());
    if ["--set", "--secret", "--upstream", "--allow-origin", "--grant"].contains(&option)
        && has_value
    {
        error.insert(ContextKind::InvalidValue, ContextValue::String(NOT_SHOWN.to_owned()));
    }
    error
}

/// The way out where an origin is missing: the variable that a script took it from may be empty.
fn without_an_origin(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let option = option.split_whitespace().next()?;
    let is_empty = matches!(error.get(ContextKind::InvalidValue),
        Some(ContextValue::String(value)) if value.is_empty());
    (is_empty && ["--upstream", "--allow-origin"].contains(&option))
        .then(|| format!("Write `{option} https://HOST`, or leave it out."))
}

/// Whether a text could be a key: long, only of characters that keys have, with a digit or a
/// capital, and not an option.
fn looks_like_a_key(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=+~".contains(&byte));
    text.len() >= 12
        && !text.starts_with("--")
        && plain
        && text.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// Whether a text can hardly be anything but a key: a message that only names a file or an id must
/// stay readable.
pub(crate) fn is_a_key(text: &str) -> bool {
    text.len() >= 24
        && looks_like_a_key(text)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// The failure of standard output.
pub(crate) fn output_fault(error: &io::Error) -> Failure {
    Failure::new(Code::Output, format!("standard output cannot be written: {error}"))
        .with_remedy(Remedy::MakeRoom { of: Place::Stream })
        .with_hint("Make room where the output goes, or keep the program that reads it running.")
}

fn width() -> usize {
    terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
}

/// Colours go to a terminal, or where `CLICOLOR_FORCE` asks for them, unless `NO_COLOR` asks for
/// none (<https://bixense.com/clicolors>, <https://no-color.org>).
fn colour(terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let able = terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    set("NO_COLOR").is_none() && (forced || able)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_does_not_pass_and_our_colours_do() {
        for (text, shown) in [
            ("two\nlines\tand Zoë, 张伟, 👩‍💻", "two\nlines\tand Zoë, 张伟, 👩‍💻"),
            ("\u{1b}[31m✘\u{1b}[0m no", "\u{1b}[31m✘\u{1b}[0m no"),
            ("\u{1b}]52;c;cm0=\u{7}", "\\u{1b}]52;c;cm0=\\u{7}"),
            ("\u{1b}[8m\u{1b}[2J\u{9b}2J", "\\u{1b}[8m\\u{1b}[2J\\u{9b}2J"),
            ("a\r{\"error\"", "a\\u{d}{\"error\""),
            ("\u{202e}gpj.exe\u{1b}", "\\u{202e}gpj.exe\\u{1b}"),
        ] {
            assert_eq!(harmless(text), shown, "{text:?}");
        }
    }

    #[test]
    fn keys_are_told_from_options_and_names() {
        for key in ["ATCTT3xFfGF0abcdef", "ATATT3xFfGF0T=abc", "7c2k9a41-5d0e-4h7b"] {
            assert!(looks_like_a_key(key), "{key}");
        }
        for other in [
            "--allow-origin",
            "members.csv",
            "organization-id",
            "https://api.example.test",
            "ATCTT",
            "tests/fixtures/acme1",
        ] {
            assert!(!looks_like_a_key(other), "{other}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        for (argument, user) in [
            ("https://ann:a/b@c@reg.test", Some("ann:a/b@c")),
            ("--upstream=http://ann:secret@[::1]:80", Some("ann:secret")),
            ("ann:secret@reg.test/name:1", Some("ann:secret")),
            ("ann@reg.test/name:1", None),
            ("reg.test:5000/name@sha256:0a", None),
            ("https://reg.test:5000/name", None),
        ] {
            assert_eq!(user_of(argument), user, "{argument}");
        }
    }

    #[test]
    fn a_failure_repeats_no_argument_that_can_only_be_a_key() {
        let key = "ATCTT3xFfGF0abcdefghijklm";
        let arguments = [format!("--output=out/{key}"), key.to_owned(), "Members-2026".to_owned()];
        let keys = parts(&arguments).filter(|part| is_a_key(part));
        let option = [format!("--{key}=x")];
        let keys_of_option = parts(&option).filter(|part| looks_like_a_key(part));
        let told = without(format!("unexpected argument '--{key}' found"), keys_of_option);
        assert_eq!(told, "unexpected argument '--[not shown]' found");
        let text = without(format!("`{key}` and `out/{key}.csv` of Members-2026"), keys);
        assert_eq!(text, "`[not shown]` and `out/[not shown].csv` of Members-2026");
        for other in ["1f7c2a9e-5b3d-4e8f-a6c1-g7h8j9k0m2n4", "Members-of-the-year-26.csv"] {
            assert!(!is_a_key(other), "{other}");
        }
    }
}
