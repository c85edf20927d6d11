//! The engine: compiles and holds components, and advances the epoch by which their computing time is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use wasmtime::component::Component;

use super::cache::Cache;
use super::compile::{self, Compiled, Compiler};
use super::config::{Allocation, config};
use crate::failure::{Code, Failure};
use crate::limits::{Bound, Limits, TICK};

/// How an engine is set up. There is no default: whoever sets one up says where strangers' bytes are compiled.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Folder for compiled code. None compiles each time.
    pub cache: Option<PathBuf>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Most runs at once in one process, with memory set aside for each: for a server. None allocates on demand. In a pool, a run whose
    /// answers are slow to come gives back what a page took before it asks for the next one.
    pub pooled_runs: Option<u32>,
    /// Bounds that count before a run begins: of the file, of compiling, of stack and memory, and of what a connector says about itself.
    pub limits: Limits,
}

impl EngineOptions {
    /// The usual way, with components compiled there.
    #[must_use]
    pub fn new(compiler: Compiler) -> Self {
        Self { cache: None, compiler, pooled_runs: None, limits: Limits::default() }
    }
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
    /// Runs that are under way, and how many there may be.
    runs: Option<(AtomicU32, u32)>,
    limits: Limits,
    _ticker: Ticker,
}

/// What is set aside for a run, until this is dropped.
pub(super) struct Place(Engine);

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
        let runs = options.pooled_runs.map(|most| (AtomicU32::new(0), most));
        Ok(Self { wasmtime, shared: Arc::new(Shared { cache, compiler, allocation, runs, limits, _ticker: ticker }) })
    }

    /// Whether memory is set aside for runs.
    pub(super) fn is_pooled(&self) -> bool {
        self.shared.runs.is_some()
    }

    /// Takes what is set aside for one more run. A run keeps it when it gives its instance back, so that it never fails in the middle.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        if let Some((runs, most)) = &self.shared.runs {
            let one_more = |under_way: u32| (under_way < *most).then(|| under_way + 1);
            runs.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).map_err(|_| {
                Failure::new(Code::Limit, "this process has no memory set aside for one more run at the same time")
                    .with_hint("Collect again when other runs have ended, or let the operator set more aside (`pooled_runs`).")
            })?;
        }
        Ok(Place(self.clone()))
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

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((runs, _)) = &self.0.shared.runs {
            runs.fetch_sub(1, Ordering::AcqRel);
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
