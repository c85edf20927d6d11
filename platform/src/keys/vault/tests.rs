//! A Transit engine of the test: it wraps as Vault does, with versions, and says no as Vault does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};

use super::super::seal::Context;
use super::super::{Keys, Source};
use super::*;
use crate::store::{Place, Store, secrets};

const TOKEN: &str = "hvs.token-of-the-test";

struct Transit {
    /// The versions of its key, the oldest first.
    versions: Vec<Key>,
    /// The paths that were asked, in turn.
    asked: Vec<String>,
    is_sealed: bool,
}

type Shared = Arc<Mutex<Transit>>;

struct Server {
    transit: Shared,
    at: String,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Transit {
    fn wrap(&self, plain: &[u8]) -> String {
        let context = Context { tenant: "", connection: "", setting: "", version: 0 };
        let newest = self.versions.last().unwrap();
        let text = super::super::seal::encrypted(newest, &context, plain).unwrap();
        format!("vault:v{}:{}", self.versions.len(), STANDARD.encode(text))
    }

    fn unwrap(&self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let context = Context { tenant: "", connection: "", setting: "", version: 0 };
        let (version, text) = text.strip_prefix("vault:v")?.split_once(':')?;
        let key = self.versions.get(version.parse::<usize>().ok()? - 1)?;
        super::super::seal::decrypted(key, &context, &STANDARD.decode(text).ok()?)
    }
}

async fn answer(
    State(transit): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut transit = transit.lock().unwrap();
    transit.asked.push(path.clone());
    let no = |status: u16, text: &str| {
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        (status, Json(json!({"errors": [text]}))).into_response()
    };
    if transit.is_sealed {
        return no(503, "Vault is sealed");
    }
    if headers.get("x-vault-token").and_then(|it| it.to_str().ok()) != Some(TOKEN) {
        return no(403, "permission denied");
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let data = match path.as_str() {
        "datakey/plaintext/smp" => {
            let key = Key::random().unwrap();
            let (plaintext, ciphertext) = (STANDARD.encode(key.bytes()), transit.wrap(key.bytes()));
            json!({"plaintext": plaintext, "ciphertext": ciphertext})
        }
        "encrypt/smp" => {
            json!({"ciphertext": transit.wrap(&STANDARD.decode(text("plaintext")).unwrap())})
        }
        "decrypt/smp" => match transit.unwrap(&text("ciphertext")) {
            Some(plain) => json!({"plaintext": STANDARD.encode(&*plain)}),
            None => return no(400, "invalid ciphertext: cipher: message authentication failed"),
        },
        "rewrap/smp" => {
            let all = body["batch_input"].as_array().unwrap().iter().map(|one| {
                let plain = transit.unwrap(one["ciphertext"].as_str().unwrap()).unwrap();
                json!({"ciphertext": transit.wrap(&plain)})
            });
            json!({"batch_results": all.collect::<Vec<_>>()})
        }
        "keys/smp/rotate" => {
            transit.versions.push(Key::random().unwrap());
            json!({})
        }
        _ => return no(404, "no handler for route"),
    };
    Json(json!({"data": data, "lease_id": ""})).into_response()
}

impl Server {
    async fn begin() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let transit = Arc::new(Mutex::new(Transit {
            versions: vec![Key::random().unwrap()],
            asked: Vec::new(),
            is_sealed: false,
        }));
        let router = Router::new()
            .route("/v1/teams/transit/{*path}", post(answer))
            .with_state(Arc::clone(&transit));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { transit, at, serving }
    }

    fn options(&self, token: Token) -> Options {
        let key = Url::parse(&format!("{}/v1/teams/transit/keys/smp", self.at)).unwrap();
        Options { key, token }
    }

    fn source(&self) -> Source {
        Source::Vault(self.options(Token::Text(Zeroizing::new(TOKEN.into()))))
    }
}

fn context(connection: &str) -> Context<'_> {
    Context { tenant: "t", connection, setting: "api-key", version: 1 }
}

async fn sealed(keys: &Keys, store: &Store, from: usize, to: usize) {
    let mut made = keys.data_keys(to - from).await.unwrap();
    let mut writing = store.write().await.unwrap();
    for number in from..to {
        let connection = format!("c{number:03}");
        let secret = format!("key {number}");
        let sealed =
            keys.seal(&mut writing, &mut made, &context(&connection), &secret).await.unwrap();
        let stored = secrets::Stored { connection, setting: "api-key".into(), version: 1, sealed };
        secrets::put(&mut writing, &stored).await.unwrap();
    }
    writing.commit().await.unwrap();
}

