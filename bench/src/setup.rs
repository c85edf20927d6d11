//! The product as a platform embeds it, with traffic from memory: the real component and the real
//! host, without the network.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use sha2::{Digest, Sha256};
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;

use smp_host::collect::destination::Destination;
use smp_host::collect::report::{Outcome, RunReport};
use smp_host::collect::stream::Stream;
use smp_host::files::Format;
use smp_host::files::journal::FileJournal;
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::{BoxFuture, Clock, SystemClock};
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::settings::{Checked, Settings};

use crate::pages::{ORGANIZATION, Pages};

/// Answers from memory, each after a wait.
#[derive(Debug)]
pub struct Replayed {
    pages: Arc<Pages>,
    latency: Duration,
}

impl Replayed {
    /// Answers with these pages, at once.
    #[must_use]
    pub fn at_once(pages: &Arc<Pages>) -> Arc<Self> {
        Self::after(Duration::ZERO, pages)
    }

    /// Answers with these pages, each after this time.
    #[must_use]
    pub fn after(latency: Duration, pages: &Arc<Pages>) -> Arc<Self> {
        Arc::new(Self { pages: Arc::clone(pages), latency })
    }
}

impl Transport for Replayed {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(async {
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            Ok(Response {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: self.pages.asked(&request.path_and_query),
            })
        })
    }
}

/// The connector, ready to run.
pub struct Setup {
    /// The component, compiled.
    pub plugin: Plugin,
    /// The settings of the organization.
    pub settings: Checked,
    grants: Grants,
    host: Host,
    clock: Arc<dyn Clock>,
}

impl Setup {
    /// Compiles the connector for this many concurrent runs, or for one at a time.
    ///
    /// # Errors
    /// When it is not built, or the host refuses it.
    pub async fn set(pooled_runs: Option<u32>) -> Result<Self> {
        let cache = built("smp-harness")?.with_file_name("bench-cache");
        let engine = Engine::new(&EngineOptions {
            pooled_runs,
            cache: Some(cache),
            ..EngineOptions::new(Compiler::Inside)
        })?;
        let plugin = Plugin::load(&engine, &component_bytes()?).await?;
        let settings = Settings {
            values: [("organization-id".into(), ORGANIZATION.into())].into(),
            ..Settings::default()
        };
        let settings = settings.check(plugin.descriptor(), false)?;
        let grants = Grants::reading(
            Origin::parse("https://api.example.test").map_err(|error| anyhow!("{error}"))?,
            plugin.descriptor(),
        );
        Ok(Self {
            plugin,
            settings,
            grants,
            host: Host::default(),
            clock: Arc::new(SystemClock::default()),
        })
    }

    /// Grants of a run.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// A run with answers from this transport.
    #[must_use]
    pub fn session(&self, transport: Arc<dyn Transport>) -> Session {
        let options = RunOptions {
            pace: Pace::Off,
            clock: Arc::clone(&self.clock),
            ..RunOptions::new(transport)
        };
        self.host.session(&self.plugin, &self.settings, &self.grants, options)
    }

    /// Reads all pages into host records, and returns the number of members on them.
    ///
    /// # Errors
    /// When the run fails.
    pub async fn read_all(&self, transport: Arc<dyn Transport>) -> Result<usize> {
        let (mut session, mut cursor, mut members) = (self.session(transport), None, 0);
        loop {
            let page = session.collect(cursor.as_ref()).await?;
            members += std::hint::black_box(&page).members.len();
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(members),
            }
        }
    }

    /// A whole collection in ndjson, as `smp-harness collect` makes it, to an output that never
    /// blocks.
    ///
    /// # Errors
    /// When the list is not complete.
    pub async fn collect(
        &self,
        transport: Arc<dyn Transport>,
        output: impl Write + Send + 'static,
    ) -> Result<RunReport> {
        let mut stream = Stream::in_memory(Format::Ndjson.sink(output, false));
        self.run(transport, &mut stream).await
    }

    /// A whole collection in ndjson to a file.
    ///
    /// # Errors
    /// When the list is not complete.
    pub async fn collect_to(
        &self,
        transport: Arc<dyn Transport>,
        path: &Path,
    ) -> Result<RunReport> {
        let sink =
            |output, resuming| Format::Ndjson.sink(std::io::BufWriter::new(output), resuming);
        let mut file = FileJournal::new(path, Format::Ndjson.as_str(), Box::new(sink), None);
        self.run(transport, &mut file).await
    }

    async fn run(
        &self,
        transport: Arc<dyn Transport>,
        destination: &mut dyn Destination,
    ) -> Result<RunReport> {
        let report =
            self.session(transport).collect_members(destination, std::future::pending()).await;
        ensure!(
            report.outcome == Outcome::Complete,
            "the collection ended as {:?}: {:?}",
            report.outcome,
            report.error
        );
        Ok(report)
    }
}

/// A runtime on this thread only, so that its processor time is this thread's.
///
/// # Errors
/// If the system gives none.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// The connector's file.
#[must_use]
pub fn component() -> PathBuf {
    folder().join("../dist/atlassian-cloud.wasm")
}

/// The connector.
///
/// # Errors
/// When it is not built.
pub fn component_bytes() -> Result<Vec<u8>> {
    std::fs::read(component()).context("the connector is not built; `make bench` builds it")
}

/// `sha256:` and the digest of the connector's file.
///
/// # Errors
/// When it is not built.
pub fn component_digest() -> Result<String> {
    let digits = Sha256::digest(component_bytes()?)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    Ok(format!("sha256:{digits}"))
}

/// A program of the workspace, built beside this one.
///
/// # Errors
/// When it is not built.
pub fn built(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    // A test or a benchmark is one folder deeper.
    let found = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.with_context(|| format!("`{name}` is not built; `make bench` builds it"))
}

/// The folder of this crate.
#[must_use]
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
