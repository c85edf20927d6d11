//! Common parts: one engine for all tests, tight bounds, and a service that answers every request.
//! It has no tests.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::Value;
use smp_host::collect::report::{Outcome, RunReport};
use smp_host::collect::stream::Stream;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::contract::{Account, MemberPage};
use smp_host::explained::Report;
use smp_host::failure::{Code, Failure};
use smp_host::files::Format;
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::{BoxFuture, VirtualClock};
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::http::transport::{Method, Request, Response, Transport, TransportError};
use smp_host::limits::Limits;
use smp_host::observer::{Context, Event, Observer};
use smp_host::settings::{Checked, Settings};
use smp_tests::harness::{binary, test_component};

/// One engine for all tenants of this process.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    // The tests of the command share the compiled code: compiling it for each would take most of
    // the time.
    engine(tight())
});

fn engine(limits: Limits) -> Engine {
    let cache = Some(std::path::absolute(binary().with_file_name("test-cache")).unwrap());
    Engine::new(&EngineOptions { cache, limits, ..EngineOptions::new(Compiler::Inside) }).unwrap()
}

/// Bounds that end an attack soon, and that no harmless component comes near.
pub(crate) fn tight() -> Limits {
    Limits {
        cpu: Duration::from_millis(200),
        call_time: Duration::from_secs(5),
        ..Limits::default()
    }
}

/// A component with all of its inputs and outputs.
pub(crate) struct Setup {
    pub(crate) plugin: Plugin,
    /// The component's file, for another engine to load.
    name: String,
    pub(crate) checked: Checked,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) heard: Arc<Heard>,
    transport: Arc<dyn Transport>,
}

/// Sent requests, and log lines.
#[derive(Default)]
pub(crate) struct Heard {
    requests: Mutex<Vec<String>>,
    lines: Mutex<Vec<String>>,
}

impl Setup {
    /// A component of the organization `acme`.
    pub(crate) fn new(name: &str) -> Self {
        Self::attacking(name, "")
    }

    /// The same, with an attack.
    pub(crate) fn attacking(name: &str, attack: &str) -> Self {
        Self { name: name.to_owned(), ..Self::of(loaded(name).unwrap(), "acme", attack) }
    }

    pub(crate) fn of(plugin: Plugin, organization: &str, attack: &str) -> Self {
        let values = [("organization-id", organization), ("attack", attack)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = Settings { values: BTreeMap::from(values), ..Settings::default() };
        let checked = settings.check(plugin.descriptor(), false).unwrap();
        let grants = Grants::reading(
            Origin::parse("https://api.tame.example").unwrap(),
            plugin.descriptor(),
        );
        let heard = Arc::<Heard>::default();
        let transport = Arc::clone(&heard) as Arc<dyn Transport>;
        Self { plugin, name: String::new(), checked, grants, limits: tight(), heard, transport }
    }

    /// The same within other bounds, which are an engine's.
    pub(crate) fn within(self, limits: Limits) -> Self {
        let bytes = std::fs::read(test_component(&self.name)).unwrap();
        let plugin = now(Plugin::load(&engine(limits.clone()), &bytes)).unwrap();
        Self { plugin, limits, ..self }
    }

    /// The same, with one more granted endpoint.
    pub(crate) fn granting(self, method: Method, template: &str) -> Self {
        Self { grants: self.grants.with(method, template), ..self }
    }

    /// The same, with answers from another source.
    pub(crate) fn answered_by(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport, ..self }
    }

    pub(crate) fn session(&self) -> Session {
        let options = RunOptions {
            clock: Arc::new(VirtualClock::new(std::time::UNIX_EPOCH)),
            pace: Pace::Off,
            max_wait: Duration::ZERO,
            observer: Arc::clone(&self.heard) as Arc<dyn Observer>,
            ..RunOptions::new(Arc::clone(&self.transport))
        };
        Host::default().session(&self.plugin, &self.checked, &self.grants, options)
    }

