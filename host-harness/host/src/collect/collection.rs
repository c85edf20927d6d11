//! Collecting: asks for page after page, and ends with a list that is whole or with the reason why there is none.
//!
//! ```text
//!            ┌──────────────── next page ◀──────────────┐
//! open ─▶ ask ─▶ page ─▶ guard ─▶ sink ─▶ checkpoint ─▶ next? ─ no ─▶ anybody? ─ yes ─▶ whole? ─ yes ─▶ complete
//!  ▲         └ cursor expired, first time ─▶ ask from the beginning       └ no ─▶ validate ─▶ its finding
//!  └ resumed from a checkpoint
//! ```
//! Every other failure ends the run. What it leaves behind depends on whether the next run can go on: see `Ending`.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use super::guard::{Counts, Guard};
use super::report::{Outcome, RunReport};
use crate::collect::sink::Sink;
use crate::component::session::Session;
use crate::contract::{Descriptor, MemberPage, Outcome as CheckOutcome};
use crate::failure::{Code, Failure};
use crate::files::checkpoint::{Checkpoint, Entry, Identity, Page};
use crate::files::output::{OutputFile, fault};
use crate::host::settings_hash;
use crate::limits::Limits;
use crate::observer::{Event, Observer};
use crate::settings::Checked;

/// Makes the sink for an output; the flag says that members of earlier pages are in it already.
pub type MakeSink<'a> = Box<dyn FnOnce(Box<dyn io::Write + Send>, bool) -> Box<dyn Sink> + Send + 'a>;

/// Where members go.
pub enum Target<'a> {
    /// To a stream that is not ours to take back, such as standard output.
    Stream(Box<dyn Sink>),
    /// To a file.
    File {
        /// Its path.
        path: PathBuf,
        /// Name of the format, for the checkpoint to know.
        format: &'static str,
        /// Makes the sink.
        sink: MakeSink<'a>,
        /// Where to note what was delivered. None for a run that begins anew each time.
        checkpoint: Option<Noted>,
    },
}

/// Where a run notes what was delivered, and what it goes on from besides the settings and the
/// output.
#[derive(Clone, Debug)]
pub struct Noted {
    /// The checkpoint's path.
    pub path: PathBuf,
    /// Digest of the component.
    pub component: String,
    /// The origin that is asked, or the recorded traffic in its place.
    pub origin: String,
}

/// One collection.
pub struct Collection<'a> {
    /// The run of the connector.
    pub session: Session,
    /// What the connector says about itself.
    pub descriptor: &'a Descriptor,
    /// The settings.
    pub settings: &'a Checked,
    /// Bounds of the guard.
    pub limits: &'a Limits,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// An output that is open, and how far it is.
struct Open {
    sink: Box<dyn Sink>,
    /// What the sink writes to, for faults to name.
    name: PathBuf,
    file: Option<OutputFile>,
    checkpoint: Option<Checkpoint>,
    guard: Guard,
    /// What was counted of the pages that were delivered: the guard is ahead of it while a page is being written.
    counts: Counts,
    cursor: Option<String>,
    /// Whether the last page was delivered.
    done: bool,
    /// Whether an earlier run delivered pages.
    resumed: bool,
}

/// What opening an output comes to.
enum Opened {
    Open(Box<Open>),
    /// An earlier run had finished it, and was ended before it could say so.
    Finished(Counts),
}

/// What is left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The output and the checkpoint stay: the same command goes on.
    Stopped,
    /// They stay, though the run failed: it goes on once somebody has changed what stopped it.
    Kept,
    /// Nothing stays: going on would end in the same way.
    Over,
}

