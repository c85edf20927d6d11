//! Tests of the console: the router alone, on a store, without a network and without a connector.

mod doors;
mod oidc;
mod pages;
mod places;

use std::sync::OnceLock;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use smp_host::component::compile::Compiler;
use sqlx::query;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

use super::*;
use crate::catalog::Catalog;
use crate::connections::Connections;
use crate::keys::{Keys, Source};
use crate::metrics::Metrics;
use crate::runs::scheduler::Wake;
use crate::runs::table;
use crate::store::connections as stored;
use crate::store::{Place, Store};

const HOST: &str = "127.0.0.1:7777";

struct Site {
    console: Console,
    router: Router,
    store: Store,
    _folder: TempDir,
    _running: watch::Sender<bool>,
}

/// The page with all that a test looks at.
struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Metrics::install().unwrap()).clone()
}

async fn site_at(public: Option<&str>) -> Site {
    site_of(public, None).await
}

async fn site_of(public: Option<&str>, oidc: Option<crate::console::oidc::Options>) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let store = Store::open(&place).await.unwrap();
    let keys = Keys::open(&Source::File(folder.path().join("key")), &store).await.unwrap();
    let compiler = Compiler::Apart { program: "/nowhere".into(), arguments: Vec::new() };
    let catalog = Catalog::new(store.clone(), compiler, None, None).unwrap();
    let connections = Connections::new(store.clone(), keys, catalog, Vec::new()).unwrap();
    let public = public.map(|url| Url::parse(url).unwrap());
    let hosts = Hosts::of(HOST.parse().unwrap(), public.as_ref());
    let (running, shutdown) = watch::channel(false);
    let api = Api::new(connections, Wake::default(), metrics(), hosts.clone(), shutdown);
    let console = Console::new(api, hosts, public.as_ref(), oidc).unwrap();
    Site { router: console.clone().router(), console, store, _folder: folder, _running: running }
}

async fn site() -> Site {
    site_at(None).await
}

