//! The configuration of wasmtime: the WebAssembly features that are permitted, and how instances
//! are allocated.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::Limits;

/// Stack for host functions, in bytes, in addition to the component's own stack.
const HOST_STACK: usize = 512 * 1024;

/// Tables of a component in a pool: its own, and the one through which wit-component breaks circles
/// of imports.
const TABLES: u32 = 2;

/// How instances get their memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allocation {
    /// The pool, for a server.
    pub(super) pooled: Option<Pool>,
    /// Addresses to reserve for each memory, in bytes: compiled code depends on it.
    pub(super) reservation: Option<u64>,
}

/// Memory that is set aside in the pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    runs: u32,
    instances: u32,
    memory: usize,
    table_elements: usize,
}

impl Allocation {
    /// The pool for this many concurrent runs within these limits.
    pub(super) fn of(pooled_runs: Option<u32>, limits: &Limits) -> Self {
        let Some(runs) = pooled_runs else { return Self { pooled: None, reservation: None } };
        let Limits { instances, memory, table_elements, .. } = *limits;
        let pool = Pool {
            runs,
            instances: u32::try_from(instances).unwrap_or(u32::MAX),
            memory,
            table_elements,
        };
        Self { pooled: Some(pool), reservation: Some(u64::try_from(memory).unwrap_or(u64::MAX)) }
    }
}

/// The configuration. Code that was compiled under one configuration runs under any other with the
/// same stack and reservation.
pub(super) fn config(stack: usize, allocation: Allocation) -> Config {
    let mut config = Config::new();
    // The contract is synchronous. Most advisories about this line of releases concern
    // component-model async, which is not even compiled in.
    config.wasm_component_model(true).concurrency_support(false);
    // Connectors need none of these, and a disabled feature cannot be attacked.
    config
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_memory64(false)
        .wasm_exceptions(false);
    // Relaxed SIMD and NaN bits may differ between machines. The same traffic must give the same
    // bytes everywhere.
    config.wasm_relaxed_simd(false);
    #[cfg(feature = "compile")]
    config.cranelift_nan_canonicalization(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(stack).async_stack_size(stack.saturating_add(HOST_STACK));
    // A backtrace has the names of the component's functions, which is enough to report a crash.
    config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    if let Some(reservation) = allocation.reservation {
        config.memory_reservation(reservation);
    }
    if let Some(pool) = allocation.pooled {
        let mut pooling = PoolingAllocationConfig::new();
        pooling
            .total_component_instances(pool.runs)
            .total_core_instances(pool.runs.saturating_mul(pool.instances))
            // wit-component makes one memory and two tables. A component with more would take them
            // from other runs.
            .max_memories_per_component(1)
            .max_tables_per_component(TABLES)
            .total_memories(pool.runs)
            .total_tables(pool.runs.saturating_mul(TABLES))
            .total_stacks(pool.runs)
            .max_memory_size(pool.memory)
            .table_elements(pool.table_elements);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    }
    config
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    #[test]
    fn what_a_worker_compiles_fits_the_engine_that_asked_for_it() {
        let hash = |allocation| {
            let mut hasher = DefaultHasher::new();
            wasmtime::Engine::new(&config(512 * 1024, allocation))
                .unwrap()
                .precompile_compatibility_hash()
                .hash(&mut hasher);
            hasher.finish()
        };
        for pooled_runs in [None, Some(2)] {
            let host = Allocation::of(pooled_runs, &Limits::default());
            assert_eq!(
                hash(host),
                hash(Allocation { pooled: None, reservation: host.reservation }),
                "{pooled_runs:?}"
            );
        }
    }
}
