//! Tests of the file destination: what waits, what is written, and what is noted.

use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use super::*;
use crate::collect::guard::{Admitted, mark};
use crate::collect::report::Outcome;
use crate::collect::stream::Stream;
use crate::failure::Code;
use crate::files::Format;
use crate::files::held::ENOUGH;
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
    assert_eq!(waits.await.unwrap(), 3, "opened, flushed, finished");
}

#[tokio::test]
async fn while_a_stream_is_slow_the_runtime_goes_on_with_other_work() {
    let (asks, waits) = serving();
    let mut stream = Stream::new("a pipe", Box::new(Asks { in_a_page: true, ..asks }));
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
    assert!(matches!(left, DestinationError::Failed(failure) if failure.code == Code::Interrupted));
    drop((journal, asks));
    assert_eq!(waits.await.unwrap(), 1, "flushed");
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
async fn only_rows_that_nobody_resumes_wait_for_more_of_them() {
    let rows = |count: usize| {
        let mut page = page("a", Some("2"));
        page.page.members = vec![member(&"x".repeat(1_000)); count];
        page
    };
    for is_resumable in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("members.ndjson");
        let partial = super::super::output::beside(&path, ".partial");
        let length = |path: &Path| std::fs::metadata(path).unwrap().len();
        let sink = Box::new(|output, is_resuming| Format::Ndjson.sink(output, is_resuming));
        let checkpoint = is_resumable.then(|| folder.path().join("checkpoint"));
        let mut journal = FileJournal::new(&path, "ndjson", sink, checkpoint);
        journal.position(&Provenance::default()).await.unwrap();
        journal.deliver(rows(10)).await.unwrap();
        assert_eq!(length(&partial) > 10_000, is_resumable);
        for _ in 0..3 {
            journal.deliver(rows(ENOUGH / 3_000)).await.unwrap();
        }
        let passed_on = length(&partial);
        assert!(passed_on > 10_000 + ENOUGH as u64, "{passed_on}");
        // A page that is as long by itself waits for nothing.
        journal.deliver(rows(ENOUGH / 1_000)).await.unwrap();
        let passed_on = length(&partial) - passed_on;
        assert!(passed_on > ENOUGH as u64, "{passed_on}");
        let passed_on = length(&partial);
        journal.deliver(rows(10)).await.unwrap();
        assert_eq!(length(&partial) > passed_on, is_resumable);
        journal.conclude(Ending::Complete, &report()).await.unwrap();
        assert!(length(&path) > passed_on + 10_000);
    }
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
        let Ok(Position::Open(delivered)) = journal.position(&Provenance::default()).await else {
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
/// there would be no answer. A page of a file is written to memory, and waits for nothing.
#[derive(Clone)]
struct Asks {
    ask: tokio::sync::mpsc::UnboundedSender<mpsc::Sender<()>>,
    in_a_page: bool,
}

impl Asks {
    fn wait(&self) -> io::Result<()> {
        let (answer, answered) = mpsc::channel();
        self.ask.send(answer).map_err(io::Error::other)?;
        answered.recv_timeout(PATIENCE).map_err(io::Error::other)
    }
}

impl Sink for Asks {
    fn write_page(&mut self, _: &MemberPage) -> io::Result<()> {
        if self.in_a_page { self.wait() } else { Ok(()) }
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
    fn write_page(&mut self, _: &MemberPage) -> io::Result<()> {
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
    (Asks { ask, in_a_page: false }, waits)
}

fn page(id: &str, next: Option<&str>) -> Delivery {
    let page = MemberPage {
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
        mark: PageMark { number: 0, next: next.map(Into::into), counts, admitted, notes: vec![] },
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