impl Collection<'_> {
    /// Collects until the list is whole, something fails or `stop` is ready.
    pub async fn run(mut self, target: Target<'_>, stop: impl Future<Output = ()>) -> RunReport {
        let mut stop = std::pin::pin!(stop);
        let with_checkpoint = matches!(&target, Target::File { checkpoint: Some(_), .. });
        let mut open = match self.open(target) {
            Ok(Opened::Open(open)) => *open,
            Ok(Opened::Finished(counts)) => return self.ended(Outcome::Complete, counts, true, None),
            Err(failure) => {
                let stopped = with_checkpoint && Ending::of(&failure, true) == Ending::Stopped;
                let outcome = if stopped { Outcome::Stopped } else { Outcome::Failed };
                return self.ended(outcome, Counts::default(), false, Some(failure));
            }
        };
        let result = match self.deliver(&mut open, stop.as_mut()).await {
            Ok(()) => self.whole(&open.guard, stop).await,
            Err(failure) => Err(failure),
        };
        match result {
            Ok(()) => self.complete(open),
            Err(failure) => self.end(open, failure),
        }
    }

    /// Opens the output, and goes back to where a checkpoint says it was.
    fn open(&self, target: Target<'_>) -> Result<Opened, Failure> {
        let mut guard = Guard::new(self.limits);
        let (path, format, make_sink, checkpoint) = match target {
            Target::Stream(sink) => {
                let name = PathBuf::from("standard output");
                return Ok(Opened::Open(Box::new(Open {
                    sink,
                    name,
                    file: None,
                    checkpoint: None,
                    guard,
                    counts: Counts::default(),
                    cursor: None,
                    done: false,
                    resumed: false,
                })));
            }
            Target::File { path, format, sink, checkpoint } => (path, format, sink, checkpoint),
        };
        let (checkpoint, entries) = match checkpoint {
            None => (None, Vec::new()),
            Some(noted) => {
                let (checkpoint, entries) = Checkpoint::open(&noted.path, &self.identity(&noted, &path, format)?)?;
                (Some(checkpoint), entries)
            }
        };
        let (mut cursor, mut written, mut done) = (None, None, false);
        for entry in &entries {
            match entry {
                Entry::Restart => {
                    guard.restart();
                    cursor = None;
                }
                Entry::Page(page) => {
                    guard.recall(&page.admitted, page.next.as_deref(), page.counts);
                    cursor.clone_from(&page.next);
                    written = Some((page.offset, page.digest));
                    done = page.next.is_none();
                }
            }
        }
        let file = match written {
            Some((length, digest)) if done && OutputFile::is_complete(&path, length, &digest) => {
                self.observer.event(&Event::Resumed { members: guard.counts().members, pages: guard.counts().pages });
                removed(checkpoint, &path)?;
                return Ok(Opened::Finished(guard.counts()));
            }
            Some((offset, digest)) => OutputFile::resume(&path, offset, &digest)?,
            None => OutputFile::begin(&path)?,
        };
        if written.is_some() {
            self.observer.event(&Event::Resumed { members: guard.counts().members, pages: guard.counts().pages });
        }
        let sink = make_sink(Box::new(file.writer()?), written.is_some());
        let (counts, resumed) = (guard.counts(), written.is_some());
        Ok(Opened::Open(Box::new(Open { sink, name: path, file: Some(file), checkpoint, guard, counts, cursor, done, resumed })))
    }

    /// Delivers page after page.
    async fn deliver(&mut self, open: &mut Open, mut stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Failure> {
        while !open.done {
            let answer = tokio::select! {
                biased;
                () = stop.as_mut() => Err(interrupted()),
                answer = self.session.collect(&self.settings.public, open.cursor.as_ref()) => answer,
            };
            match answer {
                Ok(page) => self.take(open, page)?,
                Err(failure) if failure.code == Code::CursorExpired && !open.guard.restarted() => {
                    open.guard.restart();
                    open.cursor = None;
                    if let Some(checkpoint) = &mut open.checkpoint {
                        checkpoint.append(&Entry::Restart)?;
                    }
                    self.observer.event(&Event::Restarted);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Takes one page: guard, sink, and then the checkpoint, when the rows are on the disk.
    fn take(&self, open: &mut Open, mut page: MemberPage) -> Result<(), Failure> {
        let admitted = open.guard.admit(&mut page, open.cursor.as_deref())?;
        let written = open.sink.write_page(&page).and_then(|()| open.sink.flush());
        written.map_err(|error| fault(&open.name, &error))?;
        let counts = open.guard.counts();
        if let (Some(checkpoint), Some(file)) = (&mut open.checkpoint, &mut open.file) {
            let (offset, digest) = file.sync().map_err(|error| fault(&open.name, &error))?;
            checkpoint.append(&Entry::Page(Page { next: page.next.clone(), offset, digest, counts, admitted }))?;
        }
        open.counts = counts;
        open.done = page.next.is_none();
        open.cursor = page.next;
        self.observer.event(&Event::Page { members: counts.members, total: counts.last_total, pages: counts.pages });
        Ok(())
    }

    /// Judges the list after its last page.
    async fn whole(&mut self, guard: &Guard, stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Failure> {
        if !guard.nobody() {
            return guard.judge();
        }
        Err(tokio::select! {
            biased;
            () = stop => interrupted(),
            failure = self.why_nobody() => failure,
        })
    }

    /// Asks the connector why an organization has no members.
    async fn why_nobody(&mut self) -> Failure {
        let report = match self.session.diagnose(&self.settings.public).await {
            Ok(report) => report,
            Err(failure) => return failure,
        };
        let failed = report.checks.into_iter().find_map(|check| match check.outcome {
            CheckOutcome::Failed(failure) => Some(failure),
            _ => None,
        });
        match failed {
            Some(failure) => failure.into(),
            None => Failure::new(Code::NoMembers, "the service answers with an empty list of members, and does not say why")
                .with_hint("Check at the service that the organization has members that its administrators manage, then collect again."),
        }
    }

    fn complete(&self, mut open: Open) -> RunReport {
        let finished = open.sink.finish().map_err(|error| fault(&open.name, &error));
        if let Err(failure) = finished {
            return self.end(open, failure);
        }
        if let Some(file) = open.file.take()
            && let Err(failure) = file.complete()
        {
            return self.end(open, failure);
        }
        match removed(open.checkpoint.take(), &open.name) {
            Ok(()) => self.report(Outcome::Complete, &open, None),
            Err(failure) => self.report(Outcome::Failed, &open, Some(failure)),
        }
    }

    /// Ends a run that failed.
    fn end(&self, mut open: Open, failure: Failure) -> RunReport {
        let mut failure = self.settings.explained(failure);
        let ending = Ending::of(&failure, open.checkpoint.is_some());
        if failure.code == Code::Incomplete
            && let Some(file) = open.file.take()
        {
            let kept = open.sink.finish().map_err(|error| fault(&open.name, &error)).and_then(|()| file.keep_incomplete());
            let hint = failure.hint.take().unwrap_or_default();
            failure.hint = Some(match kept {
                Ok(kept) => format!("What there is was kept as `{}`. {hint}", kept.display()),
                Err(unkept) => format!("What there is could not be kept: {}. {hint}", unkept.message),
            });
        }
        match ending {
            Ending::Stopped => {
                if failure.code == Code::Interrupted {
                    failure.hint = Some("Run the same command again: it goes on where it was.".into());
                }
            }
            Ending::Kept => {
                let hint = failure.hint.take().unwrap_or_default();
                failure.hint = Some(format!("{hint} Then run the same command again: it goes on where it was.").trim().to_owned());
            }
            Ending::Over => {
                if let Some(file) = open.file.take() {
                    file.abandon();
                }
                if let Some(Err(kept)) = open.checkpoint.take().map(Checkpoint::remove) {
                    let hints = [failure.hint.take(), Some(format!("Besides, {}.", kept.message)), kept.hint];
                    failure.hint = Some(hints.into_iter().flatten().collect::<Vec<_>>().join(" "));
                }
            }
        }
        let outcome = if ending == Ending::Stopped { Outcome::Stopped } else { Outcome::Failed };
        self.report(outcome, &open, Some(failure))
    }

    fn report(&self, outcome: Outcome, open: &Open, error: Option<Failure>) -> RunReport {
        self.ended(outcome, open.counts, open.resumed, error)
    }

    fn ended(&self, outcome: Outcome, counts: Counts, resumed: bool, error: Option<Failure>) -> RunReport {
        RunReport { outcome, counts, figures: self.session.figures(), resumed, error }
    }

    fn identity(&self, noted: &Noted, output: &Path, format: &'static str) -> Result<Identity, Failure> {
        let absolute = std::path::absolute(output).map_err(|error| fault(output, &error))?;
        Ok(Identity {
            connector: self.descriptor.id.clone(),
            version: self.descriptor.version.clone(),
            component: noted.component.clone(),
            origin: noted.origin.clone(),
            settings: settings_hash(&self.settings.public),
            output: absolute.to_string_lossy().into_owned(),
            format: format.to_owned(),
        })
    }
}

impl Ending {
    fn of(failure: &Failure, with_checkpoint: bool) -> Self {
        match failure.code {
            _ if !with_checkpoint => Self::Over,
            Code::Output => Self::Stopped,
            code if code.retryable() => Self::Stopped,
            // A new key, or a wider limit, and it goes on.
            Code::Credentials | Code::Permission | Code::Limit => Self::Kept,
            _ => Self::Over,
        }
    }
}

fn interrupted() -> Failure {
    Failure::new(Code::Interrupted, "the run was stopped")
}

/// Removes the checkpoint of a list that is whole. One that stays would end every later run before
/// it asks for anything.
fn removed(checkpoint: Option<Checkpoint>, output: &Path) -> Result<(), Failure> {
    checkpoint.map_or(Ok(()), Checkpoint::remove).map_err(|failure| {
        let hint = failure.hint.clone().unwrap_or_default();
        failure.with_hint(format!("The list in `{}` is whole. {hint}", output.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_may_go_on_on_another_thread() {
        fn spawned<T: Send>(_: T) {}
        let _compiles: fn(Collection<'static>, Target<'static>) =
            |collection, target| spawned(collection.run(target, std::future::pending()));
    }
}
