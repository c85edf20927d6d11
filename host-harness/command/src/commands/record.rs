//! `record`: stores a validation, a collection and, where the connector tells it and the operator
//! grants it, usage, as a fixture that replays without the service.
//!
//! The recorder is above the layer that attaches the key, so it never has it. Before the folder
//! gets its name, it is replayed once, and the outcome becomes the fixture's `expected.json`. Where
//! the answers are those of a case that has one, it is told what the new one changes.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use serde_json::{Value, json};
use smp_conformance::diff::expected;
use smp_host::collect::records::Page as _;
use smp_host::collect::report::RunReport;
use smp_host::collect::sink::Sink;
use smp_host::collect::stream::Stream;
use smp_host::contract::{MemberPage, UsagePage};
use smp_host::failure::{Code, Failure};
use smp_host::http::base::origin;
use smp_host::http::transport::{Phase, Transport};
use smp_host::text::{self, shortened};
use smp_host::validation::Validation;
use smp_replay::fixture::{Anonymizer, Fixture, Kept, Recorder, write_expected};
use smp_replay::player::Player;

use super::Exit;
use super::connector::ConnectorArguments;
use super::console::Console;
use super::progress::{Progress, interrupted, stopped};
use super::remedy::worded;
use super::source::{Source, SourceArguments, Wanted};

#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    source: SourceArguments,
    /// Write the fixture to this folder, which must not exist yet.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    output: PathBuf,
    /// Keep names, e-mail addresses and account ids unchanged. The key is never stored.
    #[arg(long, help_heading = "Output")]
    keep_personal_data: bool,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Record {
    pub(crate) async fn run(self, console: &Console) -> Exit {
        let source = match self.source.open(&self.connector, Wanted::All, console).await {
            Ok(source) => source,
            Err(refusal) => return refusal.shown(console),
        };
        source.note_warnings(console);
        match self.recorded(source, console).await {
            Ok(()) => Exit::Done,
            Err(failure) => console.failed(&failure),
        }
    }

    async fn recorded(&self, mut source: Source, console: &Console) -> Result<(), Failure> {
        let base = origin(&source.plugin.descriptor().api, source.settings())?.to_string();
        let recorder = Arc::new(Recorder::new(
            Arc::clone(&source.options.transport),
            Arc::clone(&source.options.clock),
            &base,
            &self.output,
        )?);
        source.options.transport = Arc::clone(&recorder) as Arc<dyn Transport>;
        let validation = validated(&source, console).await?;
        let (report, learned) = collected(&source, console).await?;
        let usage = if source.grants_usage() { Some(usage(&source, console).await?) } else { None };
        let settings: BTreeMap<_, _> = source
            .settings()
            .iter()
            .map(|setting| (setting.key.clone(), setting.value.clone()))
            .collect();
        let exchanges = recorder.exchanges();
        let draft = recorder.finish(&settings, (!self.keep_personal_data).then_some(learned))?;
        let player = Player::new(&source.plugin)?;
        // A run that gave up earlier than a replay does, say with a short `--max-wait`.
        let expected = player.outcome(&player.case(draft.path())?).await.map_err(|failure| {
            match failure.code {
                Code::Fixture => gave_up(&validation, &report, usage.as_ref()).unwrap_or(failure),
                _ => failure,
            }
        })?;
        let changes = self.changes(&expected);
        write_expected(draft.path(), &expected)?;
        draft.commit()?;
        let recorded = Recorded {
            validation: &validation,
            report: &report,
            usage: usage.as_ref(),
            exchanges,
            kept: recorder.kept(),
            changes,
        };
        self.say_what_is_kept(&recorded, console)
    }

    fn say_what_is_kept(&self, recorded: &Recorded<'_>, console: &Console) -> Result<(), Failure> {
        let Recorded { validation, report, usage, exchanges, kept, changes } = recorded;
        let unread = recorded.unread();
        let ready = validation.as_ref().is_ok_and(Validation::ready);
        let error = report.error.as_ref();
        if self.json {
            let value = json!({
                "output": self.output, "exchanges": exchanges, "ready": ready, "members": report.counts.members,
                "error": error.map(|failure| worded(failure).to_json()),
                "kept_fields": kept.fields, "unread_answers": unread, "changes": changes,
                "usage": usage.map(|report| json!({
                    "entries": report.counts.members,
                    "error": report.error.as_ref().map(|failure| worded(failure).to_json()),
                })),
            });
            return console.json_line(&value);
        }
        let validation = if ready { "ready" } else { "not ready" };
        let ended = |report: &RunReport, records: &str| match &report.error {
            None => format!("{} {records}", text::grouped(report.counts.members)),
            Some(failure) => format!("ended as `{}`", failure.code),
        };
        let collection = ended(report, MemberPage::RECORDS);
        let usage =
            usage.map_or(String::new(), |report| format!("; usage: {}", ended(report, "entries")));
        let personal = if self.keep_personal_data {
            "It holds personal data: treat it as such.".to_owned()
        } else {
            replaced(kept, unread)
        };
        console.note(&format!(
            "{} in {}. The validation: {validation}; the collection: \
             {collection}{usage}. {personal}",
            text::counted(*exchanges, "exchange"),
            self.output.display()
        ));
        if let Some(changes) = changes {
            self.say_what_changes(changes, console);
        }
        Ok(())
    }

    /// What the outcome changes in the expected one of the case that the answers come from. `None`
    /// if none is expected, or if made-up people take the place of that case's.
    fn changes(&self, now: &Value) -> Option<Vec<String>> {
        let case = self.source.fixture().filter(|_| self.keep_personal_data)?;
        let expected = Fixture::open(case).and_then(|case| case.expected()).ok().flatten()?;
        Some(expected::changes(&expected, now))
    }

    fn say_what_changes(&self, changes: &[String], console: &Console) {
        let Some(case) = self.source.fixture() else { return };
        let file = case.join("expected.json");
        if changes.is_empty() {
            console.note(&format!("The outcome is that of {}.", file.display()));
            return;
        }
        console.note(&format!("What it changes in {}:", file.display()));
        changes.iter().for_each(|change| console.note(&format!("  {change}")));
    }
}

