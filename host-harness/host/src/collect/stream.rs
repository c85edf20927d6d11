//! A destination that cannot be taken back, such as standard output: what was written stays, and no
//! run resumes from it.

use std::path::PathBuf;

use super::blocking::Blocking;
use super::destination::{
    BoxFuture, Delivered, Delivery, Destination, DestinationError, Ending, Listed, Position,
    Provenance,
};
use super::guard::Counts;
use super::report::RunReport;
use super::sink::{Sink, fault};
use crate::contract::MemberPage;
use crate::failure::Failure;

/// A stream of members. It is finished only if the list is complete.
pub struct Stream<P = MemberPage> {
    name: PathBuf,
    sink: Place<P>,
}

/// Where the sink is used.
enum Place<P> {
    Elsewhere(Blocking<Box<dyn Sink<P>>>),
    Here(Box<dyn Sink<P>>),
}

impl<P: 'static> Stream<P> {
    /// Writes members through this sink. It may block: a pipe without a reader stops only this
    /// run. The name is for error messages.
    pub fn new(name: impl Into<PathBuf>, sink: Box<dyn Sink<P>>) -> Self {
        Self { name: name.into(), sink: Place::Elsewhere(Blocking::new(sink)) }
    }

    /// Writes members through a sink that never blocks, because it writes to memory.
    #[must_use]
    pub fn in_memory(sink: Box<dyn Sink<P>>) -> Self {
        Self { name: "memory".into(), sink: Place::Here(sink) }
    }

    async fn with(
        &mut self,
        work: impl FnOnce(&mut dyn Sink<P>) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), DestinationError> {
        let worked = match &mut self.sink {
            Place::Here(sink) => work(&mut **sink),
            Place::Elsewhere(sink) => sink.with(|sink| work(&mut **sink)).await?,
        };
        worked.map_err(|error| Failure::into(fault(&self.name, &error)))
    }
}

impl<P: Listed> Destination<P> for Stream<P> {
    fn resumable(&self) -> bool {
        false
    }

    fn position<'a>(
        &'a mut self,
        _: &'a Provenance,
    ) -> BoxFuture<'a, Result<Position, DestinationError>> {
        Box::pin(std::future::ready(Ok(Position::Open(Delivered::default()))))
    }

    fn deliver(&mut self, delivery: Delivery<P>) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(self.with(move |sink| sink.write_page(&delivery.page).and_then(|()| sink.flush())))
    }

    fn restart(&mut self, _: Counts) -> BoxFuture<'_, Result<(), DestinationError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn conclude<'a>(
        &'a mut self,
        ending: Ending,
        _: &'a RunReport,
    ) -> BoxFuture<'a, Result<Option<String>, DestinationError>> {
        Box::pin(async move {
            if ending == Ending::Complete {
                self.with(|sink| sink.finish()).await?;
            }
            Ok(None)
        })
    }
}
