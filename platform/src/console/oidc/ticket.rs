//! What a browser carries to the issuer and back, sealed in a cookie: only this platform can make
//! one, and the process keeps nothing.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Name of the cookie. It is not the session's: coming back from the issuer is a visit from another
/// site, with which a strict cookie is not sent.
const COOKIE: &str = "smp-console-oidc";
/// What is sealed, so that nothing else that is sealed passes for it.
const CONTEXT: &[u8] = b"smp-console oidc ticket 1";

/// What was begun.
#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Ticket {
    /// What the issuer gives back.
    pub(super) state: String,
    /// What the token must have.
    pub(super) nonce: String,
    /// What shows that the same browser began, of which the issuer was told a hash.
    pub(super) verifier: String,
    /// When it ends.
    pub(super) until: i64,
}

impl Ticket {
    /// A visit that ends then.
    pub(super) fn new(until: i64) -> Self {
        Self { state: random(), nonce: random(), verifier: random(), until }
    }

    /// The hash of the verifier (RFC 7636).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

/// 256 random bits.
fn random() -> String {
    let random: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(random)
}

/// Seals tickets, with a key of this process.
pub(super) struct Tickets(LessSafeKey);

impl Tickets {
    pub(super) fn new() -> Result<Self, Problem> {
        let key: [u8; 32] = rand::random();
        let key = UnboundKey::new(&AES_256_GCM, &key);
        key.map(LessSafeKey::new).map(Self).map_err(|_| unsealed())
    }

    /// The value of `Set-Cookie`.
    pub(super) fn cookie(&self, ticket: &Ticket) -> Result<HeaderValue, Problem> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut bytes = serde_json::to_vec(ticket).map_err(|_| unsealed())?;
        let once = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(once, Aad::from(CONTEXT), &mut bytes)
            .map_err(|_| unsealed())?;
        let sealed = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &bytes].concat());
        set(&sealed, 600).ok_or_else(unsealed)
    }

    /// Takes the cookie away.
    pub(super) fn none(&self) -> HeaderValue {
        set("", 0).unwrap_or_else(|| HeaderValue::from_static(""))
    }

    /// The ticket of a browser, if this process sealed it.
    pub(super) fn shown(&self, headers: &HeaderMap) -> Option<Ticket> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
        let sealed = cookies
            .flat_map(|text| text.split(';'))
            .find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let open = self.0.open_in_place(nonce, Aad::from(CONTEXT), &mut sealed).ok()?;
        serde_json::from_slice(open).ok()
    }
}

/// A public address is `https` always, so the cookie is.
fn set(value: &str, seconds: u32) -> Option<HeaderValue> {
    let text = format!(
        "{COOKIE}={value}; Path=/console/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax; Secure"
    );
    HeaderValue::from_str(&text).ok()
}

fn unsealed() -> Problem {
    Problem::broken("what a browser carries to the issuer could not be sealed")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn ticket() -> Ticket {
        Ticket { state: "s".into(), nonce: "n".into(), verifier: "v".into(), until: 9 }
    }

    fn shown(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers
    }

    #[test]
    fn a_challenge_is_that_of_the_example_in_its_specification() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
        let challenge = Ticket { verifier, ..ticket() }.challenge();
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let (one, other) = (Ticket::new(1), Ticket::new(1));
        assert_eq!(one.verifier.len(), 43);
        assert!(one.state != other.state && one.nonce != other.nonce && one.state != one.nonce);
    }

    #[test]
    fn a_ticket_is_opened_by_the_process_that_sealed_it_and_as_it_was() {
        let tickets = Tickets::new().unwrap();
        let cookie = tickets.cookie(&ticket()).unwrap();
        let cookie = cookie.to_str().unwrap();
        for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/console/oidc;"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let pair = cookie.split(';').next().unwrap();
        assert_eq!(tickets.shown(&shown(&format!("a=b; {pair}"))), Some(ticket()));
        assert_eq!(Tickets::new().unwrap().shown(&shown(pair)), None, "of another process");
        let (start, last) = pair.split_at(pair.len() - 1);
        let other = if last == "A" { "Q" } else { "A" };
        for wrong in [format!("{start}{other}"), start.to_owned(), format!("{COOKIE}=AAAA")] {
            assert_eq!(tickets.shown(&shown(&wrong)), None, "{wrong}");
        }
    }
}