/// What was recorded.
struct Recorded<'a> {
    validation: &'a Result<Validation, Failure>,
    report: &'a RunReport,
    usage: Option<&'a RunReport>,
    exchanges: usize,
    kept: Kept,
    changes: Option<Vec<String>>,
}

impl Recorded<'_> {
    /// How many answers could not be searched for people: those that are no JSON or may name
    /// people in the words of an error, and those at which the connector ended because it could
    /// not read them.
    fn unread(&self) -> usize {
        let failed = |error: Option<&Failure>| {
            error.is_some_and(|error| error.code == Code::UnexpectedResponse)
        };
        let validation = match self.validation {
            Ok(validation) => {
                validation.checks().iter().any(|check| check.code == Some(Code::UnexpectedResponse))
            }
            Err(failure) => failed(Some(failure)),
        };
        let ends = [
            (Phase::Validate, validation),
            (Phase::Collect, failed(self.report.error.as_ref())),
            (Phase::Usage, failed(self.usage.and_then(|report| report.error.as_ref()))),
        ];
        let is_counted = |phase: Phase| self.kept.ended_unread.contains(phase.as_str());
        let others = ends.iter().filter(|(phase, ended)| *ended && !is_counted(*phase));
        self.kept.unread + others.count()
    }
}

/// The failure of a run whose recording cannot be played: it says more than that an answer is
/// missing there.
fn gave_up(
    validation: &Result<Validation, Failure>,
    report: &RunReport,
    usage: Option<&RunReport>,
) -> Option<Failure> {
    let of_validation = match validation {
        Ok(validation) => validation.failure(),
        Err(failure) => Some(failure),
    };
    let of_usage = usage.and_then(|report| report.error.as_ref());
    let failure = report.error.as_ref().or(of_validation).or(of_usage)?;
    let message = format!(
        "nothing is kept, because the run ended in a way that cannot be played again: {}",
        failure.message
    );
    Some(Failure { message, ..failure.clone() })
}

