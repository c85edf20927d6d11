//! The file destination: an output that gets its name only when the list is complete, with an
//! optional checkpoint beside it.
//!
//! A page is on the disk before the checkpoint notes it, and the output has its final name before
//! the checkpoint is removed. So whatever ends the run in between, the next one finds its position.
//! All of this runs on threads that may block.

use std::io;
use std::path::{Path, PathBuf};

use smp_guard::records::Page as _;

use super::checkpoint::{Checkpoint, Entry, Identity, Page};
use super::output::OutputFile;
use crate::collect::blocking::Blocking;
use crate::collect::destination::{
    BoxFuture, Delivered, Delivery, Destination, DestinationError, Ending, Listed, PageMark,
    Position, Provenance,
};
use crate::collect::guard::Counts;
use crate::collect::report::{Note, RunReport};
use crate::collect::sink::{Sink, fault};
use crate::contract::MemberPage;
use crate::failure::Failure;
use crate::text;

/// Makes the sink for an output. The flag says that it already contains records of earlier pages.
pub type MakeSink<P = MemberPage> =
    Box<dyn FnMut(Box<dyn io::Write + Send>, bool) -> Box<dyn Sink<P>> + Send>;

/// A file of members, or of usage.
pub struct FileJournal<P: Listed = MemberPage> {
    resumable: bool,
    files: Blocking<Files<P>>,
}

/// The files of a collection.
struct Files<P: Listed> {
    path: PathBuf,
    format: String,
    sink: MakeSink<P>,
    checkpoint: Option<PathBuf>,
    /// Whether the checkpoint is known to note no page of an earlier run.
    is_first: bool,
    open: Option<Open<P>>,
}

/// An output that is open.
struct Open<P> {
    /// `None` once it has another name.
    file: Option<OutputFile>,
    checkpoint: Option<Checkpoint>,
    sink: Box<dyn Sink<P>>,
}

impl<P: Listed> FileJournal<P> {
    /// Writes records to the file at this path, through this sink. The name of the format is for
    /// the checkpoint.
    ///
    /// With a `checkpoint`, deliveries are noted in that file, and a stopped run resumes from it.
    pub fn new(
        path: impl Into<PathBuf>,
        format: impl Into<String>,
        sink: MakeSink<P>,
        checkpoint: Option<PathBuf>,
    ) -> Self {
        let resumable = checkpoint.is_some();
        let (path, mut format) = (path.into(), format.into());
        // A checkpoint of members is none of usage, although both may be of one output.
        if P::RECORDS != MemberPage::RECORDS {
            format = format!("{format} of {}", P::RECORDS);
        }
        let files = Files { path, format, sink, checkpoint, is_first: false, open: None };
        Self { resumable, files: Blocking::new(files) }
    }
}

impl<P: Listed> Destination<P> for FileJournal<P> {
    fn resumable(&self) -> bool {
        self.resumable
    }

    fn position<'a>(
        &'a mut self,
        whose: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>> {
        let whose = whose.clone();
        Box::pin(async move {
            let opened = self.files.with(move |files| files.open(&whose)).await?;
            // Where no run delivered a page, and this one cannot begin, none goes on.
            self.resumable &= opened.is_ok() || !self.files.with(|files| files.is_first).await?;
            Ok(opened?)
        })
    }

    fn deliver(&mut self, delivery: Delivery<P>) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(async move { Ok(self.files.with(move |files| files.deliver(delivery)).await??) })
    }

    fn restart(&mut self, _: Counts) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(async move { Ok(self.files.with(Files::restart).await??) })
    }

    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        _: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>> {
        Box::pin(async move { Ok(self.files.with(move |files| files.conclude(ending)).await??) })
    }
}