    pub(crate) fn validate(&self) -> Result<Report, Failure> {
        now(async { self.session().validate().await })
    }

    pub(crate) fn connect(&self) -> Result<Account, Failure> {
        now(async { self.session().connect().await })
    }

    /// The first page.
    pub(crate) fn page(&self) -> Result<MemberPage, Failure> {
        now(async { self.session().collect(None).await })
    }

    /// A whole collection, and its rows.
    pub(crate) fn collect(&self) -> (RunReport, Vec<Value>) {
        now(self.collection())
    }

    pub(crate) async fn collection(&self) -> (RunReport, Vec<Value>) {
        let rows = Rows::default();
        let mut stream = Stream::in_memory(Format::Ndjson.sink(rows.clone(), false));
        let report = self.session().collect_members(&mut stream, std::future::pending()).await;
        let bytes = rows.0.lock().unwrap();
        let rows = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap());
        (report, rows.collect())
    }

    /// The failure of a collection.
    pub(crate) fn collect_fails(&self) -> Failure {
        let (report, _) = self.collect();
        assert_eq!(report.outcome, Outcome::Failed);
        report.error.unwrap()
    }

    /// The failure of each of the three calls with settings.
    pub(crate) fn all_fail(&self) -> [Failure; 3] {
        [self.validate().unwrap_err(), self.connect().unwrap_err(), self.collect_fails()]
    }
}

impl Heard {
    /// The sent requests, one per line.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The log lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Transport for Heard {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        self.requests
            .lock()
            .unwrap()
            .push(format!("{} {}", request.method, request.path_and_query));
        Box::pin(std::future::ready(Ok(Response {
            status: 200,
            headers: vec![],
            body: b"{}".to_vec(),
        })))
    }
}

impl Observer for Heard {
    fn event(&self, _: &Context, event: &Event<'_>) {
        if let Event::Log { message, .. } = event {
            self.lines.lock().unwrap().push((*message).to_owned());
        }
    }
}

#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Vec<u8>>>);

impl io::Write for Rows {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A component by its name.
pub(crate) fn loaded(name: &str) -> Result<Plugin, Failure> {
    loads(&std::fs::read(test_component(name)).unwrap())
}

/// A component by its bytes.
pub(crate) fn loads(bytes: &[u8]) -> Result<Plugin, Failure> {
    now(Plugin::load(&ENGINE, bytes))
}

/// Serves another tenant with a harmless connector, on the same engine.
pub(crate) fn and_another_tenant_is_served() {
    now(another_tenant_is_served());
}

pub(crate) async fn another_tenant_is_served() {
    static TAME: LazyLock<Plugin> = LazyLock::new(|| loaded_apart("tame"));
    let stage = Setup::of(TAME.clone(), "globex", "");
    let (report, rows) = stage.collection().await;
    assert_eq!((report.outcome, report.error), (Outcome::Complete, None));
    assert_eq!(
        rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ada", "grace"]
    );
    assert_eq!(stage.heard.requests(), ["GET /v1/orgs/globex/people"]);
}

/// A component that is loaded while another runtime may be running on this thread.
fn loaded_apart(name: &str) -> Plugin {
    std::thread::scope(|scope| scope.spawn(|| loaded(name).unwrap()).join().unwrap())
}

/// Requires this code, these words, and a hint.
#[track_caller]
pub(crate) fn assert_failed(failure: &Failure, code: Code, word: &str) {
    assert_eq!(failure.code, code, "{failure}");
    assert!(failure.message.contains(word), "it does not say “{word}”: {failure}");
    assert!(failure.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "no hint: {failure}");
    assert!(failure.message.len() < 1_000, "a message of {} bytes", failure.message.len());
}

/// Requires that the bound of this name was reached.
#[track_caller]
pub(crate) fn assert_limited(failure: &Failure, bound: &str) {
    assert_failed(failure, Code::Limit, &format!("`{bound}`"));
}

pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
