//! What `collect` and `usage` share: a list, page by page, to standard output or to a file.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::show::terminal::Look;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use smp_host::collect::destination::{Destination, Listed};
use smp_host::collect::guard::Counts;
use smp_host::collect::report::{Note, Outcome, RunReport};
use smp_host::collect::shortfall::Shortfall;
use smp_host::collect::sink::{Sink, fault};
use smp_host::collect::stream::Stream;
use smp_host::contract::Instant;
use smp_host::failure::{Code, Failure};
use smp_host::files::Format;
use smp_host::files::csv::Dialect;
use smp_host::files::journal::FileJournal;
use smp_host::files::target;
use smp_host::http::retry::Figures;
use smp_host::text::{self, grouped};

use super::Exit;
use super::connector::ConnectorArguments;
use super::console::{Console, Noting, StandardOutput, reader_left};
use super::outputs::{self, Output};
use super::progress::{Progress, pages_of, stopped};
use super::registry::ended;
use super::remedy::worded_report;
use super::source::{Source, SourceArguments, Wanted};

/// Largest report of an earlier run that is read, in bytes.
const LARGEST_REPORT: u64 = 16 * 1024 * 1024;

/// Where a list comes from and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Collection {
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    source: SourceArguments,
    /// The format of the list [default: that of the output's file name, else table].
    #[arg(long, value_name = "table|csv|ndjson|json", value_parser = format, help_heading = "Output")]
    format: Option<Shown>,
    /// For whom csv is written: `excel` has a byte order mark, dates that Excel reads, and ids as
    /// text; `excel-semicolon` is for an Excel whose lists have semicolons, as in German or French.
    #[arg(
        long,
        value_name = "plain|excel|excel-semicolon",
        value_parser = dialect,
        help_heading = "Output"
    )]
    csv: Option<Dialect>,
    /// Write the list to this file, which appears only when the list is complete; `-` is standard
    /// output.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Note the progress in this file, so that a stopped run can resume; csv and ndjson only.
    #[arg(long, value_name = "FILE", requires = "output", help_heading = "Output")]
    checkpoint: Option<PathBuf>,
    /// Write the outcome and figures of the run to this file, however it ends.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    report: Option<PathBuf>,
    /// Count a list as complete that lacks exactly this many of the total that the service states.
    #[arg(long, value_name = "N", value_parser = shortfall(), help_heading = "Output")]
    accept_shortfall: Option<u64>,
    /// Write failures as JSON. It does not change the format of the list.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a list is shown to people.
pub(crate) struct View {
    /// The current time.
    pub(crate) now: Instant,
    /// Width and colours.
    pub(crate) look: Look,
    /// What the connector means by a billable member; may be empty.
    pub(crate) billable: String,
}

/// A kind of list, as this command shows it.
pub(crate) trait Presented: Listed {
    /// What is wanted of the connector.
    const WANTED: Wanted;

    /// A sink for programs.
    fn data<W: Write + Send + 'static>(
        format: Format,
        dialect: Dialect,
        output: W,
        resuming: bool,
    ) -> Box<dyn Sink<Self>>;

    /// A sink for people.
    fn table<W: Write + Send + 'static>(output: W, view: &View) -> Box<dyn Sink<Self>>;

    /// The list that was written, as the beginning of the last line: `40 members`.
    fn counted(counts: &Counts) -> String;

    /// Facts about it, as the middle of that line; may be empty.
    fn facts(counts: &Counts) -> String;
}

impl Collection {
    pub(crate) async fn run<P: Presented>(self, console: &Console) -> Exit {
        let (output, format) = match self.check_files() {
            Ok(checked) => checked,
            Err(failure) => return ended(&failure, console),
        };
        let started = std::time::Instant::now();
        let (report, exit) = match self.source.open(&self.connector, P::WANTED, console).await {
            Ok(mut source) => {
                source.options.shortfall =
                    Shortfall { accepted: self.accept_shortfall, before: self.shortfall_before() };
                self.collected::<P>(&source, &output, format, console).await
            }
            // No run begins on a wrong command line. What `--report` names may be the key.
            Err(refusal) if refusal.exit == Exit::Usage => return refusal.shown(console),
            Err(refusal) => (failed_before_it_began(*refusal.failure), refusal.exit),
        };
        // What follows in a pipe, such as `head`, has read enough: a quiet end.
        let left = |failure: &Failure| failure.code == Code::Output && reader_left();
        let exit = if report.error.as_ref().is_some_and(left) { Exit::Done } else { exit };
        let exit = self.written(&report, exit, console);
        match &report.error {
            Some(failure) if left(failure) => {}
            Some(failure) => console.failure(failure),
            None if exit == Exit::Done => {
                self.say_done::<P>(&report, started.elapsed(), console);
                for note in &report.notes {
                    console.note(&noted(note));
                }
            }
            None => {}
        }
        exit
    }

