//! Tests of events, contexts and spans as an embedder sees them.

use std::fs;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use smp_host::collect::in_memory::InMemory;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::live::{LiveClient, LiveOptions};
use smp_host::observer::{Context, Event, Observer};
use smp_host::settings::{SecretText, Settings};
use smp_tests::harness::component;
use smp_tests::mock::Mock;

use crate::subscriber::{Entry, Told};

const USERS: &str = "GET /admin/v1/orgs/{organization-id}/users";
const DOMAINS: &str = "GET /admin/v1/orgs/{organization-id}/domains";

static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| {
    let engine = Engine::new(&EngineOptions::new(Compiler::Inside)).unwrap();
    let bytes = fs::read(component()).unwrap();
    // A runtime may already be running on this thread.
    let load = || now(Plugin::load(&engine, &bytes)).unwrap();
    std::thread::scope(|scope| scope.spawn(load).join().unwrap())
});

fn now<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Keeps all events with their contexts.
#[derive(Default)]
struct Heard(Mutex<Vec<(Context, String)>>);

impl Observer for Heard {
    fn event(&self, context: &Context, event: &Event<'_>) {
        self.0.lock().unwrap().push((context.clone(), format!("{event:?}")));
    }
}

impl Heard {
    fn all(&self) -> Vec<(Context, String)> {
        self.0.lock().unwrap().clone()
    }

    fn contexts(&self) -> Vec<Context> {
        let mut contexts: Vec<_> = self.all().into_iter().map(|(context, _)| context).collect();
        contexts.dedup();
        contexts
    }
}

fn session(mock: &Mock, run: Option<&str>, heard: &Arc<Heard>, granted: bool) -> Session {
    let descriptor = PLUGIN.descriptor();
    let settings = Settings {
        values: [("organization-id".to_owned(), mock.organization().id.clone())].into(),
        secrets: [("api-key".to_owned(), SecretText::new(mock.key().to_owned()))].into(),
    };
    let checked = settings.check(descriptor, true).unwrap();
    let client = LiveClient::new(&LiveOptions {
        timeout: Duration::from_secs(60),
        largest_body: 1 << 20,
        extra_roots: None,
        system_proxy: false,
        private_network: true,
        ranges: Vec::new(),
        user_agent: String::new(),
    });
    let origin = Origin::parse(&mock.url()).unwrap();
    let transport = client.unwrap().transport(origin.clone(), checked.credential.clone());
    let reading = Grants::reading(origin.clone(), descriptor);
    let grants = if granted { reading } else { Grants::none(origin) };
    let options = RunOptions {
        pace: Pace::Off,
        observer: Arc::clone(heard) as _,
        run: run.map(str::to_owned),
        ..RunOptions::new(Arc::new(transport))
    };
    Host::default().session(&PLUGIN, &checked, &grants, options)
}

/// Makes every call of the connector, on 25 members, with one request that is tried twice.
fn all_calls(mock: &Mock, heard: &Arc<Heard>) {
    now(async {
        let mut session = session(mock, Some("run-7"), heard, true);
        session.validate().await.unwrap();
        session.connect().await.unwrap();
        let mut members = InMemory::default();
        let report = session.collect_members(&mut members, std::future::pending()).await;
        assert_eq!((report.counts.members, report.error), (25, None));
    });
}

fn mock() -> Mock {
    let mock = Mock::builder().members(25).page_size(10);
    // The second page; validate has requested the first one.
    mock.rule("users:3:status-429;retry-after=0".parse().unwrap()).start().unwrap()
}

fn spans<'e>(entries: &'e [Entry], name: &str) -> Vec<&'e Entry> {
    entries.iter().filter(|entry| entry.span == Some(name)).collect()
}

#[test]
fn each_event_says_which_run_and_account_it_is_of() {
    let (mock, heard) = (mock(), Arc::<Heard>::default());
    all_calls(&mock, &heard);
    let [context] = &heard.contexts()[..] else { panic!("{:?}", heard.contexts()) };
    assert_eq!((context.run.as_str(), context.connector.as_str()), ("run-7", "atlassian-cloud"));
    for kind in ["Request", "Waiting", "Page"] {
        assert!(heard.all().iter().any(|(_, event)| event.starts_with(kind)), "no {kind}");
    }
    // Another run of the account, without a given name.
    let another = Arc::<Heard>::default();
    now(async { session(&mock, None, &another, true).connect().await.unwrap() });
    let [other] = &another.contexts()[..] else { panic!("{:?}", another.contexts()) };
    assert_eq!(other.account, context.account);
    assert!(other.run.len() == 32 && other.run != context.run);
}

#[test]
fn each_request_is_told_as_often_as_it_was_sent() {
    let (mock, heard) = (mock(), Arc::<Heard>::default());
    all_calls(&mock, &heard);
    let events = heard.all();
    let sent: Vec<&String> = events
        .iter()
        .map(|(_, event)| event)
        .filter(|event| event.starts_with("Request"))
        .collect();
    assert_eq!(u64::try_from(sent.len()).unwrap(), mock.requests());
    let pages: Vec<_> = sent.iter().filter(|event| event.contains("Collect")).collect();
    let [first, noted, refused, again, last] = &pages[..] else { panic!("{pages:?}") };
    for (event, endpoint, page, number, status) in [
        (first, USERS, 1, 1, 200),
        (noted, DOMAINS, 1, 1, 200),
        (refused, USERS, 2, 1, 429),
        (again, USERS, 2, 2, 200),
        (last, USERS, 3, 1, 200),
    ] {
        for part in [
            format!("endpoint: \"{endpoint}\""),
            format!("Collect {{ page: {page} }}, number: {number}, "),
            format!("Answered {{ status: {status}, bytes: "),
        ] {
            assert!(event.contains(&part), "{part} is missing in {event}");
        }
        assert_eq!(event.contains("next: Some"), status == 429, "{event}");
    }
}

