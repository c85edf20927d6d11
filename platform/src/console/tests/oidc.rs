//! Entering by OpenID Connect, at an issuer of the test that signs its own tokens.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::console::oidc::{BACK, BEGIN, Options};

const PUBLIC: &str = "https://smp.acme.test";
const CLIENT: &str = "smp";
const SECRET: &str = "a secret of this client";

/// How a token is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twist {
    None,
    Issuer,
    Audience,
    MoreAudiences,
    Nonce,
    Expired,
    Key,
    Unsigned,
    Shared,
    Missing,
}

/// The issuer: on loopback, until it is dropped.
struct Issuer {
    url: String,
    state: Arc<Mutex<Issued>>,
    serving: tokio::task::JoinHandle<()>,
}

struct Issued {
    url: String,
    key: EcdsaKeyPair,
    /// The name of that key.
    id: &'static str,
    other: EcdsaKeyPair,
    /// How often its keys were asked for.
    asked: usize,
    /// By code, the nonce and the challenge.
    codes: HashMap<String, (String, String)>,
    groups: Value,
    twist: Twist,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn pair() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let bytes = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, bytes.as_ref(), &random).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Issued {
    fn token(&self, nonce: &str) -> String {
        let twist = self.twist;
        let at = crate::clock::now() / 1_000;
        let audience = match twist {
            Twist::Audience => json!("another"),
            Twist::MoreAudiences => json!([CLIENT, "another"]),
            _ => json!(CLIENT),
        };
        let claims = json!({
            "iss": if twist == Twist::Issuer { "https://evil.test" } else { &self.url },
            "aud": audience,
            "sub": "ann",
            "nonce": if twist == Twist::Nonce { "another" } else { nonce },
            "iat": at - 600,
            "exp": if twist == Twist::Expired { at - 300 } else { at + 300 },
            "groups": self.groups,
        });
        let algorithm = match twist {
            Twist::Unsigned => "none",
            Twist::Shared => "HS256",
            _ => "ES256",
        };
        let text =
            format!("{}.{}", part(&json!({"alg": algorithm, "kid": self.id})), part(&claims));
        let signature = match twist {
            Twist::Unsigned => Vec::new(),
            Twist::Shared => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            _ => {
                let key = if twist == Twist::Key { &self.other } else { &self.key };
                key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
            }
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

type Shared = State<Arc<Mutex<Issued>>>;

async fn about(State(issued): Shared) -> axum::Json<Value> {
    let url = issued.lock().unwrap().url.clone();
    axum::Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn keys(State(issued): Shared) -> axum::Json<Value> {
    let mut issued = issued.lock().unwrap();
    issued.asked += 1;
    let point = issued.key.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
                     "kid": issued.id, "x": x, "y": y});
    axum::Json(json!({"keys": [key]}))
}

async fn token(State(issued): Shared, headers: HeaderMap, form: String) -> Response<Body> {
    let form: HashMap<String, String> =
        url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let mut issued = issued.lock().unwrap();
    let refused = |error: &str| {
        let body = json!({"error": error}).to_string();
        let answer = Response::builder().status(400).header("content-type", "application/json");
        answer.body(Body::from(body)).unwrap()
    };
    let secret = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
    if headers.get("authorization").and_then(|it| it.to_str().ok()) != Some(&basic) {
        return refused("invalid_client");
    }
    let Some((nonce, challenge)) = issued.codes.remove(&form["code"]) else {
        return refused("invalid_grant");
    };
    let own = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if own != challenge || form["redirect_uri"] != format!("{PUBLIC}{BACK}") {
        return refused("invalid_grant");
    }
    let mut body = json!({"access_token": "a", "token_type": "Bearer", "expires_in": 300});
    if issued.twist != Twist::Missing {
        body["id_token"] = issued.token(&nonce).into();
    }
    let answer = Response::builder().header("content-type", "application/json");
    answer.body(Body::from(body.to_string())).unwrap()
}

impl Issuer {
    async fn begin() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Issued {
            url: url.clone(),
            key: pair(),
            id: "k",
            other: pair(),
            asked: 0,
            codes: HashMap::new(),
            groups: json!(["staff", "viewer:acme"]),
            twist: Twist::None,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(about))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, serving }
    }

    /// What a person does at the issuer: a code for the visit of this address.
    fn code(&self, entrance: &Url) -> String {
        let asked: HashMap<String, String> = entrance.query_pairs().into_owned().collect();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", &format!("{PUBLIC}{BACK}")),
            ("code_challenge_method", "S256"),
            ("scope", "openid groups"),
        ] {
            assert_eq!(asked.get(name).map(String::as_str), Some(value), "{entrance}");
        }
        let mut issued = self.state.lock().unwrap();
        let code = format!("code{}", issued.codes.len());
        let visit = (asked["nonce"].clone(), asked["code_challenge"].clone());
        issued.codes.insert(code.clone(), visit);
        code
    }

    fn options(&self) -> Options {
        Options {
            issuer: self.url.clone(),
            client: CLIENT.into(),
            secret: Some(zeroize::Zeroizing::new(SECRET.into())),
            claim: "groups".into(),
            scopes: vec!["groups".into()],
        }
    }
}

