//! The usage of a component: counted per call, and bounded while it grows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{ResourceLimiter, UpdateDeadline};

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
    /// Computing time of a call, without the time that the host took to answer.
    pub computing: Duration,
}

/// The counts of the store's limiter and the epoch.
#[derive(Debug, Default)]
pub(super) struct Usage {
    memory: usize,
    table_elements: usize,
    most_memory: usize,
    most_table_elements: usize,
    /// Epoch steps that found the component computing in this call.
    ticks: u64,
    /// Requests of this call that were sent. The step in which one ends is counted, although the
    /// component waited. Host calls that are answered at once do not count: a component that makes
    /// them endlessly computes endlessly.
    pub(super) sent: u64,
    /// Time that the host took to answer requests in this call.
    pub(super) in_host: Duration,
    most_ticks: u64,
    most_instances: usize,
    /// The bound that was reached in this call, and what reached it.
    pub(super) exceeded: Option<(Bound, &'static str)>,
}

impl Usage {
    pub(super) fn new(limits: &Limits) -> Self {
        let most_ticks =
            u64::try_from(limits.cpu.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX);
        Self {
            most_memory: limits.memory,
            most_table_elements: limits.table_elements,
            most_ticks,
            most_instances: limits.instances,
            ..Self::default()
        }
    }

    pub(super) fn start_instance(&mut self, limits: &Limits) {
        *self = Self::new(limits);
    }

    pub(super) fn start_call(&mut self) {
        (self.ticks, self.sent, self.in_host) = (0, 0, Duration::ZERO);
        // A refusal in an earlier call that the component coped with does not explain the end of
        // this one.
        self.exceeded = None;
    }

    /// Counts a step of the epoch that found the component computing.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        self.ticks += 1;
        if self.ticks > self.most_ticks + self.sent {
            self.exceeded = Some((Bound::Cpu, "the connector computed for too long in one call"));
            return UpdateDeadline::Interrupt;
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

    pub(super) fn raise(&self, usage: &Usage, elapsed: Duration) {
        let mut most = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        most.memory = most.memory.max(usage.memory);
        most.computing = most.computing.max(elapsed.saturating_sub(usage.in_host));
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