impl<P: Listed> Files<P> {
    /// Opens the output, and returns to the position in the checkpoint.
    fn open(&mut self, whose: &Provenance) -> Result<Position, Failure> {
        self.open = None;
        let (checkpoint, entries) = match &self.checkpoint {
            None => (None, Vec::new()),
            Some(at) => {
                let (checkpoint, entries) = Checkpoint::open(at, &self.identity(whose)?)?;
                (Some(checkpoint), entries)
            }
        };
        let (mut delivered, mut written) = (Delivered::default(), None);
        for entry in entries {
            match entry {
                Entry::Restart => delivered.restart(),
                Entry::Page(Page { next, offset, digest, counts, admitted, notes }) => {
                    delivered.page(&PageMark {
                        number: delivered.counts.pages,
                        next,
                        counts,
                        admitted,
                        notes,
                    });
                    written = Some((offset, digest));
                }
            }
        }
        self.is_first = written.is_none();
        let file = match written {
            Some((length, digest))
                if delivered.done && OutputFile::is_complete(&self.path, length, &digest) =>
            {
                removed(checkpoint, &self.path)?;
                return Ok(Position::Complete { counts: delivered.counts, notes: delivered.notes });
            }
            Some((length, digest)) => OutputFile::resume(&self.path, length, &digest)?,
            None => OutputFile::begin(&self.path, self.checkpoint.is_some())?,
        };
        delivered.notes.extend(self.overwrote(&file));
        let sink = (self.sink)(Box::new(file.writer()?), written.is_some());
        self.open = Some(Open { file: Some(file), checkpoint, sink });
        Ok(Position::Open(delivered))
    }

    /// The note on the rows of an earlier run that this one cannot resume from.
    fn overwrote(&self, file: &OutputFile) -> Option<Note> {
        let (partial, bytes) = file.overwrote()?;
        let why = self.checkpoint.as_ref().map_or_else(
            || "this one has no checkpoint to resume from".to_owned(),
            |path| format!("the checkpoint `{}` states no page of it", path.display()),
        );
        Some(Note {
            message: format!(
                "An earlier run left `{}` unfinished, with {}: {why}, so it began at the first \
                 page and overwrote it.",
                partial.display(),
                text::counted(usize::try_from(bytes).unwrap_or(usize::MAX), "byte"),
            ),
            hint: "Name the same checkpoint at every run, so that a stopped one resumes."
                .to_owned(),
            setting: None,
        })
    }

