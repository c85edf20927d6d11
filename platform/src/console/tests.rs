//! Tests of the guard and of pages without a run: the router alone, without a network.

use std::sync::OnceLock;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use smp_host::component::compile::Compiler;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

use super::*;
use crate::catalog::Catalog;
use crate::connections::Connections;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::runs::scheduler::Wake;
use crate::store::connections as stored;
use crate::store::{Place, Store};

const HOST: &str = "127.0.0.1:7777";

struct Site {
    console: Console,
    router: Router,
    store: Store,
    _folder: TempDir,
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
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let store = Store::open(&place).await.unwrap();
    let keys = Keys::open(&folder.path().join("key"), &store).await.unwrap();
    let compiler = Compiler::Apart { program: "/nowhere".into(), arguments: Vec::new() };
    let catalog = Catalog::new(store.clone(), compiler, None, None).unwrap();
    let connections = Connections::new(store.clone(), keys, catalog, Vec::new()).unwrap();
    let public = public.map(|url| Url::parse(url).unwrap());
    let hosts = Hosts::of(HOST.parse().unwrap(), public.as_ref());
    let shutdown = watch::channel(false).1;
    let api = Api::new(connections, Wake::default(), metrics(), hosts.clone(), shutdown);
    let console = Console::new(api, hosts, public.as_ref());
    Site { router: console.clone().router(), console, store, _folder: folder }
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
}

fn assert_guarded(got: &Got) {
    for (name, part) in [
        ("content-security-policy", "require-trusted-types-for 'script'; trusted-types console"),
        ("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'"),
        ("content-security-policy", "frame-ancestors 'none'; base-uri 'none'"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        let value = got.headers.get(name).unwrap_or_else(|| panic!("no {name}: {}", got.text));
        assert!(value.to_str().unwrap().contains(part), "{name}: {value:?}");
    }
    assert!(!got.headers.keys().any(|name| name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn a_link_opens_the_console_once_and_sets_a_cookie_for_its_path_alone() {
    let site = site().await;
    let link = site.console.link();
    let got = site.get(&link, &[("sec-fetch-site", "none")]).await;
    assert_eq!(got.status, StatusCode::OK, "a redirect would lose the cookie: {}", got.text);
    let home = site.home();
    assert!(got.text.contains(&format!("content=\"0; url={home}\"")), "{}", got.text);
    let set = got.headers["set-cookie"].to_str().unwrap();
    let path = format!("; Path={}/; ", site.console.guard.prefix);
    for part in [path.as_str(), "HttpOnly", "SameSite=Strict"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "plain http of this machine: {set}");
    assert_guarded(&got);
    let again = site.get(&link, &[("sec-fetch-site", "none")]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.text.contains("works once") && again.headers.get("set-cookie").is_none());
    let cookie = set.split(';').next().unwrap();
    assert_eq!(site.get(&home, &[("cookie", cookie)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn five_wrong_links_end_the_right_one() {
    let site = site().await;
    let right = site.console.link();
    for _ in 0..5 {
        let got = site.get("/console/enter/0123456789abcdef0123456789abcdef", &[]).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN);
        assert_guarded(&got);
    }
    assert_eq!(site.get(&right, &[]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn neither_the_path_nor_another_cookie_opens_a_page() {
    let site = site().await;
    let operator = site.operator();
    for cookie in ["", "smp-console=", "smp-console=AAAA", "other=1"] {
        let got = site.get(&site.home(), &[("cookie", cookie)]).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{cookie}");
        assert!(got.text.contains("Enter with a token"), "it says what to do");
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
async fn a_token_opens_the_console_until_it_is_revoked_and_for_its_tenant() {
    let site = site().await;
    let own = site.connected("acme", "Own", "ready").await;
    let other = site.connected("other", "Other", "ready").await;
    let (id, token) = tokens::make(&site.store, Role::Viewer, Some("acme"), None).await.unwrap();
    let form = |text: String| {
        let request = Request::post("/console").header("host", HOST);
        request.header("sec-fetch-site", "same-origin").body(Body::from(text)).unwrap()
    };
    let wrong = site.ask(form("token=smp_wrong".into())).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(!wrong.text.contains("smp_wrong"), "what was entered is not repeated");
    let got = site.ask(form(format!("token={token}"))).await;
    let cookie = got.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = |path: &str| format!("{}{path}", site.console.guard.prefix);
    let overview = site.get(&site.home(), &[("cookie", &cookie)]).await;
    assert!(overview.text.contains("Own") && !overview.text.contains("Other"), "{}", overview.text);
    for (path, status) in [
        (page(&format!("/c/{own}")), StatusCode::OK),
        (page(&format!("/c/{other}")), StatusCode::NOT_FOUND),
        (page("/connections?tenant=other"), StatusCode::OK),
        (page("/connect"), StatusCode::FORBIDDEN),
    ] {
        let got = site.get(&path, &[("cookie", &cookie)]).await;
        assert_eq!(got.status, status, "{path}");
        assert!(!got.text.contains("Other"), "{path}");
        assert_guarded(&got);
    }
    for path in [format!("/c/{own}/delete"), format!("/c/{own}/change"), format!("/c/{own}/key")] {
        let request = Request::post(page(&path)).header("host", HOST).header("cookie", &cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        let got = site.ask(request.body(Body::from("sure=yes&paused=yes")).unwrap()).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{path}");
    }
    tokens::revoke(&site.store, &id).await.unwrap();
    assert_eq!(site.get(&site.home(), &[("cookie", &cookie)]).await.status, StatusCode::FORBIDDEN);
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

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let site = site().await;
    let request =
        Request::post("/console").header("host", HOST).header("sec-fetch-site", "same-origin");
    let got = site.ask(request.body(Body::from(vec![b'a'; LARGEST_BODY + 1])).unwrap()).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn only_one_file_makes_markup_of_a_string() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
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
