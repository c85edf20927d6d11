//! The engine: compiles and holds components, and advances the epoch that measures computing time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::Component;

use super::cache::Cache;
use super::compile::{self, Compiled, Compiler};
use super::config::{
    Allocation, MEMORIES, TABLES, address_space, config, lacking, refused_by_the_system,
};
use crate::failure::{Code, Failure};
use crate::limits::{Limits, TICK};
use crate::remedy::Remedy;

/// Options of an engine. There is no default, because the caller must choose where untrusted
/// components are compiled.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Folder for compiled code. With `None`, every load compiles.
    pub cache: Option<PathBuf>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Most concurrent runs in one process, with memory set aside for each, for servers. With
    /// `None`, memory is allocated on demand. In a pool, a run whose answers are slow gives a
    /// page's memory back before it requests the next page.
    pub pooled_runs: Option<u32>,
    /// Bounds that apply before a run begins: on the file, compiling, stack and memory, and the
    /// descriptor.
    pub limits: Limits,
}

impl EngineOptions {
    /// The default options, with this compiler.
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
    /// One permit for each run in the pool.
    places: Option<Arc<Semaphore>>,
    limits: Limits,
    _ticker: Ticker,
}

/// The right to use one place in the pool, until it is dropped. Without a pool, it holds nothing.
pub(super) struct Permit {
    _place: Option<OwnedSemaphorePermit>,
}

/// Advances the epoch until the last clone of the engine is gone.
struct Ticker {
    stop: Arc<AtomicBool>,
}

impl Engine {
    /// Creates an engine.
    ///
    /// # Errors
    /// If the machine lacks a resource.
    pub fn new(options: &EngineOptions) -> Result<Self, Failure> {
        let failed = |error: wasmtime::Error| {
            lacking(Code::Component, &format!("the WebAssembly engine cannot be set up: {error:#}"))
        };
        let allocation = Allocation::of(options.pooled_runs, &options.limits, address_space());
        let wasmtime =
            wasmtime::Engine::new(&config(options.limits.stack, allocation)).map_err(failed)?;
        let cache = options.cache.clone().map(|folder| Cache::new(folder, &wasmtime));
        let ticker = Ticker::start(wasmtime.clone()).map_err(|error| {
            let what = "the thread of the engine's clock cannot be started";
            lacking(Code::Component, &format!("{what}: {error}"))
        })?;
        let (compiler, limits) = (options.compiler.clone(), options.limits.clone());
        let most = options
            .pooled_runs
            .map(|most| usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS));
        let places = most.map(|most| Arc::new(Semaphore::new(most)));
        Ok(Self {
            wasmtime,
            shared: Arc::new(Shared {
                cache,
                compiler,
                allocation,
                places,
                limits,
                _ticker: ticker,
            }),
        })
    }

    /// Whether there is a pool.
    pub(super) fn is_pooled(&self) -> bool {
        self.shared.places.is_some()
    }

    /// Takes a permit for one more run, and waits at most this long for it, in order of arrival. A
    /// run keeps the permit when it gives its instance back, so that it never fails in the middle.
    pub(super) async fn permit(&self, within: Duration) -> Result<Permit, Failure> {
        let Some(places) = &self.shared.places else { return Ok(Permit { _place: None }) };
        let permit = match Arc::clone(places).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) if within.is_zero() => None,
            Err(_) => tokio::time::timeout(within, Arc::clone(places).acquire_owned())
                .await
                .ok()
                .and_then(Result::ok),
        };
        let permit = permit.ok_or_else(|| {
            Failure::new(
                Code::Busy,
                "this process has no memory set aside for one more run at the same time",
            )
            .with_hint(
                "Try again when other runs have ended, or ask the operator to set more aside \
                 (`pooled_runs`).",
            )
        })?;
        Ok(Permit { _place: Some(permit) })
    }

    /// The bounds that it was created with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Compiles a component, or takes it from the cache. New code is returned too, so that it can
    /// be cached once the component has proved sound.
    pub(super) async fn compile(
        &self,
        bytes: &[u8],
        digest: &str,
    ) -> Result<(Component, Option<Compiled>), Failure> {
        let Shared { cache, compiler, allocation, limits, .. } = &*self.shared;
        if let Some(component) = cache.as_ref().and_then(|cache| cache.load(&self.wasmtime, digest))
        {
            return Ok((component, None));
        }
        let code = compile::compile(compiler, &self.wasmtime, bytes, *allocation, limits).await?;
        let component = code.component(&self.wasmtime).map_err(|error| {
            let refused = refused_by_the_system(Code::Component, &error);
            refused.unwrap_or_else(|| match format!("{error:#}") {
                // wasmtime reports that a component exceeds the pool only when its code is loaded.
                text if text.contains("exceeds the") => beyond_the_pool(),
                text => Failure::new(
                    Code::Component,
                    format!("the compiler's process made code for another engine: {text}"),
                ),
            })
        })?;
        Ok((component, Some(code)))
    }

    /// Caches the code of a component that proved sound.
    pub(super) fn keep(&self, code: Option<&Compiled>, digest: &str) {
        if let (Some(cache), Some(code)) = (&self.shared.cache, code) {
            cache.store(code, digest);
        }
    }
}

/// Why no pool takes the component, if none does: a host without a pool runs it all the same.
pub(super) fn refused_by_pools(component: &Component, limits: &Limits) -> Option<Failure> {
    let fits = component.resources_required().is_some_and(|needs| {
        let memory = u64::try_from(limits.memory).unwrap_or(u64::MAX);
        let elements = u64::try_from(limits.table_elements).unwrap_or(u64::MAX);
        needs.num_memories <= MEMORIES
            && needs.num_tables <= TABLES
            && needs.max_initial_memory_size.is_none_or(|most| most <= memory)
            && needs.max_initial_table_size.is_none_or(|most| most <= elements)
    });
    (!fits).then(beyond_the_pool)
}

fn beyond_the_pool() -> Failure {
    Failure::new(
        Code::Component,
        format!(
            "it is made of more, or larger, memories and tables than a pool sets aside for a run: \
             {MEMORIES} memories and {TABLES} tables"
        ),
    )
    .with_hint("Build it of fewer modules. A host without a pool (`pooled_runs`) can run it.")
    .with_remedy(Remedy::MendConnector)
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
