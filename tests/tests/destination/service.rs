//! A service with few members on few pages, which answers the real connector from memory. It has no
//! tests.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use smp_host::collect::destination::Destination;
use smp_host::collect::report::RunReport;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::failure::{Code, Failure};
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::{BoxFuture, VirtualClock};
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::settings::Settings;
use smp_tests::harness::{binary, component};

/// The organization.
pub(crate) const ORGANIZATION: &str = "1f7c2a9e-5b3d-4e8f-a6c1-g7h8j9k0m2n4";

static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| {
    let cache = Some(std::path::absolute(binary().with_file_name("test-cache")).unwrap());
    let engine =
        Engine::new(&EngineOptions { cache, ..EngineOptions::new(Compiler::Inside) }).unwrap();
    let bytes = std::fs::read(component()).unwrap();
    // A runtime may already be running on this thread.
    std::thread::scope(|scope| {
        scope.spawn(|| now(Plugin::load(&engine, &bytes)).unwrap()).join().unwrap()
    })
});

/// An answer in place of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    CursorExpired,
    KeyRefused,
    Unavailable,
    /// A page without members whose next page is itself.
    LeadsBack,
    NoOrganization,
}

/// The service. Clones are one service.
#[derive(Clone)]
pub(crate) struct Service {
    pages: Arc<Vec<Page>>,
    state: Arc<Mutex<State>>,
}

struct Page {
    cursor: &'static str,
    ids: Vec<&'static str>,
    next: &'static str,
}

#[derive(Default)]
struct State {
    total: Option<u64>,
    left: HashSet<&'static str>,
    instead: HashMap<&'static str, VecDeque<Answer>>,
    asked: Vec<String>,
    finished: usize,
    objects: bool,
}

impl Service {
    /// Pages by their cursor, each with its members and the next cursor. The first has no cursor,
    /// the last no next one.
    pub(crate) fn new(
        pages: &[(&'static str, &[&'static str], &'static str)],
        total: Option<u64>,
    ) -> Self {
        let state = State { total, ..State::default() };
        Self {
            pages: Arc::new(
                pages
                    .iter()
                    .map(|(cursor, ids, next)| Page { cursor, ids: ids.to_vec(), next })
                    .collect(),
            ),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// States another total.
    pub(crate) fn telling(self, total: u64) -> Self {
        self.state.lock().unwrap().total = Some(total);
        self
    }

    /// Answers differently the next time that this page is requested.
    pub(crate) fn once(self, cursor: &'static str, answer: Answer) -> Self {
        self.state.lock().unwrap().instead.entry(cursor).or_default().push_back(answer);
        self
    }

    /// Acts as recorded traffic with an unused answer.
    pub(crate) fn objecting(self) -> Self {
        self.state.lock().unwrap().objects = true;
        self
    }

    /// How often a session reported that a call had succeeded.
    pub(crate) fn finished(&self) -> usize {
        self.state.lock().unwrap().finished
    }

    /// Removes a member from all pages from now on.
    pub(crate) fn leaves(&self, id: &'static str) {
        self.state.lock().unwrap().left.insert(id);
    }

    /// The cursors of the requested pages; the first page has none.
    pub(crate) fn asked(&self) -> String {
        self.state.lock().unwrap().asked.join(" ")
    }

    /// Number of requested pages.
    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }

    /// A run of the connector on this service.
    pub(crate) fn session(&self) -> Session {
        let values = [("organization-id".to_owned(), ORGANIZATION.to_owned())].into();
        let settings =
            Settings { values, ..Settings::default() }.check(PLUGIN.descriptor(), false).unwrap();
        let grants = Grants::reading(
            Origin::parse("https://api.example.test").unwrap(),
            PLUGIN.descriptor(),
        );
        let options = RunOptions {
            clock: Arc::new(VirtualClock::new(UNIX_EPOCH)),
            pace: Pace::Off,
            max_wait: Duration::ZERO,
            ..RunOptions::new(Arc::new(self.clone()))
        };
        Host::default().session(&PLUGIN, &settings, &grants, options)
    }

    /// A collection from this service.
    pub(crate) fn collect(
        &self,
        to: &mut dyn Destination,
        stop: impl Future<Output = ()>,
    ) -> RunReport {
        now(self.session().collect_members(to, stop))
    }

    fn page(&self, cursor: &str) -> (u16, serde_json::Value) {
        let mut state = self.state.lock().unwrap();
        state.asked.push(if cursor.is_empty() { "first".to_owned() } else { cursor.to_owned() });
        let page = self.pages.iter().find(|page| page.cursor == cursor).unwrap();
        let error = |code: &str| json!({ "errors": [{ "id": "1", "code": code, "title": "-", "detail": "Invalid cursor" }] });
        let (ids, next) = match state.instead.get_mut(cursor).and_then(VecDeque::pop_front) {
            Some(Answer::CursorExpired) => return (400, error("ADMIN-400-1")),
            Some(Answer::KeyRefused) => {
                return (401, json!({ "code": 401, "message": "Unauthorized" }));
            }
            Some(Answer::Unavailable) => return (503, json!({})),
            Some(Answer::NoOrganization) => return (404, error("ADMIN-404-2")),
            Some(Answer::LeadsBack) => (vec![], cursor),
            None => (page.ids.clone(), page.next),
        };
        let there = ids.into_iter().filter(|id| !state.left.contains(id));
        let member = |id| json!({ "account_id": id, "account_type": "atlassian", "name": id, "email": format!("{id}@acme.example") });
        let next = (!next.is_empty()).then(|| {
            format!("https://api.example.test/admin/v1/orgs/{ORGANIZATION}/users?cursor={next}")
        });
        let members: Vec<_> = there.map(member).collect();
        (
            200,
            json!({ "data": members, "meta": { "total": state.total }, "links": { "next": next } }),
        )
    }

    fn answer(&self, path_and_query: &str) -> (u16, serde_json::Value) {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let domain =
            json!({ "name": "acme.example", "claim": { "type": "dns", "status": "verified" } });
        match path.rsplit('/').next().unwrap() {
            "users" => self.page(query.strip_prefix("cursor=").unwrap_or_default()),
            "domains" => {
                let domain = json!({ "id": "acme", "type": "domains", "attributes": domain });
                (200, json!({ "data": [domain], "links": { "next": null } }))
            }
            _ => (
                200,
                json!({ "data": { "id": ORGANIZATION, "type": "orgs", "attributes": { "name": "Acme" } } }),
            ),
        }
    }
}

impl Transport for Service {
    fn finish(&self) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap();
        state.finished += 1;
        if state.objects {
            Err(Failure::new(Code::Fixture, "an answer is left over"))
        } else {
            Ok(())
        }
    }

    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        let (status, body) = self.answer(&request.path_and_query);
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Box::pin(std::future::ready(Ok(Response {
            status,
            headers,
            body: body.to_string().into_bytes(),
        })))
    }
}

pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
