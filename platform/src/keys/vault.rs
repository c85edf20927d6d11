//! Data keys wrapped by Vault or OpenBao, with its Transit engine: the wrapping key never leaves
//! it.
//!
//! | request | for |
//! | --- | --- |
//! | `POST …/datakey/plaintext/NAME` | a new data key, plain and wrapped |
//! | `POST …/decrypt/NAME` | the data key of a stored secret |
//! | `POST …/encrypt/NAME` | a data key that a key file wrapped before |
//! | `POST …/keys/NAME/rotate`, `POST …/rewrap/NAME` | a new version of the wrapping key |

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use smp_host::http::origin::Origin;
use smp_host::live::{LiveClient, body};
use url::Url;
use zeroize::Zeroizing;

use super::seal::{ID, Key};
use crate::outside::{self, reason};
use crate::problem::Problem;

/// What an address of a key looks like.
pub const ADDRESS: &str = "Give the address of the key as the Vault's interface has it: \
                           `https://vault.example.com:8200/v1/transit/keys/NAME`.";

/// Time of one request.
const REQUEST: Duration = Duration::from_secs(10);
/// Largest answer, in bytes: a batch of a hundred wrapped keys is shorter.
const LARGEST: u64 = 256 * 1024;
/// Largest file of a token, in bytes.
const LARGEST_TOKEN: u64 = 64 * 1024;
/// How each key begins that a Transit engine wrapped.
const WRAPPED: &[u8] = b"vault:v";

/// Where a wrapping key is, and who asks for it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address of the key: `https://HOST/v1/transit/keys/NAME`.
    pub key: Url,
    /// The token.
    pub token: Token,
}

/// The token of this program at the Vault.
#[derive(Clone)]
pub enum Token {
    /// In this file, which is read for each request: an agent renews it.
    File(PathBuf),
    /// This one.
    Text(Zeroizing<String>),
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Text(_) => formatter.write_str("[redacted]"),
        }
    }
}

/// A wrapping key in a Vault.
#[derive(Debug)]
pub(super) struct Vault {
    origin: Origin,
    /// The path of the engine, such as `/v1/transit`.
    engine: String,
    name: String,
    token: Token,
    client: LiveClient,
}

/// The part of an answer that says anything.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Plain {
    plaintext: String,
}

#[derive(Deserialize)]
struct Wrapped {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Both {
    plaintext: String,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Batch {
    batch_results: Vec<Wrapped>,
}

impl Vault {
    pub(super) fn new(options: Options) -> Result<Self, Problem> {
        let Options { key, token } = options;
        let unusable = |text: String| Problem::invalid(text).hint(ADDRESS);
        let (origin, path) = Origin::part(&key).map_err(|error| {
            unusable(format!("the address of the Vault cannot be used: {error}"))
        })?;
        let parts = path.rsplit_once("/keys/").filter(|(engine, name)| {
            let is_plain = |text: &str| {
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
            };
            engine.len() > "/v1/".len()
                && engine.starts_with("/v1/")
                && is_plain(engine)
                && !name.is_empty()
                && is_plain(name)
                && !name.contains('/')
        });
        let Some((engine, name)) = parts else {
            return Err(unusable(format!("`{path}` is no path of a key of a Transit engine")));
        };
        let client =
            outside::client(REQUEST, LARGEST, true).map_err(|error| outside::unusable(&error))?;
        Ok(Self { engine: engine.to_owned(), name: name.to_owned(), origin, token, client })
    }

    /// The id of the key in the database: by its name, because the address of a Vault can change.
    pub(super) fn id(&self) -> [u8; ID] {
        let hash = Sha256::new().chain_update(b"smp vault key").chain_update(&self.name);
        let mut id = [0; ID];
        for (to, from) in id.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        id
    }

    /// What people call it.
    pub(super) fn called(&self) -> String {
        format!("{} at {}", self.name, self.origin)
    }

    /// Whether a Transit engine wrapped this data key.
    pub(super) fn is_wrapped(wrapped: &[u8]) -> bool {
        wrapped.starts_with(WRAPPED)
    }

    /// A new data key, plain and wrapped.
    ///
    /// # Errors
    /// If the Vault does not answer as it should.
    pub(super) async fn data_key(&self) -> Result<(Key, Vec<u8>), Problem> {
        let path = format!("datakey/plaintext/{}", self.name);
        let both: Both = self.post(&path, &json!({"bits": 256})).await?;
        Ok((plain(both.plaintext)?, whole(both.ciphertext)?))
    }