/// A console behind an issuer, and a visit that has begun.
struct Visit {
    cookie: String,
    entrance: Url,
    state: String,
}

async fn begun(site: &Site) -> Visit {
    let request = Request::get(BEGIN).header("host", "smp.acme.test");
    let request = request.header("sec-fetch-site", "same-origin");
    let got = site.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(got.status, StatusCode::SEE_OTHER, "{}", got.text);
    let entrance = Url::parse(got.headers["location"].to_str().unwrap()).unwrap();
    let state = entrance.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let cookie = got.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    Visit { cookie, entrance, state }
}

/// Comes back as a browser does: from another site.
async fn back(site: &Site, cookie: &str, query: &str) -> Got {
    let request = Request::get(format!("{BACK}?{query}")).header("host", "smp.acme.test");
    let request = request.header("cookie", cookie).header("sec-fetch-site", "cross-site");
    let request = request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    site.ask(request.body(Body::empty()).unwrap()).await
}

/// The cookie of the session that an answer begins.
fn session(got: &Got) -> Option<String> {
    let set = got.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
    let own = set.filter_map(|set| set.split(';').next());
    own.filter(|set| set.starts_with("smp-console=")).map(ToOwned::to_owned).next()
}

async fn entered(issuer: &Issuer, site: &Site) -> Got {
    let visit = begun(site).await;
    let code = issuer.code(&visit.entrance);
    back(site, &visit.cookie, &format!("code={code}&state={}", visit.state)).await
}

#[tokio::test]
async fn a_person_enters_as_the_claim_says_and_sees_that_tenant_alone() {
    let issuer = Issuer::begin().await;
    let site = site_of(Some(PUBLIC), Some(issuer.options())).await;
    let own = site.connected("acme", "Own", "ready").await;
    site.connected("other", "Other", "ready").await;
    let request = Request::get("/console").header("host", "smp.acme.test");
    let door = site.ask(request.body(Body::empty()).unwrap()).await;
    assert!(door.text.contains("href=\"/console/oidc\""), "{}", door.text);
    let got = entered(&issuer, &site).await;
    assert_eq!(got.status, StatusCode::OK, "a redirect would lose the cookie: {}", got.text);
    assert_guarded(&got);
    let cookie = session(&got).unwrap();
    let cleared = got.headers.get_all("set-cookie").iter();
    assert!(
        cleared
            .map(|set| set.to_str().unwrap())
            .any(|set| { set.starts_with("smp-console-oidc=;") && set.contains("Max-Age=0") })
    );
    let page = async |path: &str| {
        let request = Request::get(site.to(path)).header("host", "smp.acme.test");
        site.ask(request.header("cookie", &cookie).body(Body::empty()).unwrap()).await
    };
    let overview = page("/connections").await;
    assert!(overview.text.contains("Own") && !overview.text.contains("Other"), "{}", overview.text);
    assert!(overview.text.contains("read only"));
    assert_eq!(page(&format!("/c/{own}")).await.status, StatusCode::OK);
    assert_eq!(page("/connect").await.status, StatusCode::FORBIDDEN, "a viewer");
}

#[tokio::test]
async fn a_token_that_is_not_for_this_visit_is_refused() {
    let issuer = Issuer::begin().await;
    let site = site_of(Some(PUBLIC), Some(issuer.options())).await;
    for twist in [
        Twist::Issuer,
        Twist::Audience,
        Twist::MoreAudiences,
        Twist::Nonce,
        Twist::Expired,
        Twist::Key,
        Twist::Unsigned,
        Twist::Shared,
        Twist::Missing,
    ] {
        issuer.state.lock().unwrap().twist = twist;
        let got = entered(&issuer, &site).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{twist:?}: {}", got.text);
        assert_eq!(session(&got), None, "{twist:?}");
        assert!(!got.text.contains(SECRET) && !got.text.contains("evil.test"), "{twist:?}");
        assert_guarded(&got);
    }
    issuer.state.lock().unwrap().twist = Twist::None;
    assert!(session(&entered(&issuer, &site).await).is_some());
}