    /// The shortfall of the run before, if the file of the report has its report.
    fn shortfall_before(&self) -> Option<u64> {
        let path = self.report.as_deref()?;
        let there = std::fs::metadata(path).ok()?;
        if !there.is_file() || there.len() > LARGEST_REPORT {
            return None;
        }
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        report.get("shortfall")?.as_u64()
    }

    /// The format that was asked for, or that of the output's name, also of a pipe's. A name
    /// without an ending, and what has no name, get a table.
    fn effective_format(&self, output: &Output) -> Result<Shown, Failure> {
        let (None, Output::File(path) | Output::Through(path)) = (self.format, output) else {
            return Ok(self.format.unwrap_or(Shown::Table));
        };
        let Some(ending) = path.extension() else { return Ok(Shown::Table) };
        match ending.to_string_lossy().to_ascii_lowercase().as_str() {
            "csv" => Ok(Shown::Data(Format::Csv)),
            "ndjson" | "jsonl" => Ok(Shown::Data(Format::Ndjson)),
            "json" => Ok(Shown::Data(Format::Json)),
            "txt" => Ok(Shown::Table),
            other => Err(Failure::new(
                Code::InvalidSettings,
                format!("`--output`: no format has the ending `.{}`", text::shortened(other, 40)),
            )
            .with_hint(
                "The formats are `csv`, `ndjson`, `json` and `table`: name one with `--format`, \
                 or let the name end in `.csv`, `.ndjson`, `.json` or `.txt` (a table).",
            )),
        }
    }

    /// Checks what clap cannot: files that would overwrite each other, and a checkpoint for a
    /// format that is written at the end.
    fn check_files(&self) -> Result<(Output, Shown), Failure> {
        let written: Vec<_> = [
            ("--output", &self.output),
            ("--checkpoint", &self.checkpoint),
            ("--report", &self.report),
        ]
        .into_iter()
        .filter_map(|(option, file)| Some((option, file.as_deref()?)))
        .collect();
        let read: Vec<_> = self.connector.files().chain(self.source.files()).collect();
        outputs::check_separate(&written, &read)?;
        outputs::check_fixture(&written, "--fixture", self.source.fixture())?;
        let output = Output::of(self.output.as_deref())?;
        outputs::check_report(&output, self.report.as_deref())?;
        if self.checkpoint.is_some() {
            output.check_checkpoint()?;
        }
        let format = self.effective_format(&output)?;
        if self.checkpoint.is_some() && !matches!(format, Shown::Data(format) if format.streams()) {
            return Err(Failure::new(
                Code::InvalidSettings,
                format!(
                    "a {} is written at the end, so it cannot use a checkpoint",
                    format.as_str()
                ),
            )
            .with_hint("Use `--format csv` or `--format ndjson` with `--checkpoint`."));
        }
        if self.csv.is_some() && format != Shown::Data(Format::Csv) {
            return Err(Failure::new(
                Code::InvalidSettings,
                format!("`--csv` says how csv is written, and the format is {}", format.as_str()),
            )
            .with_hint("Leave `--csv` out, or use `--format csv`."));
        }
        outputs::check_places(&output, self.checkpoint.as_deref(), self.report.as_deref())?;
        Ok((output, format))
    }

    async fn collected<P: Presented>(
        &self,
        source: &Source,
        output: &Output,
        format: Shown,
        console: &Console,
    ) -> (RunReport, Exit) {
        source.note_warnings(console);
        let progress = Arc::new(Progress::listing(*console, P::RECORDS));
        if self.checkpoint.is_some() {
            super::stop::is_resumable();
        }
        // A named pipe is opened when its reader comes, and a stop may be asked for until then.
        let stop = stopped();
        let destination = self.destination::<P>(source, output, format, console, &progress);
        let mut destination = match destination {
            Ok(destination) => destination,
            Err(failure) => {
                progress.clear();
                return (failed_before_it_began(failure), Exit::Failed);
            }
        };
        let session = source.session(Arc::clone(&progress) as _);
        let report = session.list(&mut *destination, stop).await;
        progress.clear();
        let exit = match report.outcome {
            Outcome::Complete => Exit::Done,
            Outcome::Stopped => Exit::Stopped,
            Outcome::Failed | Outcome::Fenced => Exit::Failed,
        };
        (report, exit)
    }

