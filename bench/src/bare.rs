//! Runs the component in an engine without any bounds: the baseline without the host's limits,
//! guards and rules.
//!
//! It is not part of the product, and nothing in the product can be configured like it. It measures
//! the cost of the bounds.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use smp_host::contract::{self, Exports, Setting};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

use crate::pages::Pages;

/// A component without bounds.
pub struct Bare {
    engine: Engine,
    component: Component,
}

/// Which bounds a bare engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Nothing.
    None,
    /// The code checks the epoch at each loop and call, but the epoch never advances.
    Epoch,
}

struct Answers(Arc<Pages>);

impl Bare {
    /// Compiles a component.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub fn new(component: &[u8], checks: Checks) -> Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model(true).concurrency_support(false);
        config
            .wasm_threads(false)
            .wasm_gc(false)
            .wasm_function_references(false)
            .wasm_memory64(false)
            .wasm_exceptions(false);
        config.wasm_relaxed_simd(false).epoch_interruption(checks == Checks::Epoch);
        let engine = Engine::new(&config).map_err(told)?;
        let component = Component::new(&engine, component).map_err(told)?;
        Ok(Self { engine, component })
    }

    /// Reads all pages to records of the host, and gives the number of members on them.
    ///
    /// # Errors
    /// When the component fails.
    pub async fn read_all(&self, pages: &Arc<Pages>, settings: &[Setting]) -> Result<usize> {
        let mut linker = Linker::new(&self.engine);
        contract::add_to_linker::<Answers>(&mut linker).map_err(told)?;
        let mut store = Store::new(&self.engine, Answers(Arc::clone(pages)));
        store.set_epoch_deadline(u64::MAX / 2);
        let linked = linker.instantiate_pre(&self.component).map_err(told)?;
        let instance = linked.instantiate_async(&mut store).await.map_err(told)?;
        let exports = Exports::of(&linked).map_err(told)?;
        let plugin = exports.load(&mut store, &instance).map_err(told)?;
        let (mut cursor, mut members) = (None, 0);
        loop {
            let answer =
                plugin.connector.call_collect_members(&mut store, settings, cursor.as_ref()).await;
            let page = answer.map_err(told)?.ok().context("the component refuses its page")?;
            members += std::hint::black_box(&page).members.len();
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(members),
            }
        }
    }
}

impl contract::http::Host for Answers {
    async fn send(
        &mut self,
        request: contract::http::Request,
    ) -> wasmtime::Result<Result<contract::http::Response, contract::http::Error>> {
        Ok(Ok(contract::http::Response {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: self.0.asked(&request.path_with_query),
        }))
    }
}

impl contract::log::Host for Answers {
    async fn write(&mut self, _: contract::log::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

fn told(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
