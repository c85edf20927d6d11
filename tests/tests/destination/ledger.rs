//! A ledger in memory, like a platform's: a run is claimed by an epoch, a page is committed whole
//! or not at all, and everything is stored as text and bytes. It has no tests.

use std::sync::{Arc, Mutex, MutexGuard};

use smp_host::collect::destination::{
    BoxFuture, Delivered, Delivery, Destination, DestinationError, Ending, PageMark, Position,
    Provenance,
};
use smp_host::collect::guard::{Admitted, Counts};
use smp_host::collect::report::RunReport;
use smp_host::failure::{Code, Failure};
use tokio::sync::oneshot;

use crate::service::{Service, now};

/// A fault in a run. Pages are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// The database refuses this page.
    FailsAt(u64),
    /// The database refuses the completion.
    FailsAtTheEnd,
    /// Another process claims the run during this page.
    ClaimedAt(u64),
    ClaimedAtTheEnd,
    /// The collecting process is asked to stop after this page.
    StoppedAt(u64),
    /// The process ends during this page.
    DiesAt(u64),
    DiesAtTheEnd,
}

/// A database with one run, open until it is concluded.
#[derive(Clone, Default)]
pub(crate) struct Database(Arc<Mutex<Tables>>);

#[derive(Default)]
struct Tables {
    epoch: u64,
    sweep: u32,
    complete: bool,
    whose: Provenance,
    counts: String,
    pages: Vec<PageRow>,
    members: Vec<MemberRow>,
    endings: Vec<Ending>,
    again: Vec<String>,
    twice: usize,
}

struct PageRow {
    sweep: u32,
    next: Option<String>,
    marks: Vec<u8>,
}

#[derive(Clone)]
struct MemberRow {
    id: String,
    of_this_run: bool,
    gone: bool,
}

/// The database as one run sees it.
struct Ledger {
    database: Database,
    epoch: u64,
    trouble: Trouble,
    stop: Option<oneshot::Sender<()>>,
    died: Option<oneshot::Sender<()>>,
}

impl Database {
    /// With members that an earlier run has seen.
    pub(crate) fn with_members_of_before(ids: &[&str]) -> Self {
        let database = Self::default();
        let row = |id: &&str| MemberRow { id: (*id).to_owned(), of_this_run: false, gone: false };
        database.tables().members.extend(ids.iter().map(row));
        database
    }

    /// Makes a run collect, as far as it can.
    pub(crate) fn run(&self, service: &Service, trouble: Trouble) -> RunReport {
        let (stop, stopped) = oneshot::channel();
        let mut ledger = Ledger { stop: Some(stop), ..self.ledger(trouble) };
        service.collect(&mut ledger, async {
            if stopped.await.is_err() {
                std::future::pending().await
            }
        })
    }

    /// Makes a run collect whose process ends during this page.
    pub(crate) fn run_that_dies(&self, service: &Service, page: u64) {
        self.dies(service, Trouble::DiesAt(page));
    }

    /// The same during the conclusion.
    pub(crate) fn run_that_dies_before_it_concludes(&self, service: &Service) {
        self.dies(service, Trouble::DiesAtTheEnd);
    }

    fn dies(&self, service: &Service, trouble: Trouble) {
        let (died, dead) = oneshot::channel();
        let mut ledger = Ledger { died: Some(died), ..self.ledger(trouble) };
        now(async {
            let run = service.session().collect_members(&mut ledger, std::future::pending());
            tokio::select! {
                report = run => panic!("it lives: {report:?}"),
                dead = dead => dead.unwrap(),
            }
        });
    }

    fn ledger(&self, trouble: Trouble) -> Ledger {
        Ledger { database: self.clone(), epoch: 0, trouble, stop: None, died: None }
    }

    /// Members that this run has seen, in order.
    pub(crate) fn members(&self) -> String {
        self.of(|row| row.of_this_run)
    }

    /// Members that are known to be gone.
    pub(crate) fn gone(&self) -> String {
        self.of(|row| row.gone)
    }

    fn of(&self, are: impl Fn(&MemberRow) -> bool) -> String {
        let tables = self.tables();
        let ids: Vec<_> =
            tables.members.iter().filter(|row| are(row)).map(|row| row.id.as_str()).collect();
        ids.join(" ")
    }

    /// Pages of the run.
    pub(crate) fn pages(&self) -> u64 {
        self.tables().pages.len() as u64
    }

    /// The endings that runs reported.
    pub(crate) fn endings(&self) -> Vec<Ending> {
        self.tables().endings.clone()
    }

    /// Members that came again in the second sweep.
    pub(crate) fn again(&self) -> String {
        self.tables().again.join(" ")
    }

    /// Members that were delivered as new although they existed.
    pub(crate) fn delivered_twice(&self) -> usize {
        self.tables().twice
    }

    /// How often the run began again.
    pub(crate) fn restarts(&self) -> u32 {
        self.tables().sweep
    }