    fn destination<P: Presented>(
        &self,
        source: &Source,
        output: &Output,
        format: Shown,
        console: &Console,
        progress: &Arc<Progress>,
    ) -> Result<Box<dyn Destination<P>>, Failure> {
        let dialect = self.csv.unwrap_or_default();
        let view = |look| View { now: source.now, look, billable: billable(source) };
        // The bar is removed before a table is written, or they would overwrite each other.
        let after_progress = |output: Box<dyn Write + Send>| AfterProgress {
            progress: Arc::clone(progress),
            output: io::BufWriter::new(output),
        };
        Ok(match output {
            Output::Standard => {
                let output = after_progress(Box::new(StandardOutput));
                let view = view(console.output_look());
                let sink = format.sink::<P, _>(dialect, output, false, &view);
                Box::new(Stream::new("standard output", sink))
            }
            Output::Through(path) => {
                let opened = target::open_stream(path).map_err(|error| fault(path, &error))?;
                let opened = Box::new(Noting(opened));
                let (output, view) = (after_progress(opened), view(Look::PLAIN));
                let sink = format.sink::<P, _>(dialect, output, false, &view);
                Box::new(Stream::new(path, sink))
            }
            Output::File(path) => {
                let view = view(Look::PLAIN);
                let sink = Box::new(move |output, resuming| {
                    let output = io::BufWriter::new(output);
                    format.sink::<P, _>(dialect, output, resuming, &view)
                });
                // A checkpoint of one form of csv does not fit another.
                let name = match dialect {
                    Dialect::Plain => format.as_str().to_owned(),
                    other => format!("{} for {}", format.as_str(), other.as_str()),
                };
                Box::new(FileJournal::new(path, name, sink, self.checkpoint.clone()))
            }
        })
    }

    /// Writes the report, if one is wanted. A report that cannot be written is a separate failure.
    fn written(&self, report: &RunReport, exit: Exit, console: &Console) -> Exit {
        let Some(path) = &self.report else { return exit };
        let text = format!("{:#}\n", worded_report(report).to_json());
        match target::replace(path, text.as_bytes()) {
            Ok(()) => exit,
            Err(error) => {
                console.failure(&outputs::no_report(path, &error));
                if exit == Exit::Done { Exit::Failed } else { exit }
            }
        }
    }

    fn say_done<P: Presented>(&self, report: &RunReport, took: Duration, console: &Console) {
        let counts = &report.counts;
        let place =
            self.output.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default();
        let dropped = match counts.duplicates {
            0 => String::new(),
            duplicates => format!(", {} left out as duplicates", grouped(duplicates)),
        };
        let (list, facts) = (P::counted(counts), P::facts(counts));
        let pages = pages_of(counts.pages);
        let seconds = took.as_secs_f64();
        console.note(&format!("{list}{place}: {facts}{pages}, {seconds:.1} s{dropped}"));
    }
}

/// A note of the connector as a line.
fn noted(note: &Note) -> String {
    let Note { message, hint, .. } = note;
    let (message, hint) = (text::escaped(message), text::escaped(hint));
    format!("note: {message} {hint}").trim_end().to_owned()
}

/// What the connector's descriptor means by a billable member.
fn billable(source: &Source) -> String {
    let sets = &source.plugin.descriptor().data_collected;
    let mut fields = sets.iter().filter(|set| set.name == "members").flat_map(|set| &set.fields);
    let field = fields.find(|field| field.name == "billable");
    field.map(|field| field.description.clone()).unwrap_or_default()
}

fn failed_before_it_began(failure: Failure) -> RunReport {
    RunReport {
        outcome: Outcome::Failed,
        counts: Counts::default(),
        notes: vec![],
        shortfall: None,
        figures: Figures::default(),
        resumed: false,
        error: Some(failure),
    }
}

/// The format of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// For people, on a terminal, and followed by a summary.
    Table,
    /// For programs.
    Data(Format),
}

impl Shown {
    fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Data(format) => format.as_str(),
        }
    }

    fn sink<P: Presented, W: Write + Send + 'static>(
        self,
        dialect: Dialect,
        output: W,
        resuming: bool,
        view: &View,
    ) -> Box<dyn Sink<P>> {
        match self {
            Self::Data(format) => P::data(format, dialect, output, resuming),
            Self::Table => P::table(output, view),
        }
    }
}

/// Standard output, after the progress bar is removed.
struct AfterProgress<W> {
    progress: Arc<Progress>,
    output: W,
}

impl<W: Write> Write for AfterProgress<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.progress.clear();
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

fn format(text: &str) -> Result<Shown, String> {
    match text {
        "table" => Ok(Shown::Table),
        data => data
            .parse()
            .map(Shown::Data)
            .map_err(|_| "the formats are `table`, `csv`, `ndjson` and `json`".into()),
    }
}

fn shortfall() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

fn dialect(text: &str) -> Result<Dialect, String> {
    let known = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == text);
    known.ok_or_else(|| "the forms of csv are `plain`, `excel` and `excel-semicolon`".into())
}