    /// Writes the rows, and the checkpoint once they are on the disk.
    fn deliver(&mut self, Delivery { page, mark, .. }: Delivery<P>) -> Result<(), Failure> {
        let Some(open) = &mut self.open else { return Err(closed(&self.path)) };
        let failed = |error: io::Error| fault(&self.path, &error);
        open.sink.write_page(&page).and_then(|()| open.sink.flush()).map_err(failed)?;
        if let (Some(checkpoint), Some(file)) = (&mut open.checkpoint, &mut open.file) {
            let (offset, digest) = file.sync().map_err(failed)?;
            let PageMark { next, counts, admitted, notes, .. } = mark;
            checkpoint.append(&Entry::Page(Page {
                next,
                offset,
                digest,
                counts,
                admitted,
                notes,
            }))?;
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Failure> {
        let checkpoint = self.open.as_mut().and_then(|open| open.checkpoint.as_mut());
        checkpoint.map_or(Ok(()), |checkpoint| checkpoint.append(&Entry::Restart))
    }

    fn conclude(&mut self, ending: Ending) -> Result<Option<String>, Failure> {
        // If the last step of a complete list failed, nothing is left to take back.
        let Some(open) = &mut self.open else {
            return if ending == Ending::Complete { Err(closed(&self.path)) } else { Ok(None) };
        };
        let failed = |error: io::Error| fault(&self.path, &error);
        let mut left = None;
        match ending {
            Ending::Complete => {
                open.sink.finish().map_err(failed)?;
                open.file.take().map_or(Ok(()), OutputFile::complete)?;
            }
            Ending::Incomplete => {
                if let Some(file) = open.file.take() {
                    let kept =
                        open.sink.finish().map_err(failed).and_then(|()| file.keep_incomplete());
                    left = Some(match kept {
                        Ok(kept) => {
                            format!("The incomplete list was kept as `{}`.", kept.display())
                        }
                        Err(unkept) => {
                            format!("The incomplete list could not be kept: {}.", unkept.message)
                        }
                    });
                }
            }
            Ending::Over => open.file.take().into_iter().for_each(OutputFile::abandon),
            Ending::Stopped | Ending::Kept => {}
        }
        let checkpoint = self.open.take().and_then(|open| open.checkpoint);
        match ending {
            Ending::Complete => removed(checkpoint, &self.path)?,
            Ending::Incomplete | Ending::Over => {
                if let Some(Err(kept)) = checkpoint.map(Checkpoint::remove) {
                    let besides =
                        format!("Besides, {}. {}", kept.message, kept.hint.unwrap_or_default());
                    left = Some(
                        [left, Some(besides)].into_iter().flatten().collect::<Vec<_>>().join(" "),
                    );
                }
            }
            Ending::Stopped | Ending::Kept => {}
        }
        Ok(left)
    }

    fn identity(&self, whose: &Provenance) -> Result<Identity, Failure> {
        let output = std::path::absolute(&self.path).map_err(|error| fault(&self.path, &error))?;
        Ok(Identity {
            connector: whose.connector.clone(),
            version: whose.version.clone(),
            component: whose.component.clone(),
            origin: whose.origin.clone().unwrap_or_default(),
            settings: whose.settings.clone(),
            output: output.to_string_lossy().into_owned(),
            format: self.format.clone(),
        })
    }
}

/// Removes the checkpoint of a complete list. If it stayed, every later run would end before its
/// first request.
fn removed(checkpoint: Option<Checkpoint>, output: &Path) -> Result<(), Failure> {
    checkpoint.map_or(Ok(()), Checkpoint::remove).map_err(|failure| {
        let hint = failure.hint.clone().unwrap_or_default();
        failure.with_hint(format!("The list in `{}` is complete. {hint}", output.display()))
    })
}

fn closed(path: &Path) -> Failure {
    fault(path, &io::Error::other("it is not open"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;
    use crate::collect::guard::{Admitted, mark};
    use crate::collect::report::Outcome;
    use crate::collect::stream::Stream;
    use crate::failure::Code;
    use crate::http::retry::Figures;
    use crate::testing::member;

    /// How long a sink waits for the runtime's thread before the test has failed.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn while_a_file_is_slow_the_runtime_goes_on_with_other_work() {
        let folder = tempfile::tempdir().unwrap();
        let (asks, waits) = serving();
        let sink = Box::new(move |_, _| -> Box<dyn Sink> {
            asks.wait().unwrap();
            Box::new(asks.clone())
        });
        let checkpoint = Some(folder.path().join("checkpoint"));
        let mut journal = FileJournal::new(folder.path().join("members"), "slow", sink, checkpoint);
        assert!(matches!(journal.position(&Provenance::default()).await, Ok(Position::Open(_))));
        assert_eq!(journal.deliver(page("a", None)).await, Ok(()));
        assert_eq!(journal.conclude(Ending::Complete, &report()).await, Ok(None));
        drop(journal);
        assert_eq!(waits.await.unwrap(), 4, "opened, a page, flushed, finished");
    }

    #[tokio::test]
    async fn while_a_stream_is_slow_the_runtime_goes_on_with_other_work() {
        let (asks, waits) = serving();
        let mut stream = Stream::new("a pipe", Box::new(asks));
        assert_eq!(stream.deliver(page("a", None)).await, Ok(()));
        assert_eq!(stream.conclude(Ending::Complete, &report()).await, Ok(None));
        drop(stream);
        assert_eq!(waits.await.unwrap(), 3, "a page, flushed, finished");
    }

    #[tokio::test]
    async fn a_page_whose_delivery_is_dropped_is_written_whole_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (asks, waits) = serving();
        let checkpoint = || Some(folder.path().join("checkpoint"));
        let path = folder.path().join("members");
        let slow = asks.clone();
        let sink = Box::new(move |_, _| -> Box<dyn Sink> { Box::new(slow.clone()) });
        let mut journal = FileJournal::new(&path, "slow", sink, checkpoint());
        journal.position(&Provenance::default()).await.unwrap();
        let mut delivering = journal.deliver(page("a", Some("2")));
        // Begun, and dropped while the sink waits.
        assert!(
            std::future::poll_fn(|context| Poll::Ready(delivering.as_mut().poll(context)))
                .await
                .is_pending()
        );
        drop(delivering);
        let left = journal.deliver(page("b", None)).await.unwrap_err();
        assert!(
            matches!(left, DestinationError::Failed(failure) if failure.code == Code::Interrupted)
        );
        drop((journal, asks));
        assert_eq!(waits.await.unwrap(), 2, "the page, flushed");
        let sink = Box::new(|_, resuming: bool| -> Box<dyn Sink> {
            assert!(resuming);
            Box::new(Nowhere)
        });
        let mut next = FileJournal::new(&path, "slow", sink, checkpoint());
        let Ok(Position::Open(delivered)) = next.position(&Provenance::default()).await else {
            panic!("it is open")
        };
        assert_eq!((delivered.cursor.as_deref(), delivered.counts.pages), (Some("2"), 1));
    }

    #[tokio::test]
    async fn rows_of_a_run_that_cannot_resume_are_overwritten_with_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("members.csv");
        let partial = super::super::output::beside(&path, ".partial");
        let checkpoint = folder.path().join("checkpoint");
        let torn = "0123456789abcdef {\"journal\"";
        for (rows, noted, states) in [
            ("", None, None),
            ("", None, Some("")),
            ("id\n1\n", Some("has no checkpoint"), None),
            ("id\n1\n", Some("states no page"), Some("")),
            ("id\n1\n", Some("states no page"), Some(torn)),
        ] {
            std::fs::write(&partial, rows).unwrap();
            if let Some(states) = states {
                std::fs::write(&checkpoint, states).unwrap();
            }
            let sink = Box::new(|_, _| -> Box<dyn Sink> { Box::new(Nowhere) });
            let at = states.map(|_| checkpoint.clone());
            let mut journal = FileJournal::new(&path, "csv", sink, at);
            let Ok(Position::Open(delivered)) = journal.position(&Provenance::default()).await
            else {
                panic!("it is open")
            };
            let told: Vec<_> = delivered.notes.iter().map(|note| note.message.as_str()).collect();
            match noted {
                Some(why) => {
                    assert!(told.len() == 1 && told.concat().contains(why), "{told:?}");
                    assert!(told.concat().contains("with 5 bytes"), "{told:?}");
                }
                None => assert_eq!(told, [""; 0]),
            }
        }
    }

    /// A sink that waits at each step until the runtime's thread answers. If it ran on that thread,
    /// there would be no answer.
    #[derive(Clone)]
    struct Asks(tokio::sync::mpsc::UnboundedSender<mpsc::Sender<()>>);

    impl Asks {
        fn wait(&self) -> io::Result<()> {
            let (answer, answered) = mpsc::channel();
            self.0.send(answer).map_err(io::Error::other)?;
            answered.recv_timeout(PATIENCE).map_err(io::Error::other)
        }
    }

    impl Sink for Asks {
        fn write_page(&mut self, _: &crate::contract::MemberPage) -> io::Result<()> {
            self.wait()
        }

        fn flush(&mut self) -> io::Result<()> {
            self.wait()
        }

        fn finish(&mut self) -> io::Result<()> {
            self.wait()
        }
    }

    struct Nowhere;

    impl Sink for Nowhere {
        fn write_page(&mut self, _: &crate::contract::MemberPage) -> io::Result<()> {
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Answers on the runtime's thread, and returns how often.
    fn serving() -> (Asks, tokio::task::JoinHandle<usize>) {
        let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel::<mpsc::Sender<()>>();
        let waits = tokio::spawn(async move {
            let mut waits = 0;
            while let Some(answer) = asked.recv().await {
                waits += usize::from(answer.send(()).is_ok());
            }
            waits
        });
        (Asks(ask), waits)
    }

    fn page(id: &str, next: Option<&str>) -> Delivery {
        let page = crate::contract::MemberPage {
            products: vec![],
            members: vec![member(id)],
            next: next.map(Into::into),
            total: None,
            notes: vec![],
        };
        let admitted = Admitted { new: vec![mark(id)], again: vec![] };
        let counts = Counts { pages: 1, ..Counts::default() };
        Delivery {
            page,
            again: vec![],
            mark: PageMark {
                number: 0,
                next: next.map(Into::into),
                counts,
                admitted,
                notes: vec![],
            },
        }
    }

    fn report() -> RunReport {
        let (counts, figures) = (Counts::default(), Figures::default());
        RunReport {
            outcome: Outcome::Complete,
            counts,
            notes: vec![],
            shortfall: None,
            figures,
            resumed: false,
            error: None,
        }
    }
}
