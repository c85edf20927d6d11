//! Progress of a run: a bar on a terminal; otherwise only the lines that a person needs.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use smp_conformance::check::Watcher;
use smp_host::observer::{Context, Event, Level, Observer};
use smp_host::text;

use super::console::Console;
use crate::show::request;

/// Shortest wait that is reported: a shorter one is not noticed.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// Shows the progress of a run.
pub(crate) struct Progress {
    console: Console,
    bar: Option<ProgressBar>,
    /// What is listed.
    records: &'static str,
    began: Began,
}

/// Where this run began in the list, and when. The bar's own estimate would take what an earlier
/// run collected for the work of this one.
#[derive(Clone, Debug)]
struct Began(Arc<Mutex<(u64, Instant)>>);

impl Began {
    fn now() -> Self {
        Self(Arc::new(Mutex::new((0, Instant::now()))))
    }

    fn at(&self, records: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (records, Instant::now());
    }

    /// The records of this run per second, at this position.
    fn pace(&self, position: u64) -> f64 {
        let (from, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pace(from, position, since.elapsed())
    }
}

/// The records per second of a run that began at one position and is now at another.
fn pace(from: u64, position: u64, took: Duration) -> f64 {
    // No list has so many records that a float of this size would be wrong by one.
    let records = position.saturating_sub(from) as f64;
    if took.is_zero() { 0.0 } else { records / took.as_secs_f64() }
}

/// How long the rest takes at this pace, as the bar shows it.
fn left(position: u64, total: u64, pace: f64) -> String {
    let seconds = total.saturating_sub(position) as f64 / pace;
    match Duration::try_from_secs_f64(seconds) {
        Ok(left) if position < total => format!("{:#} left", HumanDuration(left)),
        _ => String::new(),
    }
}

impl Progress {
    /// Shows lines only.
    pub(crate) fn new(console: Console) -> Self {
        Self { console, bar: None, records: "", began: Began::now() }
    }

    /// Shows lines, and a bar for a list of these records if there is a terminal. If each request
    /// has a line, there is no bar, because the lines would overwrite it.
    pub(crate) fn listing(console: Console, records: &'static str) -> Self {
        let began = Began::now();
        let bar =
            (!console.json() && !console.verbose() && std::io::stderr().is_terminal()).then(|| {
                let bar = ProgressBar::no_length().with_style(spinner(records, &began));
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            });
        Self { console, bar, records, began }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.note(line)),
            None => self.console.note(line),
        }
    }

    fn advance(&self, members: u64, total: Option<u64>, pages: u64) {
        let Some(bar) = &self.bar else { return };
        if let Some(total) = total.filter(|_| bar.length().is_none()) {
            bar.set_length(total);
            bar.set_style(style(self.records, &self.began));
        }
        bar.set_position(members);
        bar.set_message(pages_of(pages));
    }
}

impl Observer for Progress {
    fn event(&self, _: &Context, event: &Event<'_>) {
        match event {
            Event::Log { level: Level::Debug, .. } if !self.console.verbose() => {}
            Event::Log { level, message } => {
                self.line(&format!("connector {}: {message}", name(*level)))
            }
            Event::Request(sent) if self.console.verbose() => self.line(&request::line(sent)),
            Event::Waiting { wait, reason, tries } => {
                let text = format!(
                    "waiting {} after try {tries}: {}",
                    seconds(*wait),
                    text::shortened(reason, 200)
                );
                if let Some(bar) = &self.bar {
                    bar.set_message(text.clone());
                }
                if *wait >= WORTH_A_LINE || self.console.verbose() {
                    self.line(&text);
                }
            }
            Event::Resumed { members, pages } => {
                self.began.at(*members);
                if let Some(bar) = &self.bar {
                    bar.set_position(*members);
                }
                let (pages, members) = (pages_of(*pages), text::grouped(*members));
                self.line(&format!("resuming after {pages} with {members} {}", self.records))
            }
            Event::Restarted => {
                self.began.at(0);
                self.line(
                    "the service forgot where the list was; reading it again from the beginning",
                )
            }
            Event::Page { members, total, pages } => self.advance(*members, *total, *pages),
            _ => {}
        }
    }
}