async fn all_open(keys: &Keys, store: &Store, numbers: &[usize], version: &str) {
    for number in numbers {
        let connection = format!("c{number:03}");
        let stored = &secrets::of(store, &connection).await.unwrap()[0];
        assert!(stored.sealed.wrapped.starts_with(version.as_bytes()), "{number}");
        let opened = keys.unseal(&context(&connection), &stored.sealed).await.unwrap();
        assert_eq!(*opened, format!("key {number}"));
        let elsewhere = keys.unseal(&context("another"), &stored.sealed).await.unwrap_err();
        assert_eq!(elsewhere.code, "key-file", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_vault_wraps_and_rotates_and_another_process_follows() {
    let server = Server::begin().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
    let keys = Keys::open(&server.source(), &store).await.unwrap();
    let other = Keys::join(&server.source(), &store).await.unwrap();
    sealed(&keys, &store, 0, 150).await;
    all_open(&other, &store, &[0, 99, 149], "vault:v1:").await;
    assert_eq!(keys.rotate(&store).await.unwrap(), 150);
    all_open(&other, &store, &[0, 99, 100, 149], "vault:v2:").await;
    sealed(&other, &store, 150, 151).await;
    all_open(&keys, &store, &[150], "vault:v2:").await;
    assert!(!folder.path().join("key").exists(), "there is no key file");
    // Another key of the same name, as after a Vault was set up anew, is not this store's.
    server.transit.lock().unwrap().versions = vec![Key::random().unwrap(), Key::random().unwrap()];
    let wrong = Keys::open(&server.source(), &store).await.unwrap_err();
    assert!(wrong.detail.contains("is not the key of this store"), "{wrong}");
    assert!(wrong.hint.unwrap().contains("keys of 151 connections"));
    assert_eq!(Keys::begin_again(&server.source(), &store).await.unwrap(), 151);
    assert!(Keys::open(&server.source(), &store).await.is_ok());
}

#[tokio::test]
async fn a_vault_takes_over_from_a_key_file() {
    let server = Server::begin().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
    let path = folder.path().join("key");
    let file = Keys::open(&Source::File(path.clone()), &store).await.unwrap();
    sealed(&file, &store, 0, 120).await;
    let refused = Keys::open(&server.source(), &store).await.unwrap_err();
    assert!(refused.detail.contains("is not the key of this store"), "{refused}");
    let token = Token::Text(Zeroizing::new(TOKEN.into()));
    for wrapped in [120, 120] {
        // Again: what is done already is done again, and harms nothing.
        let options = server.options(token.clone());
        assert_eq!(Keys::take_over(&path, options, &store).await.unwrap(), wrapped);
    }
    let keys = Keys::open(&server.source(), &store).await.unwrap();
    all_open(&keys, &store, &[0, 50, 119], "vault:v1:").await;
    let mut writing = store.write().await.unwrap();
    let (mut data_keys, of) = (super::super::DataKeys::default(), context("c"));
    let late = file.seal(&mut writing, &mut data_keys, &of, "x").await;
    assert_eq!(late.unwrap_err().code, "key-file", "a process with the key file stops");
}

#[tokio::test]
async fn what_is_wrong_with_a_vault_is_said_and_is_no_loss() {
    let server = Server::begin().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let source = Source::Vault(server.options(Token::File(file.clone())));
    let keys = Keys::open(&source, &store).await.unwrap();
    sealed(&keys, &store, 0, 1).await;
    let stored = secrets::of(&store, "c000").await.unwrap().remove(0).sealed;
    let opened = async || keys.unseal(&context("c000"), &stored).await;
    // The agent renews the token while the program runs.
    for (token, words) in
        [("hvs.another", "does not permit it"), ("", "is empty"), ("two\nlines", "it is no token")]
    {
        std::fs::write(&file, token).unwrap();
        let problem = opened().await.unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (503, CODE), "{problem}");
        assert!(problem.detail.contains(words), "{problem}");
        assert!(token.is_empty() || !format!("{problem:?}").contains(token), "{problem:?}");
    }
    std::fs::write(&file, TOKEN).unwrap();
    assert_eq!(*opened().await.unwrap(), "key 0");
    server.transit.lock().unwrap().is_sealed = true;
    let problem = opened().await.unwrap_err();
    assert!(problem.code == CODE && problem.detail.contains("answers 503"), "{problem}");
    let away = Keys::begin_again(&source, &store).await.unwrap_err();
    assert_eq!(away.code, CODE, "a sealed Vault is not lost");
    server.transit.lock().unwrap().is_sealed = false;
    assert_eq!(*opened().await.unwrap(), "key 0");
    assert!(format!("{:?}", server.source()).contains("[redacted]"));
}

#[test]
fn an_address_is_that_of_a_key() {
    let token = || Token::Text(Zeroizing::new("t".into()));
    for (address, words) in [
        ("https://vault.test/v1/transit/keys/smp", None),
        ("https://vault.test:8200/v1/team-a/transit/keys/smp", None),
        ("http://127.0.0.1:8200/v1/transit/keys/smp", None),
        ("http://vault.test/v1/transit/keys/smp", Some("cannot be used")),
        ("https://u:p@vault.test/v1/transit/keys/smp", Some("cannot be used")),
        ("https://vault.test", Some("no path of a key")),
        ("https://vault.test/v1/keys/smp", Some("no path of a key")),
        ("https://vault.test/v1/transit/keys/", Some("no path of a key")),
        ("https://vault.test/v1/transit/keys/a/b", Some("no path of a key")),
        ("https://vault.test/v1/transit/keys/a%2fb", Some("no path of a key")),
        ("https://vault.test/v1/transit/keys/smp?x=1", Some("no path of a key")),
        ("ftp://vault.test/v1/transit/keys/smp", Some("cannot be used")),
    ] {
        let made = Vault::new(Options { key: Url::parse(address).unwrap(), token: token() });
        match (made, words) {
            (Ok(_), None) => {}
            (Err(problem), Some(words)) => {
                assert!(problem.detail.contains(words), "{address}: {problem}");
                assert!(!problem.detail.contains("u:p"), "{problem}");
            }
            (made, _) => panic!("{address}: {made:?}"),
        }
    }
}
