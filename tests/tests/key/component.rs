//! Tests of the key and the component: everything that passes to and from it is recorded.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smp_host::collect::shortfall::Shortfall;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::{Session, SessionOptions};
use smp_host::http::base::Purpose;
use smp_host::http::capability::Capability;
use smp_host::http::clock::{BoxFuture, SystemClock};
use smp_host::http::origin::Origin;
use smp_host::http::policy::{Grants, Policy};
use smp_host::http::retry::{Jitter, Retrier};
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::limits::Limits;
use smp_host::live::{Live, LiveClient, LiveOptions};
use smp_host::observer::{Context, Event, Events, Observer};
use smp_host::settings::{SecretText, Settings};
use smp_tests::harness;
use smp_tests::mock::Authorization;

use crate::echo::{Echo, Manner};
use crate::search::{KEY, assert_without_key, organization};

/// The recorded texts.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

/// Takes the capability's place: records requests of the component and answers to it, including
/// headers that are not passed on.
struct Overheard {
    inner: Live,
    heard: Heard,
}

impl Heard {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Transport for Overheard {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(async move {
            self.heard.note(format!("{request:?}"));
            let answer = self.inner.send(request).await;
            match &answer {
                Ok(response) => {
                    self.heard.note(format!("{} {:?}", response.status, response.headers));
                    self.heard.note(String::from_utf8_lossy(&response.body).into_owned());
                }
                Err(error) => self.heard.note(format!("{error:?} {error:#?}")),
            }
            answer
        })
    }
}

impl Observer for Heard {
    fn event(&self, context: &Context, event: &Event<'_>) {
        self.note(format!("{context:?} {event:?}"));
    }
}

/// A run of the connector against this server.
struct Setup {
    session: Session,
    heard: Heard,
}

impl Setup {
    async fn at(url: &str, organization: &str) -> Self {
        let engine = Engine::new(&EngineOptions::new(Compiler::Inside)).unwrap();
        let plugin = Plugin::load(&engine, &fs::read(harness::component()).unwrap()).await.unwrap();
        let descriptor = plugin.descriptor();
        let settings = Settings {
            values: BTreeMap::from([("organization-id".to_owned(), organization.to_owned())]),
            secrets: BTreeMap::from([("api-key".to_owned(), SecretText::new(KEY.to_owned()))]),
        };
        let checked = settings.check(descriptor, true).unwrap();
        let timeout = Duration::from_secs(60);
        let options = LiveOptions {
            timeout,
            largest_body: 1 << 20,
            extra_roots: None,
            system_proxy: false,
            private_network: true,
            ranges: Vec::new(),
            user_agent: String::new(),
        };
        let client = LiveClient::new(&options).unwrap();
        let origin = Origin::parse(url).unwrap();
        let live = client.transport(origin.clone(), checked.credential.clone());
        let heard = Heard::default();
        // What a panic or a log line of the host could print of its values.
        heard.note(format!(
            "{settings:?} {settings:#?} {checked:?} {checked:#?} {client:?} {live:?} {live:#?}"
        ));
        let policy = Policy::new(
            descriptor,
            &checked.public,
            Purpose::Members,
            &Grants::reading(origin, descriptor),
        );
        let transport = Arc::new(Overheard { inner: live, heard: heard.clone() });
        let events = Events::new(Arc::new(heard.clone()), Context::default());
        let clock = Arc::new(SystemClock::default());
        let told = events.clone();
        let retrier = Retrier::new(
            transport,
            Arc::clone(&clock) as _,
            None,
            told,
            Jitter::None,
            Duration::ZERO,
        );
        let limits = Limits::default();
        let http = Some(Capability::new(policy, retrier, limits.clone()));
        let session = plugin.session(SessionOptions {
            http,
            settings: checked,
            origin: None,
            limits,
            shortfall: Shortfall::default(),
            events,
            clock,
        });
        Self { session, heard }
    }

    /// Makes every call, and records inputs and outputs.
    async fn all_calls(&mut self) {
        let settings = self.session.settings().clone();
        self.heard.note(format!("{settings:?}"));
        let validated = self.session.validate().await;
        self.heard.note(format!("{validated:?}"));
        let connected = self.session.connect().await;
        self.heard.note(format!("{connected:?}"));
        let mut cursor = None;
        // The organizations of these tests have five pages.
        for _ in 0..10 {
            self.heard.note(format!("{cursor:?}"));
            let page = self.session.collect(cursor.as_ref()).await;
            self.heard.note(format!("{page:?}"));
            cursor = match page {
                Ok(page) if page.next.is_some() => page.next,
                _ => return,
            };
        }
    }

    fn assert_without_key(&self) {
        for text in self.heard.all() {
            assert_without_key("what the component is given or says", text);
        }
    }
}

#[tokio::test]
async fn nothing_that_goes_to_the_component_has_the_key() {
    let mock = organization().start().unwrap();
    let mut stage = Setup::at(&mock.url(), &mock.organization().id).await;
    stage.all_calls().await;
    assert!(mock.log().iter().all(|request| request.authorization == Authorization::Right));
    assert!(mock.requests() >= 5 + 2, "validate, connect and five pages");
    let last = mock.expected_members().pop().unwrap().account_id;
    assert!(stage.heard.all().iter().any(|text| text.contains(&last)), "the pages are overheard");
    stage.assert_without_key();
}

#[tokio::test]
async fn a_server_that_repeats_the_key_does_not_hand_it_to_the_component() {
    for manner in [
        Manner::Data,
        Manner::Escaped,
        Manner::Error(400),
        Manner::Error(401),
        Manner::Error(403),
        Manner::Error(503),
    ] {
        let server = Echo::start(manner);
        let mut stage = Setup::at(&server.url(), "repeating").await;
        stage.all_calls().await;
        assert!(server.repeated() > 2, "{manner:?}");
        assert!(
            stage.heard.all().iter().any(|text| text.contains(&"*".repeat(KEY.len()))),
            "{manner:?}: it is redacted out"
        );
        stage.assert_without_key();
    }
}

#[tokio::test]
async fn what_goes_wrong_with_a_connection_does_not_name_the_key() {
    let mock = organization().start().unwrap();
    let (url, id) = (mock.url(), mock.organization().id.clone());
    drop(mock);
    let mut stage = Setup::at(&url, &id).await;
    stage.all_calls().await;
    assert!(
        stage.heard.all().iter().any(|text| text.contains("Connection(")),
        "{:?}",
        stage.heard.all()
    );
    stage.assert_without_key();
}