/// Shows the progress of a check: a bar on a terminal, and nothing elsewhere.
pub(crate) struct Steps {
    bar: Option<ProgressBar>,
}

impl Steps {
    /// Shows a bar if there is a terminal.
    pub(crate) fn new(console: Console) -> Self {
        let bar = (!console.json() && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template(
                "{bar:32} {human_pos} of {human_len} {msg}  {eta} left",
            );
            let style =
                style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
            ProgressBar::no_length().with_style(style)
        });
        Self { bar }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for Steps {
    fn begins(&self, what: &'static str, number: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(u64::try_from(number).unwrap_or(u64::MAX));
            bar.set_message(what);
            bar.reset();
        }
    }

    fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

/// Counted pages.
pub(crate) fn pages_of(pages: u64) -> String {
    text::counted(usize::try_from(pages).unwrap_or(usize::MAX), "page")
}

fn seconds(wait: Duration) -> String {
    if wait.as_secs() >= 10 {
        format!("{} s", wait.as_secs())
    } else {
        format!("{:.1} s", wait.as_secs_f64())
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
    }
}

fn spinner(records: &str, began: &Began) -> ProgressStyle {
    ProgressStyle::with_template(&format!("{{spinner}} {{human_pos}} {records}  {{pace}}  {{msg}}"))
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("pace", shown_pace(began))
}

fn style(records: &str, began: &Began) -> ProgressStyle {
    ProgressStyle::with_template(&format!(
        "{{bar:32}} {{human_pos}} of {{human_len}} {records}  {{pace}}  {{left}}  {{msg}}"
    ))
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .with_key("pace", shown_pace(began))
    .with_key("left", shown_left(began))
    .progress_chars("━╸─")
}

/// Records of this run per second, rounded.
fn shown_pace(began: &Began) -> impl Fn(&ProgressState, &mut dyn Write) + Clone + 'static {
    let began = began.clone();
    move |state, text| {
        let _ = write!(text, "{:.0}/s", began.pace(state.pos()));
    }
}

/// The time for the rest at this run's pace.
fn shown_left(began: &Began) -> impl Fn(&ProgressState, &mut dyn Write) + Clone + 'static {
    let began = began.clone();
    move |state, text| {
        let total = state.len().unwrap_or_default();
        let _ = text.write_str(&left(state.pos(), total, began.pace(state.pos())));
    }
}

/// Ready when the program is asked to stop: Ctrl-C, SIGTERM or a closed terminal. It listens from
/// the call on, not from the first poll.
pub(crate) fn stopped() -> impl Future<Output = ()> {
    let signals = super::stop::Signals::new();
    if signals.is_ok() {
        super::stop::watch();
    }
    async {
        match signals {
            Ok(mut signals) => signals.next().await,
            // Without handlers a signal ends the process, as by default.
            Err(_) => std::future::pending().await,
        }
    }
}

/// The failure of a run that was asked to stop.
pub(crate) fn interrupted() -> smp_host::failure::Failure {
    smp_host::failure::Failure::new(smp_host::failure::Code::Interrupted, "the run was stopped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_run_is_told_by_its_own_speed() {
        let ten = Duration::from_secs(10);
        for (from, position, took, speed, rest) in [
            (0, 1_000, ten, 100.0, "3m left"),
            (10_800, 11_800, ten, 100.0, "82s left"),
            (10_800, 10_800, ten, 0.0, ""),
            (10_800, 10_800, Duration::ZERO, 0.0, ""),
            (10_800, 20_000, ten, 920.0, ""),
            // The list was read again from the beginning.
            (10_800, 100, ten, 0.0, ""),
        ] {
            let told = pace(from, position, took);
            assert!((told - speed).abs() < 0.001, "{from} {position}: {told}");
            assert_eq!(left(position, 20_000, told), rest, "{from} {position}");
        }
    }
}
