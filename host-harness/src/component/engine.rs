//! The engine: compiles components and advances the epoch by which their computing time is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::component::Component;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::cache::Cache;
use crate::failure::{Code, Failure};
use crate::limits::{Limits, TICK};

/// Stack of a component, in bytes. Parsers go a few hundred frames deep at the most.
const WASM_STACK: usize = 512 * 1024;
/// Stack of the fibre that a call runs on: the component's, and what host functions take.
const FIBRE_STACK: usize = WASM_STACK + 512 * 1024;

/// How an engine is set up.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Folder for compiled code. None compiles each time.
    pub cache: Option<PathBuf>,
    /// Most runs at once in one process, with memory set aside for each: for a server. None allocates on demand.
    pub pooled_runs: Option<u32>,
    /// Bounds that the engine itself must know.
    pub limits: Limits,
}

/// Compiles and holds components. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    cache: Option<Arc<Cache>>,
    _ticker: Arc<Ticker>,
}

/// Advances the epoch until the last clone of the engine is gone.
struct Ticker {
    stop: Arc<AtomicBool>,
}

impl Engine {
    /// Sets an engine up.
    ///
    /// # Errors
    /// When the machine does not give what it needs.
    pub fn new(options: &EngineOptions) -> Result<Self, Failure> {
        let failed = |error: wasmtime::Error| Failure::new(Code::Component, format!("the WebAssembly engine cannot be set up: {error:#}"));
        let wasmtime = wasmtime::Engine::new(&config(options)).map_err(failed)?;
        let cache = options.cache.clone().map(|folder| Arc::new(Cache::new(folder, &wasmtime)));
        let ticker = Ticker::start(wasmtime.clone())
            .map_err(|error| Failure::new(Code::Component, format!("no thread for the engine's clock: {error}")))?;
        Ok(Self { wasmtime, cache, _ticker: Arc::new(ticker) })
    }

    /// Compiles a component, or takes it from the cache.
    pub(super) fn compile(&self, bytes: &[u8], digest: &str) -> Result<Component, Failure> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.load(&self.wasmtime, digest)) {
            return Ok(component);
        }
        let component = Component::from_binary(&self.wasmtime, bytes).map_err(|error| {
            Failure::new(Code::Component, format!("it cannot be compiled: {}", crate::text::shortened(&format!("{error:#}"), 400)))
                .with_hint("Build the component again; the file may be damaged or use WebAssembly features that this host does not allow.")
        })?;
        if let Some(cache) = &self.cache {
            cache.store(&component, digest);
        }
        Ok(component)
    }
}

fn config(options: &EngineOptions) -> Config {
    let mut config = Config::new();
    // The contract is synchronous, and most advisories of this line of releases sit in component-model async,
    // which is not even compiled in.
    config.wasm_component_model(true).concurrency_support(false);
    // Connectors need none of these; what is off cannot be attacked.
    config.wasm_threads(false).wasm_gc(false).wasm_function_references(false).wasm_memory64(false).wasm_exceptions(false);
    // Results of relaxed SIMD may differ from machine to machine, and NaN bits too: the same traffic gives the same bytes anywhere.
    config.wasm_relaxed_simd(false).cranelift_nan_canonicalization(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(WASM_STACK).async_stack_size(FIBRE_STACK);
    // A backtrace names the component's functions; a person who reports a crash needs no more.
    config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    if let Some(runs) = options.pooled_runs {
        let mut pool = PoolingAllocationConfig::new();
        let instances = u32::try_from(options.limits.instances).unwrap_or(u32::MAX);
        pool.total_component_instances(runs)
            .total_core_instances(runs.saturating_mul(instances))
            .total_memories(runs)
            .total_tables(runs.saturating_mul(2))
            .total_stacks(runs)
            .max_memory_size(options.limits.memory)
            .table_elements(options.limits.table_elements);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        config.memory_reservation(u64::try_from(options.limits.memory).unwrap_or(u64::MAX));
    }
    config
}

impl Ticker {
    fn start(engine: wasmtime::Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::Builder::new().name("epoch".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