#[tokio::test]
async fn a_visit_is_of_the_browser_that_began_it_and_its_code_works_once() {
    let issuer = Issuer::begin().await;
    let site = site_of(Some(PUBLIC), Some(issuer.options())).await;
    let (own, other) = (begun(&site).await, begun(&site).await);
    let code = issuer.code(&own.entrance);
    let query = format!("code={code}&state={}", own.state);
    for (cookie, query) in [
        ("", query.as_str()),
        ("smp-console-oidc=AAAA", &query),
        // Somebody else's visit, whose link was slipped to this browser.
        (other.cookie.as_str(), &query),
        (&own.cookie, &format!("code={code}")),
        (&own.cookie, &format!("code={code}&state={}", other.state)),
        (&own.cookie, &format!("state={}", own.state)),
        (
            &own.cookie,
            &format!("state={}&error=access_denied&error_description=%3Cb%3Eno", own.state),
        ),
    ] {
        let got = back(&site, cookie, query).await;
        assert_eq!((got.status, session(&got)), (StatusCode::FORBIDDEN, None), "{query}");
        assert!(!got.text.contains("<b>no"), "{}", got.text);
    }
    assert!(session(&back(&site, &own.cookie, &query).await).is_some());
    let again = back(&site, &own.cookie, &query).await;
    assert_eq!((again.status, session(&again)), (StatusCode::FORBIDDEN, None), "used up");
    // A code that another visit began is of no use without that visit's verifier.
    let code = issuer.code(&other.entrance);
    let third = begun(&site).await;
    let got = back(&site, &third.cookie, &format!("code={code}&state={}", third.state)).await;
    assert_eq!((got.status, session(&got)), (StatusCode::FORBIDDEN, None), "PKCE");
}

#[tokio::test]
async fn who_has_no_role_here_is_told_and_stays_outside() {
    let issuer = Issuer::begin().await;
    let site = site_of(Some(PUBLIC), Some(issuer.options())).await;
    for (groups, words) in [
        (json!(["staff"]), "gives no role here"),
        (json!(null), "gives no role here"),
        (json!(["viewer:acme", "admin:other"]), "more than one tenant"),
    ] {
        issuer.state.lock().unwrap().groups = groups.clone();
        let got = entered(&issuer, &site).await;
        assert_eq!((got.status, session(&got)), (StatusCode::FORBIDDEN, None), "{groups}");
        assert!(got.text.contains(words), "{groups}: {}", got.text);
    }
}

#[tokio::test]
async fn it_is_off_unless_an_issuer_is_named_and_says_when_the_issuer_is_away() {
    let site = site().await;
    assert_eq!(site.get(BEGIN, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get(BACK, &[]).await.status, StatusCode::NOT_FOUND);
    assert!(!site.get("/console", &[]).await.text.contains(BEGIN));
    let issuer = Issuer::begin().await;
    let options = issuer.options();
    drop(issuer);
    tokio::task::yield_now().await;
    let site = site_of(Some(PUBLIC), Some(options)).await;
    let request = Request::get(BEGIN).header("host", "smp.acme.test");
    let got = site.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{}", got.text);
    assert!(got.text.contains("token of the API"), "{}", got.text);
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_asked_for_and_not_without_end() {
    let issuer = Issuer::begin().await;
    let site = site_of(Some(PUBLIC), Some(issuer.options())).await;
    let renewed = |id: &'static str| {
        let mut issued = issuer.state.lock().unwrap();
        (issued.key, issued.id) = (pair(), id);
    };
    let asked = || issuer.state.lock().unwrap().asked;
    assert!(session(&entered(&issuer, &site).await).is_some());
    assert!(session(&entered(&issuer, &site).await).is_some());
    assert_eq!(asked(), 1, "keys are kept");
    renewed("k2");
    // It was asked a moment ago: tokens that name unknown keys make no one ask without end.
    let got = entered(&issuer, &site).await;
    assert_eq!((got.status, session(&got), asked()), (StatusCode::FORBIDDEN, None, 1));
    site.console.oidc.as_ref().unwrap().age(31_000).await;
    assert!(session(&entered(&issuer, &site).await).is_some());
    assert_eq!(asked(), 2);
    // And after an hour in any case: a key that the issuer took back is not trusted for longer.
    renewed("k2");
    site.console.oidc.as_ref().unwrap().age(crate::clock::HOUR + 1).await;
    assert!(session(&entered(&issuer, &site).await).is_some());
    assert_eq!(asked(), 3);
}
