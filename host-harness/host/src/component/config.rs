//! The configuration of wasmtime: the WebAssembly features that are permitted, and how instances
//! are allocated.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::failure::{Code, Failure};
use crate::limits::Limits;
use crate::remedy::Remedy;

/// Stack for host functions, in bytes, in addition to the component's own stack.
const HOST_STACK: usize = 512 * 1024;

/// Memories of a component in a pool: its own, that of a stub below it, and two of an interpreter.
pub(super) const MEMORIES: u32 = 4;
/// Tables of a component in a pool: each of those memories has its module's own, and the one
/// through which wit-component breaks circles of imports.
pub(super) const TABLES: u32 = 2 * MEMORIES;

/// Address space below which no memory gets the usual reservation, in bytes: that is 4 GiB and a
/// guard for each memory of a component, beside the program's own.
const AMPLE: u64 = 32 << 30;

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
    /// The pool for this many concurrent runs within these limits. Without one, memories get the
    /// usual reservation of addresses, unless this process may not have so many.
    pub(super) fn of(
        pooled_runs: Option<u32>,
        limits: &Limits,
        address_space: Option<u64>,
    ) -> Self {
        let Limits { instances, memory, table_elements, .. } = *limits;
        let Some(runs) = pooled_runs else {
            let is_scarce = address_space.is_some_and(|most| most < AMPLE);
            let reservation = is_scarce.then(|| u64::try_from(memory).unwrap_or(u64::MAX));
            return Self { pooled: None, reservation };
        };
        let pool = Pool {
            runs,
            instances: u32::try_from(instances).unwrap_or(u32::MAX),
            memory,
            table_elements,
        };
        Self { pooled: Some(pool), reservation: Some(u64::try_from(memory).unwrap_or(u64::MAX)) }
    }
}

/// The most addresses that this process may have, in bytes, if its caller limits them.
pub(super) fn address_space() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// The failure of a resource that the machine, or a limit of the caller, does not give.
pub(super) fn lacking(code: Code, what: &str) -> Failure {
    lacking_within(code, what, address_space())
}

/// The failure of what the system refused, if that is why the engine failed: the connector has no
/// part in it. A memory of a component is a file without a name, so a limit on the size of files
/// counts for it too.
pub(super) fn refused_by_the_system(code: Code, error: &wasmtime::Error) -> Option<Failure> {
    let cause = error.root_cause();
    let of_library = || cause.downcast_ref::<Errno>().copied();
    let of_system = || cause.downcast_ref::<std::io::Error>().and_then(Errno::from_io_error);
    refused(code, of_library().or_else(of_system)?)
}

fn refused(code: Code, errno: Errno) -> Option<Failure> {
    if errno == Errno::FBIG {
        return Some(no_file_of_that_size(code));
    }
    let lacks =
        [Errno::NOMEM, Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOSPC, Errno::DQUOT];
    let message = format!("this machine lacks a resource for the run: {errno}");
    (lacks.contains(&errno) || code == Code::Limit).then(|| lacking(code, &message))
}

/// The failure of a file that is larger than this program may write.
pub(super) fn no_file_of_that_size(code: Code) -> Failure {
    let limit = getrlimit(Resource::Fsize).current;
    let most = limit.map_or_else(String::new, |most| format!(" to {}", crate::text::size(most)));
    Failure::new(code, "this machine limits the size of files to less than the run needs")
        .with_remedy(Remedy::FreeMachine)
        .with_hint(format!(
            "The size of files that this program may write is limited{most}: raise that limit \
             (`ulimit -f`). The memory of a connector counts as a file. Nothing is wrong with the \
             connector or your settings."
        ))
}

fn lacking_within(code: Code, what: &str, address_space: Option<u64>) -> Failure {
    let failure = match address_space {
        Some(most) => Failure::new(code, what).with_hint(format!(
            "The address space of this program is limited to {}, which may be too little: raise \
             that limit (`ulimit -v`), or free memory and open files. Nothing is wrong with the \
             connector or your settings.",
            crate::text::size(most)
        )),
        None => Failure::new(code, what).with_hint(
            "Free memory and open files on this machine, then run it again; nothing is wrong with \
             the connector or your settings.",
        ),
    };
    failure.with_remedy(Remedy::FreeMachine)
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
            // A component with more would take them from other runs. What is not used costs
            // addresses and no memory.
            .max_memories_per_component(MEMORIES)
            .max_tables_per_component(TABLES)
            .total_memories(pool.runs.saturating_mul(MEMORIES))
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
        for (pooled_runs, addresses) in [(None, None), (None, Some(4 << 30)), (Some(2), None)] {
            let host = Allocation::of(pooled_runs, &Limits::default(), addresses);
            assert_eq!(
                hash(host),
                hash(Allocation { pooled: None, reservation: host.reservation }),
                "{pooled_runs:?}"
            );
        }
    }

    #[test]
    fn few_addresses_are_reserved_where_the_caller_limits_them() {
        let limits = Limits::default();
        let memory = Some(limits.memory as u64);
        for (addresses, reservation) in
            [(None, None), (Some(AMPLE), None), (Some(AMPLE - 1), memory), (Some(0), memory)]
        {
            assert_eq!(Allocation::of(None, &limits, addresses).reservation, reservation);
        }
    }

    #[test]
    fn what_the_system_refuses_is_never_the_connectors_fault() {
        for (errno, message) in [
            (Errno::FBIG, Some("this machine limits the size of files")),
            (Errno::NOMEM, Some("this machine lacks a resource for the run: ")),
            (Errno::MFILE, Some("this machine lacks a resource for the run: ")),
            (Errno::INVAL, None),
        ] {
            let told = |error: wasmtime::Error| {
                refused_by_the_system(Code::Component, &error).map(|failure| failure.message)
            };
            let of_system = std::io::Error::from_raw_os_error(errno.raw_os_error());
            for told in [told(of_system.into()), told(errno.into())] {
                assert_eq!(told.is_some(), message.is_some(), "{errno}");
                assert!(told.unwrap_or_default().starts_with(message.unwrap_or_default()));
            }
        }
        let other = wasmtime::Error::msg("File too large (os error 27)");
        assert!(refused_by_the_system(Code::Limit, &other).is_none());
        let hint = no_file_of_that_size(Code::Limit).hint.unwrap();
        assert!(hint.contains("`ulimit -f`"), "{hint}");
    }

    #[test]
    fn a_lack_of_addresses_is_told_apart_from_one_of_memory() {
        let hint = |addresses| lacking_within(Code::Limit, "x", addresses).hint.unwrap();
        assert!(
            hint(Some(4 << 30)).contains("address space of this program is limited to 4,096 MiB")
        );
        assert!(hint(None).starts_with("Free memory"));
    }
}
