//! The file destination: an output that gets its name only when the list is complete, with an
//! optional checkpoint beside it.
//!
//! A page is on the disk before the checkpoint notes it, and the output has its final name before
//! the checkpoint is removed. So whatever ends the run in between, the next one finds its position.
//! All of this runs on threads that may block, except that a page becomes rows on that of the run.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use smp_guard::records::Page as _;

use super::checkpoint::{Checkpoint, Entry, Identity, Page};
use super::held::{ENOUGH, Held};
use super::output::{OutputFile, Writer};
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
/// The output takes a page without blocking, so [`Sink::write_page`] must not block otherwise.
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
    /// The output of the sink.
    rows: Held<Writer>,
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
        Box::pin(async move {
            let Delivery { page, mark, .. } = delivery;
            // What a page becomes is held in memory, and no other run goes on meanwhile.
            if page.length() >= ENOUGH {
                let work = move |files: &mut Files<P>| {
                    files.write_through(&page).and_then(|()| files.pass_on(mark))
                };
                return Ok(self.files.with(work).await??);
            }
            let is_enough = self.files.here()?.write(&page)?;
            // Its texts go back to the thread that they came from.
            drop(page);
            if is_enough {
                self.files.with(move |files| files.pass_on(mark)).await??;
            }
            Ok(())
        })
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
        let rows = Held::new(file.writer()?);
        let sink = (self.sink)(Box::new(rows.clone()), written.is_some());
        self.open = Some(Open { file: Some(file), checkpoint, sink, rows });
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

    /// Writes the rows of a page, to memory. Returns whether they have to be passed on now.
    fn write(&mut self, page: &P) -> Result<bool, Failure> {
        let Some(Open { sink, rows, checkpoint, .. }) = &mut self.open else {
            return Err(closed(&self.path));
        };
        let written = rows.during(|| sink.write_page(page));
        let is_enough = written.map_err(|error| fault(&self.path, &error))?;
        Ok(is_enough || checkpoint.is_some())
    }

    /// Writes the rows of a long page to the file.
    fn write_through(&mut self, page: &P) -> Result<(), Failure> {
        let Some(open) = &mut self.open else { return Err(closed(&self.path)) };
        open.sink.write_page(page).map_err(|error| fault(&self.path, &error))
    }

    /// Passes the rows on to the file, and writes the checkpoint once they are on the disk.
    fn pass_on(&mut self, mark: PageMark) -> Result<(), Failure> {
        let Some(open) = &mut self.open else { return Err(closed(&self.path)) };
        let failed = |error: io::Error| fault(&self.path, &error);
        open.sink.flush().and_then(|()| open.rows.flush()).map_err(failed)?;
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
                open.finish().map_err(failed)?;
                open.file.take().map_or(Ok(()), OutputFile::complete)?;
            }
            Ending::Incomplete => {
                if let Some(file) = open.file.take() {
                    let kept = open.finish().map_err(failed).and_then(|()| file.keep_incomplete());
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

impl<P> Open<P> {
    /// Writes the end, and passes on what is held.
    fn finish(&mut self) -> io::Result<()> {
        self.sink.finish()?;
        self.rows.flush()
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
mod tests;
