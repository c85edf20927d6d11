//! The usage of a component: counted per call, and bounded while it grows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::processor::ProcessorTime;
use crate::limits::{Bound, Limits, TICK};

/// The usage of a session's component so far, the highest of any call. The caller reads it after
/// the run.
#[derive(Clone, Debug, Default)]
pub struct SharedUsage(Arc<Mutex<MostUsed>>);

/// The highest usage of a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MostUsed {
    /// Linear memory of an instance, in bytes. Equal traffic uses equal memory.
    pub memory: usize,
    /// Processor time of a call, without what the host needed for requests that were sent.
    pub computing: Duration,
}

/// The counts of the store's limiter and the epoch.
#[derive(Debug, Default)]
pub(super) struct Usage {
    memory: usize,
    table_elements: usize,
    most_memory: usize,
    most_table_elements: usize,
    /// Processor time of this call. What the host needs for a request that is sent does not count.
    /// Host calls that are answered at once do: a component that makes them endlessly computes
    /// endlessly.
    pub(super) processor: ProcessorTime,
    /// Time that the host took to answer requests in this call.
    pub(super) in_host: Duration,
    most_computing: Duration,
    most_instances: usize,
    /// The bound that was reached in this call, and what reached it.
    pub(super) exceeded: Option<(Bound, &'static str)>,
}

impl Usage {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most_memory: limits.memory,
            most_table_elements: limits.table_elements,
            most_computing: limits.cpu,
            most_instances: limits.instances,
            ..Self::default()
        }
    }

    pub(super) fn start_instance(&mut self, limits: &Limits) {
        *self = Self::new(limits);
    }

    pub(super) fn start_call(&mut self) {
        self.processor.reset();
        self.in_host = Duration::ZERO;
        // A refusal in an earlier call that the component coped with does not explain the end of
        // this one.
        self.exceeded = None;
    }

    /// Looks at the time at a step of the epoch that found the component computing.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        if self.processor.now() > self.most_computing {
            self.exceeded = Some((Bound::Cpu, "the connector computed for too long in one call"));
            return UpdateDeadline::Interrupt;
        }
        // The epoch went on while the run waited, so the first step comes at once, before it even
        // takes its answer. A thousand runs that gave way then would hold a thousand answers.
        if self.processor.since_it_waited().is_some_and(|computed| computed < TICK) {
            return UpdateDeadline::Continue(1);
        }
        // Yields to other runs: one that computes for long must not starve them.
        UpdateDeadline::Yield(1)
    }
}

impl SharedUsage {
    /// The highest usage so far.
    #[must_use]
    pub fn now(&self) -> MostUsed {
        // The value is valid even if a thread panicked.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn raise(&self, usage: &Usage) {
        let mut most = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        most.memory = most.memory.max(usage.memory);
        most.computing = most.computing.max(usage.processor.now());
    }
}

impl ResourceLimiter for Usage {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // All memories of the instance together.
        let wanted = self.memory.saturating_add(desired.saturating_sub(current));
        if wanted > self.most_memory {
            self.exceeded = Some((Bound::Memory, "the connector needs more memory than permitted"));
            return Ok(false);
        }
        self.memory = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self.table_elements.saturating_add(desired.saturating_sub(current));
        if wanted > self.most_table_elements {
            self.exceeded =
                Some((Bound::TableElements, "the connector needs larger tables than permitted"));
            return Ok(false);
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.most_instances
    }

    fn tables(&self) -> usize {
        self.most_instances
    }

    fn memories(&self) -> usize {
        self.most_instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_gives_way_once_it_has_computed_for_a_step() {
        let mut usage = Usage::new(&Limits::default());
        assert!(matches!(usage.tick(), UpdateDeadline::Yield(1)), "its time is not known");
        let processor = usage.processor.clone();
        let call = processor.counting(async {
            assert!(matches!(usage.tick(), UpdateDeadline::Continue(1)), "it has just begun");
            while processor.since_it_waited().is_some_and(|computed| computed < TICK) {}
            assert!(matches!(usage.tick(), UpdateDeadline::Yield(1)));
        });
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(call);
    }
}
