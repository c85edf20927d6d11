//! A destination in memory, for small lists and for tests. It keeps what a database would keep.

use super::destination::{
    BoxFuture, Delivered, Delivery, Destination, DestinationError, Ending, Listed, Position,
    Provenance,
};
use super::guard::Counts;
use super::report::RunReport;
use crate::contract::MemberPage;
use crate::failure::{Code, Failure};

/// Default bound on members: as many as a table for a person can show.
const MOST_MEMBERS: u64 = 100_000;

/// Pages in memory. A stopped run resumes from them as long as they exist.
#[derive(Debug)]
pub struct InMemory<P = MemberPage> {
    most: u64,
    whose: Option<Provenance>,
    pages: Vec<P>,
    delivered: Delivered,
    ending: Option<Ending>,
}

impl<P> Default for InMemory<P> {
    fn default() -> Self {
        Self::of_at_most(MOST_MEMBERS)
    }
}

impl<P> InMemory<P> {
    /// Holds at most this many members; a run with more fails.
    #[must_use]
    pub fn of_at_most(members: u64) -> Self {
        Self {
            most: members,
            whose: None,
            pages: Vec::new(),
            delivered: Delivered::default(),
            ending: None,
        }
    }

    /// The pages, each with the members that no earlier page has. They are the complete list only
    /// if the [ending](Self::ending) is [`Ending::Complete`].
    #[must_use]
    pub fn pages(&self) -> &[P] {
        &self.pages
    }

    /// How the last run ended. `None` while one is in progress, or if it was dropped.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    fn open(&mut self, whose: &Provenance) -> Result<Position, Failure> {
        if self.whose.get_or_insert_with(|| whose.clone()) != whose {
            return Err(Failure::new(
                Code::Checkpoint,
                "these members belong to another collection",
            )
            .with_hint("Use a separate destination for each collection."));
        }
        match self.ending.take() {
            Some(Ending::Complete) => {
                self.ending = Some(Ending::Complete);
                return Ok(Position::Complete {
                    counts: self.delivered.counts,
                    notes: self.delivered.notes.clone(),
                });
            }
            Some(Ending::Incomplete | Ending::Over) => {
                self.pages.clear();
                self.delivered = Delivered::default();
            }
            Some(Ending::Stopped | Ending::Kept) | None => {}
        }
        Ok(Position::Open(self.delivered.clone()))
    }

    fn take(&mut self, Delivery { page, mark, .. }: Delivery<P>) -> Result<(), Failure>
    where
        P: Listed,
    {
        if mark.counts.members > self.most {
            return Err(Failure::new(
                Code::Limit,
                format!("more than {} members are not held in memory", self.most),
            )
            .with_hint(
                "Collect this many into a file or a database, which store them as they arrive.",
            ));
        }
        self.delivered.page(&mark);
        self.pages.push(page);
        Ok(())
    }
}

impl<P: Listed> Destination<P> for InMemory<P> {
    fn resumable(&self) -> bool {
        true
    }

    fn position<'a>(
        &'a mut self,
        whose: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>> {
        Box::pin(std::future::ready(self.open(whose).map_err(Into::into)))
    }

    fn deliver(&mut self, delivery: Delivery<P>) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(std::future::ready(self.take(delivery).map_err(Into::into)))
    }

    fn restart(&mut self, _: Counts) -> BoxFuture<'_, Result<(), DestinationError>> {
        self.delivered.restart();
        Box::pin(std::future::ready(Ok(())))
    }

    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        _: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>> {
        if ending == Ending::Over {
            self.pages.clear();
        }
        self.ending = Some(ending);
        Box::pin(std::future::ready(Ok(None)))
    }
}