    /// The data key that was wrapped so. `None` if another key wrapped it.
    ///
    /// # Errors
    /// If the Vault does not answer as it should.
    pub(super) async fn unwrapped(&self, wrapped: &[u8]) -> Result<Option<Key>, Problem> {
        let text = std::str::from_utf8(wrapped).ok().filter(|_| Self::is_wrapped(wrapped));
        let Some(text) = text else { return Ok(None) };
        let body = json!({"ciphertext": text});
        match self.post::<Plain>(&format!("decrypt/{}", self.name), &body).await {
            Ok(answer) => plain(answer.plaintext).map(Some),
            Err(problem) if problem.code == NOT_ITS_OWN => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// A data key, wrapped.
    ///
    /// # Errors
    /// If the Vault does not answer as it should.
    pub(super) async fn wrapped(&self, key: &Key) -> Result<Vec<u8>, Problem> {
        let text = Zeroizing::new(STANDARD.encode(key.bytes()));
        let body = json!({"plaintext": &*text});
        let answer: Wrapped = self.post(&format!("encrypt/{}", self.name), &body).await?;
        whole(answer.ciphertext)
    }

    /// Makes a new version of the wrapping key.
    ///
    /// # Errors
    /// If the Vault does not permit it.
    pub(super) async fn rotate(&self) -> Result<(), Problem> {
        let path = format!("keys/{}/rotate", self.name);
        self.asked(&path, &json!({})).await.map(|_| ())
    }

    /// These data keys, wrapped by the newest version of the key.
    ///
    /// # Errors
    /// If the Vault does not answer as it should, or one of them is not its own.
    pub(super) async fn rewrapped(&self, all: &[&[u8]]) -> Result<Vec<Vec<u8>>, Problem> {
        let batch: Vec<Value> = all
            .iter()
            .map(|wrapped| json!({"ciphertext": String::from_utf8_lossy(wrapped)}))
            .collect();
        let body = json!({"batch_input": batch});
        let answer: Batch = self.post(&format!("rewrap/{}", self.name), &body).await?;
        if answer.batch_results.len() != all.len() {
            return Err(unreadable());
        }
        answer.batch_results.into_iter().map(|one| whole(one.ciphertext)).collect()
    }

    async fn post<T: for<'d> Deserialize<'d>>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Problem> {
        let bytes = self.asked(path, body).await?;
        let answer: Answer<T> = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        Ok(answer.data)
    }

    async fn asked(&self, path: &str, json: &Value) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let token = self.token.text()?;
        let mut value = HeaderValue::from_str(&token)
            .map_err(|_| no_token("the token of the Vault cannot be sent: it is no token"))?;
        value.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("x-vault-token"), value);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers
            .insert(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"));
        let path = format!("{}/{path}", self.engine);
        let outgoing = self
            .client
            .request(Method::POST, &self.origin, &path)
            .map_err(|error| away(&reason(error)))?;
        let sent = outgoing.headers(headers).body(json.to_string()).send().await;
        let mut answer = sent.map_err(|error| away(&reason(self.client.fault(&error))))?;
        let status = answer.status().as_u16();
        let bytes = body(&mut answer, LARGEST).await;
        let bytes = bytes.map_err(|error| away(&reason(error))).map(Zeroizing::new)?;
        match status {
            200..=299 => Ok(bytes),
            400 => Err(Problem::new(503, NOT_ITS_OWN, "the Vault did not take what it was given")
                .hint("See the log of the Vault.")),
            403 => Err(Problem::new(503, CODE, "the Vault does not permit it to this token").hint(
                "Renew the token, and give it a policy with `update` on `datakey/plaintext`, \
                 `decrypt`, `encrypt`, `rewrap` and, to rotate, `keys/NAME/rotate` of this key.",
            )),
            404 => Err(Problem::new(503, CODE, format!("the Vault has no key {}", self.called()))
                .hint("Make it (`vault write -f transit/keys/NAME`), or correct the address.")),
            _ => Err(away(&format!("it answers {status}"))),
        }
    }
}

/// The code of problems that pass, or that the operator mends at the Vault.
pub(crate) const CODE: &str = "key-vault";
/// The code of an answer to something that the Vault did not make.
const NOT_ITS_OWN: &str = "key-vault-refused";

impl Token {
    fn text(&self) -> Result<Zeroizing<String>, Problem> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::File(path) => read(path)?,
        };
        let text = Zeroizing::new(text.trim().to_owned());
        if text.is_empty() {
            return Err(no_token("the token of the Vault is empty"));
        }
        Ok(text)
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, Problem> {
    use std::io::Read as _;
    let mut text = Zeroizing::new(String::new());
    let unusable = |error: std::io::Error| {
        no_token(&format!("the token file `{}` cannot be read: {error}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(unusable)?;
    file.take(LARGEST_TOKEN).read_to_string(&mut text).map_err(unusable)?;
    Ok(text)
}

fn plain(text: String) -> Result<Key, Problem> {
    let text = Zeroizing::new(text);
    let bytes = STANDARD.decode(&*text).map(Zeroizing::new).map_err(|_| unreadable())?;
    Key::of(&bytes).ok_or_else(unreadable)
}

fn whole(ciphertext: String) -> Result<Vec<u8>, Problem> {
    let bytes = ciphertext.into_bytes();
    if Vault::is_wrapped(&bytes) { Ok(bytes) } else { Err(unreadable()) }
}

fn no_token(text: &str) -> Problem {
    Problem::new(503, CODE, text)
        .hint("Give the file that the agent of the Vault keeps, or set `VAULT_TOKEN`.")
}

fn away(reason: &str) -> Problem {
    Problem::new(503, CODE, format!("the Vault does not answer as it should: {reason}"))
        .hint("Runs go on by themselves when it does; nothing is lost. Look at the Vault.")
}

fn unreadable() -> Problem {
    away("its answer is not that of a Transit engine")
}

#[cfg(test)]
mod tests;