    /// Whose collection it is.
    pub(crate) fn whose(&self) -> Provenance {
        self.tables().whose.clone()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }
}

impl Ledger {
    /// The work of one transaction, unless another process holds the run.
    fn commit(&self, change: impl FnOnce(&mut Tables) -> bool) -> Result<(), DestinationError> {
        let mut tables = self.database.tables();
        let holds = tables.epoch == self.epoch && change(&mut tables);
        holds.then_some(()).ok_or(DestinationError::Fenced)
    }

    fn open(&mut self, whose: &Provenance) -> Position {
        let mut tables = self.database.tables();
        tables.epoch += 1;
        tables.whose = whose.clone();
        self.epoch = tables.epoch;
        let counts: Option<Counts> = serde_json::from_str(&tables.counts).ok();
        if tables.complete {
            return Position::Complete { counts: counts.unwrap(), notes: vec![] };
        }
        let (mut delivered, mut sweep) = (Delivered::default(), 0);
        for (row, number) in tables.pages.iter().zip(0..) {
            if row.sweep > sweep {
                delivered.restart();
                sweep = row.sweep;
            }
            let admitted = Admitted::from_bytes(&row.marks).unwrap();
            delivered.page(&PageMark {
                number,
                next: row.next.clone(),
                counts: counts.unwrap(),
                admitted,
                notes: vec![],
            });
        }
        if tables.sweep > sweep {
            delivered.restart();
        }
        Position::Open(delivered)
    }

    fn deliver(
        &mut self,
        Delivery { page, again, mark }: Delivery,
    ) -> Result<(), DestinationError> {
        let stops = self.trouble == Trouble::StoppedAt(mark.number);
        if self.trouble == Trouble::FailsAt(mark.number) {
            return Err(unkept().into());
        }
        self.commit(|tables| {
            if tables.pages.len() as u64 != mark.number {
                return false;
            }
            assert_eq!(
                (page.members.len(), again.len()),
                (mark.admitted.new.len(), mark.admitted.again.len())
            );
            for member in page.members {
                let known = tables.members.iter_mut().find(|row| row.id == member.id);
                let row = MemberRow { id: member.id, of_this_run: true, gone: false };
                match known {
                    Some(known) if known.of_this_run => tables.twice += 1,
                    Some(known) => *known = row,
                    None => tables.members.push(row),
                }
            }
            tables.again.extend(again.into_iter().map(|member| member.id));
            tables.counts = serde_json::to_string(&mark.counts).unwrap();
            let row =
                PageRow { sweep: tables.sweep, next: mark.next, marks: mark.admitted.to_bytes() };
            tables.pages.push(row);
            true
        })?;
        if stops && let Some(stop) = self.stop.take() {
            stop.send(()).unwrap();
        }
        Ok(())
    }

    fn conclude(&mut self, ending: Ending) -> Result<Option<String>, DestinationError> {
        if self.trouble == Trouble::FailsAtTheEnd && ending == Ending::Complete {
            return Err(unkept().into());
        }
        self.commit(|tables| {
            tables.endings.push(ending);
            match ending {
                Ending::Complete => {
                    tables.complete = true;
                    tables.members.iter_mut().for_each(|row| row.gone = !row.of_this_run);
                }
                Ending::Incomplete | Ending::Over => tables.pages.clear(),
                Ending::Stopped | Ending::Kept => {}
            }
            true
        })?;
        Ok((ending == Ending::Incomplete).then(|| "All of it is in the ledger.".to_owned()))
    }

    /// Ends the process, if this is the place.
    async fn dies_at(&mut self, here: Trouble) {
        if self.trouble == here {
            self.died.take().unwrap().send(()).unwrap();
            std::future::pending::<()>().await;
        }
    }

    /// Another process claims the run, if this is the place.
    fn is_claimed_at(&self, here: Trouble) {
        self.database.tables().epoch += u64::from(self.trouble == here);
    }
}

impl Destination for Ledger {
    fn resumable(&self) -> bool {
        true
    }

    fn position<'a>(
        &'a mut self,
        whose: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>> {
        Box::pin(async { Ok(self.open(whose)) })
    }

    fn deliver(&mut self, delivery: Delivery) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(async {
            self.dies_at(Trouble::DiesAt(delivery.mark.number)).await;
            self.is_claimed_at(Trouble::ClaimedAt(delivery.mark.number));
            Self::deliver(self, delivery)
        })
    }

    fn restart(&mut self, counts: Counts) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(async move {
            self.commit(|tables| {
                tables.sweep += 1;
                tables.counts = serde_json::to_string(&counts).unwrap();
                true
            })
        })
    }

    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        _: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>> {
        Box::pin(async move {
            self.dies_at(Trouble::DiesAtTheEnd).await;
            self.is_claimed_at(Trouble::ClaimedAtTheEnd);
            Self::conclude(self, ending)
        })
    }
}

fn unkept() -> Failure {
    Failure::new(Code::Output, "the database does not answer")
        .with_hint("Start it, and collect again.")
}