impl Site {
    async fn ask(&self, request: Request<Body>) -> Got {
        let answer: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Got { status: parts.status, headers: parts.headers, text }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        let mut request = Request::get(path).header("host", HOST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form, as a page of the console does.
    async fn post(&self, path: &str, cookie: &str, form: &str) -> Got {
        let request = Request::post(path).header("host", HOST).header("cookie", cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// The address of a page.
    fn to(&self, path: &str) -> String {
        format!("{}{path}", self.console.guard.prefix)
    }

    /// The cookie of a new session of this holder.
    fn cookie(&self, holder: Holder) -> String {
        let set = self.console.guard.enter(holder);
        set.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    fn operator(&self) -> String {
        self.cookie(Holder { id: OPERATOR.into(), role: Role::Admin, tenant: None })
    }

    fn home(&self) -> String {
        format!("{}/connections", self.console.guard.prefix)
    }

    /// A connection as it lies in the store after a failed run.
    async fn connected(&self, tenant: &str, name: &str, state: &str) -> String {
        let connection = Connection {
            id: tokens::new_id("c"),
            tenant: tenant.into(),
            connector: "atlassian-cloud".into(),
            digest: "sha256:0".into(),
            upgrade: (state == "attention").then(|| {
                r#"{"version":"<i>9.0.0","error":{"detail":"<i>the region is missing","hint":"Choose a <i>region."}}"#.into()
            }),
            name: name.into(),
            settings: [("organization-id".to_owned(), "<b>org</b>".to_owned())].into(),
            account: format!("{tenant} {name}"),
            account_name: "Account".into(),
            upstream: None,
            grants: Vec::new(),
            every_hours: 24,
            paused: false,
            state: state.into(),
            failure: (state == "attention").then(|| {
                r#"{"code":"credentials","message":"<script>alert(1)</script>","hint":"Make a new \u202ekey.","remedy":{"kind":"new-key","setting":null}}"#.into()
            }),
            failures: 0,
            credential_expires: None,
            secret_version: 1,
            next_due: None,
            runs: 0,
            complete: 0,
            created: 0,
        };
        let mut writing = self.store.write().await.unwrap();
        stored::tenant(&mut writing, tenant).await.unwrap();
        stored::insert(&mut writing, &connection).await.unwrap();
        writing.commit().await.unwrap();
        connection.id
    }

    /// A whole run of a connection that found these members: id, record.
    async fn found(&self, connection: &str, seq: i64, members: &[(&str, &str)]) -> String {
        let mut writing = self.store.write().await.unwrap();
        let run = table::ask(&mut writing, connection, seq, true).await.unwrap();
        for (id, record) in members {
            let sql = "INSERT INTO members (connection, id, since, until, present, what, at, \
                       first_seen, hash, core, record, sort, search, uses) VALUES \
                       ($1, $2, $3, $4, 1, 'appeared', 0, 0, $5, $5, $6, $2, $2, '')";
            let row = query(sql).bind(connection.to_owned()).bind((*id).to_owned()).bind(seq);
            let row = row.bind(i64::MAX).bind(vec![0_u8]).bind((*record).to_owned());
            row.execute(&mut *writing).await.unwrap();
        }
        let sql = "UPDATE runs SET state = 'complete', ended = started WHERE id = $1";
        query(sql).bind(run.clone()).execute(&mut *writing).await.unwrap();
        let sql = "UPDATE connections SET complete = $2 WHERE id = $1";
        let row = query(sql).bind(connection.to_owned()).bind(seq);
        row.execute(&mut *writing).await.unwrap();
        writing.commit().await.unwrap();
        run
    }
}

fn assert_guarded(got: &Got) {
    for (name, part) in [
        ("content-security-policy", "require-trusted-types-for 'script'; trusted-types console"),
        ("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'"),
        ("content-security-policy", "frame-ancestors 'none'; base-uri 'none'"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        let value = got.headers.get(name).unwrap_or_else(|| panic!("no {name}: {}", got.text));
        assert!(value.to_str().unwrap().contains(part), "{name}: {value:?}");
    }
    assert!(!got.headers.keys().any(|name| name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn neither_the_path_nor_another_cookie_opens_a_page() {
    let site = site().await;
    let operator = site.operator();
    for cookie in ["", "smp-console=", "smp-console=AAAA", "other=1"] {
        let got = site.get(&site.home(), &[("cookie", cookie)]).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{cookie}");
        assert!(got.text.contains("Enter the console"), "it says what to do");
        assert_guarded(&got);
    }
    let both = format!("other=1; {operator}");
    assert_eq!(site.get(&site.home(), &[("cookie", &both)]).await.status, StatusCode::OK);
    let outside = site.get("/0123456789abcdef/connections", &[("cookie", &operator)]).await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_name_of_the_host_is_refused_with_the_one_to_use() {
    let site = site().await;
    let cookie = site.operator();
    for (host, status) in [
        (HOST, StatusCode::OK),
        ("localhost:7777", StatusCode::OK),
        ("evil.test:7777", StatusCode::FORBIDDEN),
        ("127.0.0.1", StatusCode::FORBIDDEN),
        ("127.0.0.1:7778", StatusCode::FORBIDDEN),
        ("127.0.0.1:7777.evil.test", StatusCode::FORBIDDEN),
    ] {
        let request = Request::get(site.home()).header("host", host).header("cookie", &cookie);
        let got = site.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.status, status, "{host}");
        assert_guarded(&got);
        if status == StatusCode::FORBIDDEN {
            assert!(got.text.contains("http://127.0.0.1:7777/console"), "{}", got.text);
        }
    }
    let public = site_at(Some("https://smp.acme.test")).await;
    for (host, status) in [("smp.acme.test", StatusCode::OK), (HOST, StatusCode::FORBIDDEN)] {
        let request = Request::get("/console").header("host", host);
        let got = public.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.status, status, "{host}");
    }
    let set =
        public.console.guard.enter(Holder { id: OPERATOR.into(), role: Role::Admin, tenant: None });
    assert!(set.to_str().unwrap().ends_with("; Secure"), "{set:?}");
}

#[tokio::test]
async fn requests_of_other_pages_are_refused() {
    let site = site().await;
    let (cookie, home) = (site.operator(), site.home());
    let leave = format!("{}/leave", site.console.guard.prefix);
    let navigates = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    for (method, path, headers, passes) in [
        ("GET", home.as_str(), vec![("sec-fetch-site", "same-origin")], true),
        ("GET", &home, vec![("sec-fetch-site", "none")], true),
        ("GET", &home, vec![("sec-fetch-site", "same-site")], false),
        ("GET", &home, vec![("sec-fetch-site", "cross-site")], false),
        (
            "GET",
            &home,
            [vec![("sec-fetch-site", "cross-site")], navigates.to_vec()].concat(),
            false,
        ),
        (
            "GET",
            "/console",
            [vec![("sec-fetch-site", "cross-site")], navigates.to_vec()].concat(),
            true,
        ),
        (
            "GET",
            "/console",
            vec![
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ],
            false,
        ),
        (
            "GET",
            "/console",
            vec![
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "iframe"),
            ],
            false,
        ),
        ("GET", "/console/script.js", vec![("sec-fetch-site", "same-site")], false),
        ("GET", &home, vec![("origin", "http://evil.test")], false),
        ("GET", &home, vec![], true),
        ("POST", &leave, vec![("sec-fetch-site", "none")], false),
        (
            "POST",
            &leave,
            vec![("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8080")],
            false,
        ),
        ("POST", &leave, vec![("origin", "http://127.0.0.1:8080")], false),
        ("POST", &leave, vec![("origin", "null")], false),
        ("POST", &leave, vec![], false),
        (
            "POST",
            "/console",
            vec![
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            false,
        ),
        // The last: it ends the session.
        ("POST", &leave, vec![("origin", "http://127.0.0.1:7777")], true),
    ] {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST)
            .header("cookie", &cookie);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let got = site.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.status == StatusCode::OK, passes, "{method} {path} {headers:?}");
        assert_eq!(got.status == StatusCode::FORBIDDEN, !passes, "{method} {path} {headers:?}");
        assert_guarded(&got);
    }
    assert_eq!(site.get(&home, &[("cookie", &cookie)]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_others_say_is_text() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme\"><i>", "<img src=x onerror=alert(1)>", "attention").await;
    for path in [site.home(), format!("{}/c/{id}", site.console.guard.prefix)] {
        let got = site.get(&path, &[("cookie", &cookie)]).await;
        assert_eq!(got.status, StatusCode::OK);
        for active in ["<script>alert", "<img", "<i>", "<b>org", "\u{202e}"] {
            assert!(!got.text.contains(active), "{active} on {path}: {}", got.text);
        }
        assert!(got.text.contains("&lt;img src=x onerror=alert(1)&gt;"), "{}", got.text);
    }
    let shown =
        site.get(&format!("{}/c/{id}", site.console.guard.prefix), &[("cookie", &cookie)]).await;
    for told in [
        "\\u{202e}",
        "Enter a new key",
        "&lt;i&gt;9.0.0",
        "is not used here yet",
        "the region is missing",
        "Choose a &lt;i&gt;region.",
    ] {
        assert!(shown.text.contains(told), "{told}: {}", shown.text);
    }
}

#[test]
fn only_one_file_makes_markup_of_a_string() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > 20, "{}", files.len());
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let makes = text.contains(concat!("Pre", "Escaped"));
        assert_eq!(makes, name == "page.rs", "{name}");
        assert!(!name.ends_with(".rs") || !text.contains(concat!("style", "=(")), "{name}");
    }
}

#[test]
fn the_script_stays_small() {
    assert!(SCRIPT.lines().count() <= 150, "past that, a library is better");
    for word in ["innerHTML", "eval(", "localStorage", "sessionStorage", "document.cookie", "http:"]
    {
        assert!(!SCRIPT.contains(word), "{word}");
    }
}
