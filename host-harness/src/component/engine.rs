//! The engine: compiles and holds components, and advances the epoch by which their computing time is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::component::Component;

use super::cache::Cache;
use super::compile::{self, Compiled, Compiler};
use super::config::{Allocation, config};
use crate::failure::{Code, Failure};
use crate::limits::{Bound, Limits, TICK};

/// How an engine is set up.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Folder for compiled code. None compiles each time.
    pub cache: Option<PathBuf>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Most runs at once in one process, with memory set aside for each: for a server. None allocates on demand.
    pub pooled_runs: Option<u32>,
    /// Bounds that count before a run begins: of the file, of compiling, of stack and memory, and of what a connector says about itself.
    pub limits: Limits,
}

/// Compiles and holds components. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    shared: Arc<Shared>,
}

struct Shared {
    cache: Option<Cache>,
    compiler: Compiler,
    allocation: Allocation,
    limits: Limits,
    _ticker: Ticker,
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
        let allocation = Allocation::of(options.pooled_runs, &options.limits);
        let wasmtime = wasmtime::Engine::new(&config(options.limits.stack, allocation)).map_err(failed)?;
        let cache = options.cache.clone().map(|folder| Cache::new(folder, &wasmtime));
        let ticker = Ticker::start(wasmtime.clone())
            .map_err(|error| Failure::new(Code::Component, format!("no thread for the engine's clock: {error}")))?;
        let (compiler, limits) = (options.compiler.clone(), options.limits.clone());
        Ok(Self { wasmtime, shared: Arc::new(Shared { cache, compiler, allocation, limits, _ticker: ticker }) })
    }

    /// The bounds that it was set up with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Compiles a component, or takes it from the cache. What was compiled now comes with it, to be kept once the component has proved sound.
    pub(super) async fn compile(&self, bytes: &[u8], digest: &str) -> Result<(Component, Option<Compiled>), Failure> {
        let Shared { cache, compiler, allocation, limits, .. } = &*self.shared;
        if let Some(component) = cache.as_ref().and_then(|cache| cache.load(&self.wasmtime, digest)) {
            return Ok((component, None));
        }
        let code = compile::compile(compiler, &self.wasmtime, bytes, *allocation, limits).await?;
        let component = code.component(&self.wasmtime).map_err(|error| match format!("{error:#}") {
            // A pool sets aside so many for each, and says so only when the code is loaded.
            text if text.contains("exceeds the") => {
                let reached = limits.reached(Bound::Instances, "it is made of more memories or tables than each run has set aside");
                Failure { code: Code::Component, ..reached }
            }
            text => Failure::new(Code::Component, format!("the compiler's process made code for another engine: {text}")),
        })?;
        Ok((component, Some(code)))
    }

    /// Keeps the code of a component that proved sound.
    pub(super) fn keep(&self, code: Option<&Compiled>, digest: &str) {
        if let (Some(cache), Some(code)) = (&self.shared.cache, code) {
            cache.store(code, digest);
        }
    }
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