#[test]
fn a_run_its_calls_and_their_requests_are_spans() {
    let (mock, heard) = (mock(), Arc::<Heard>::default());
    let ((), told) = Told::by(|| all_calls(&mock, &heard));
    let [run] = spans(&told, "run")[..] else { panic!("{told:?}") };
    let context = &heard.contexts()[0];
    assert_eq!((run.field("run"), run.field("account")), ("run-7", context.account.as_str()));
    assert_eq!((run.field("connector"), run.level.as_str()), ("atlassian-cloud", "INFO"));
    let calls: Vec<_> = spans(&told, "call")
        .iter()
        .map(|call| {
            assert_eq!((call.within, call.level.as_str()), (Some("run"), "INFO"));
            format!("{} {}", call.field("name"), call.field("page")).trim().to_owned()
        })
        .collect();
    assert_eq!(calls, ["validate", "connect", "collect 1", "collect 2", "collect 3"]);
    let requests = spans(&told, "request");
    assert_eq!(u64::try_from(requests.len()).unwrap(), mock.requests());
    let pages: Vec<_> = requests.iter().filter(|sent| sent.field("call") == "collect").collect();
    let tried: Vec<_> = pages
        .iter()
        .map(|sent| {
            assert_eq!((sent.within, sent.level.as_str()), (Some("call"), "DEBUG"));
            assert_eq!(sent.field("fault"), "");
            assert!(sent.field("bytes").parse::<u64>().unwrap() > 0);
            assert!(sent.field("elapsed_ms").parse::<u64>().is_ok());
            // A hint of zero is no hint: the wait is the host's own.
            let waits = sent.field("wait_ms").parse::<u64>().is_ok_and(|wait| wait > 0);
            assert_eq!(waits, sent.field("status") == "429");
            let fields = ["page", "number", "status"].map(|name| sent.field(name));
            (sent.field("endpoint"), fields.join(" "))
        })
        .collect();
    let expected = [
        (USERS, "1 1 200"),
        (DOMAINS, "1 1 200"),
        (USERS, "2 1 429"),
        (USERS, "2 2 200"),
        (USERS, "3 1 200"),
    ];
    assert_eq!(tried, expected.map(|(endpoint, fields)| (endpoint, fields.to_owned())));
}

#[test]
fn what_is_given_up_or_refused_is_an_event() {
    let refusing = Mock::builder().members(25).page_size(10);
    let refusing = refusing.rule("users:1-:status-429;retry-after=3600".parse().unwrap());
    let (mock, heard) = (refusing.start().unwrap(), Arc::<Heard>::default());
    let collect = |granted| {
        now(async { session(&mock, None, &heard, granted).collect(None).await.unwrap_err() })
    };
    let (failure, given_up) = Told::by(|| collect(true));
    let (denial, denied) = Told::by(|| collect(false));
    let events = |told: &[Entry]| -> Vec<String> {
        let events = told.iter().filter(|entry| entry.span.is_none());
        events
            .map(|event| format!("{} {:?} {:?}", event.level, event.within, event.fields))
            .collect()
    };
    let [sent, call] = &events(&given_up)[..] else { panic!("{given_up:?}") };
    assert!(sent.starts_with("INFO Some(\"call\")") && sent.contains("a request was given up"));
    assert!(sent.contains(USERS) && sent.contains("\"status\": \"429\""), "{sent}");
    assert!(call.contains("a call failed") && call.contains(failure.code.as_str()), "{call}");
    assert_eq!(spans(&given_up, "call")[0].field("code"), failure.code.as_str());
    let [sent, call] = &events(&denied)[..] else { panic!("{denied:?}") };
    assert!(sent.starts_with("WARN") && sent.contains("a request was refused"), "{sent}");
    assert!(sent.contains(USERS) && call.contains(denial.code.as_str()), "{sent} {call}");
}

#[test]
fn nothing_secret_or_personal_is_in_an_event_or_a_span() {
    let (mock, heard) = (mock(), Arc::<Heard>::default());
    let (refused, lost) = (Mock::builder().members(25).page_size(10), Arc::<Heard>::default());
    let refused = refused.rule("users:1-:status-503".parse().unwrap()).start().unwrap();
    let ((), told) = Told::by(|| {
        all_calls(&mock, &heard);
        now(async {
            let _denied = session(&mock, None, &heard, false).validate().await;
            let mut run = session(&refused, None, &lost, true);
            let _cancelled =
                tokio::time::timeout(Duration::from_millis(1), run.collect(None)).await;
        });
    });
    let organization = mock.organization();
    let mut personal =
        vec![mock.key().to_owned(), organization.id.clone(), organization.name.clone()];
    for member in mock.expected_members() {
        personal.extend([member.account_id.clone(), member.name.clone()]);
        personal.extend(member.email().map(str::to_owned));
    }
    personal.extend(["cursor=", "?", "@", "Bearer"].map(str::to_owned));
    personal.retain(|text| !text.is_empty());
    let events = [heard.all(), lost.all()].concat();
    let texts = told.iter().map(|entry| format!("{entry:?}"));
    let texts: Vec<_> = texts.chain(events.iter().map(|event| format!("{event:?}"))).collect();
    assert!(texts.len() > 30, "too little to search: {texts:?}");
    for text in texts {
        let found = personal.iter().find(|personal| text.contains(personal.as_str()));
        assert_eq!(found, None, "{text}");
    }
}