/// What was replaced, what was not, and how to look.
fn replaced(kept: &Kept, unread: usize) -> String {
    let mut text = "Replaced are e-mail addresses, and names and account ids of the people whom \
                    the connector read or who stand beside an address or an id."
        .to_owned();
    if unread > 0 {
        let answers = text::counted(unread, "answer");
        text += &format!(
            " {answers} could not be read: names of other people in there stay as they are."
        );
    }
    if !kept.fields.is_empty() {
        let fields: Vec<String> =
            kept.fields.iter().map(|field| format!("`{}`", shortened(field, 60))).collect();
        text += &format!(" These fields of people were kept: {}.", fields.join(", "));
    }
    text + " Look through `traffic.har` and `bodies` before you share it."
}

/// Records the validation. Its failure is part of the recording, unless it was stopped.
async fn validated(
    source: &Source,
    console: &Console,
) -> Result<Result<Validation, Failure>, Failure> {
    let mut session = source.session(Arc::new(Progress::new(*console)));
    tokio::select! {
        validation = Validation::of(&mut session) => Ok(validation),
        () = stopped() => Err(interrupted()),
    }
}

/// Records the collection, and learns its personal data. Its failure is part of the recording,
/// unless it was stopped.
async fn collected(source: &Source, console: &Console) -> Result<(RunReport, Anonymizer), Failure> {
    let progress = Arc::new(Progress::listing(*console, MemberPage::RECORDS));
    let learned = Arc::new(Mutex::new(Anonymizer::new()));
    let mut stream = Stream::in_memory(Box::new(Learning(Arc::clone(&learned))));
    let report =
        source.session(Arc::clone(&progress) as _).collect_members(&mut stream, stopped()).await;
    progress.clear();
    match report.error {
        Some(failure) if failure.code == Code::Interrupted => Err(failure),
        _ => {
            let learned =
                std::mem::take(&mut *learned.lock().unwrap_or_else(PoisonError::into_inner));
            Ok((report, learned))
        }
    }
}

/// Records the usage. Its failure is part of the recording, unless it was stopped.
async fn usage(source: &Source, console: &Console) -> Result<RunReport, Failure> {
    let progress = Arc::new(Progress::listing(*console, UsagePage::RECORDS));
    let mut stream = Stream::in_memory(Box::new(Nowhere));
    let session = source.usage_session(Arc::clone(&progress) as _);
    let report = session.collect_usage(&mut stream, stopped()).await;
    progress.clear();
    match report.error {
        Some(failure) if failure.code == Code::Interrupted => Err(failure),
        _ => Ok(report),
    }
}

/// A sink that writes nothing: entries of usage have no personal data.
struct Nowhere;

impl Sink<UsagePage> for Nowhere {
    fn write_page(&mut self, _: &UsagePage) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sink that writes nothing, and learns the members' personal data.
struct Learning(Arc<Mutex<Anonymizer>>);

impl Sink for Learning {
    fn write_page(&mut self, page: &MemberPage) -> io::Result<()> {
        let mut anonymizer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page.members.iter().for_each(|member| anonymizer.learn(member));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_words_say_what_was_left_and_how_to_look() {
        let kept = |fields: &[&str]| Kept {
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..Kept::default()
        };
        for (kept, unread, words) in [
            (kept(&[]), 0, "beside an address or an id. Look through `traffic.har`"),
            (kept(&[]), 1, " 1 answer could not be read: names of other people"),
            (kept(&[]), 2, " 2 answers could not be read"),
            (kept(&["bio", "a\u{1b}b"]), 0, "were kept: `a\\u{1b}b`, `bio`. Look through"),
        ] {
            let text = replaced(&kept, unread);
            assert!(text.contains(words), "{text}");
            assert!(text.ends_with("before you share it."), "{text}");
        }
    }
}
