//! The checks of an ID token: its signature, and that it is of this issuer, for this client alone,
//! of this visit, and not expired. They send no request and keep nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest token, in bytes: a list of all groups of a large directory is shorter.
const LONGEST: usize = 64 * 1024;
/// Longest subject: the specification's own bound.
const LONGEST_SUBJECT: usize = 255;
/// Most keys of an issuer that are looked at.
const MOST_KEYS: usize = 64;
/// How far two clocks may be apart, in seconds.
const APART: i64 = 60;

/// A person that the issuer vouches for.
#[derive(Debug)]
pub(super) struct Person {
    /// The issuer's own id of the person.
    pub(super) subject: String,
    /// All that the token says.
    pub(super) claims: Map<String, Value>,
}

/// What a token must be of.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client: &'e str,
    pub(super) nonce: &'e str,
    /// The present instant, in seconds.
    pub(super) at: i64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No key is known that could have signed it: the issuer may have a new one.
    UnknownKey,
    /// What is wrong, without its words.
    Wrong(&'static str),
}

/// The keys of an issuer, as it tells them. One that is not understood signs nothing.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Keys {
    keys: Vec<Value>,
}

/// A key that may have signed.
#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// How a token is signed: always with a private key of the issuer. Keyed hashes, which both sides
/// could make, and unsigned tokens are refused.
#[derive(Clone, Copy)]
enum Signed {
    Rsa(&'static RsaParameters),
    Curve(&'static str, usize, &'static EcdsaVerificationAlgorithm),
    Edwards,
}

impl Keys {
    /// The person of a token that is as it should be.
    pub(super) fn person(&self, token: &str, expected: &Expected<'_>) -> Result<Person, Refused> {
        let wrong = |text: &'static str| Refused::Wrong(text);
        if token.len() > LONGEST {
            return Err(wrong("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(wrong("it has no signature"))?;
        let (head, claims) = signed.split_once('.').ok_or(wrong("it has no claims"))?;
        let signature = decoded(signature).ok_or(wrong("its signature cannot be read"))?;
        let head: Head = json(head).ok_or(wrong("its head cannot be read"))?;
        if head.crit.is_some() {
            return Err(wrong("it has a condition that is not known"));
        }
        let algorithm =
            algorithm(&head.alg).ok_or(wrong("it is signed in a way that is not taken"))?;
        let all = self.keys.iter().take(MOST_KEYS);
        let keys: Vec<Key> = all
            .filter_map(|key| serde_json::from_value(key.clone()).ok())
            .filter(|key: &Key| key.may(&head))
            .collect();
        if keys.is_empty() {
            return Err(Refused::UnknownKey);
        }
        let is_signed = |key: &Key| key.verifies(algorithm, signed.as_bytes(), &signature);
        if !keys.iter().any(|key| is_signed(key) == Some(true)) {
            return Err(wrong("its signature is not the issuer's"));
        }
        checked(json(claims).ok_or(wrong("its claims cannot be read"))?, expected)
    }
}

/// What a token says, if it is of this visit.
fn checked(claims: Map<String, Value>, expected: &Expected<'_>) -> Result<Person, Refused> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let instant = |name: &str| claims.get(name).and_then(Value::as_f64);
    let is = |holds: bool, otherwise| if holds { Ok(()) } else { Err(Refused::Wrong(otherwise)) };
    is(text("iss") == Some(expected.issuer), "it is of another issuer")?;
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        // One that is no text is another one.
        Some(Value::Array(all)) => all.iter().map(|it| it.as_str().unwrap_or_default()).collect(),
        _ => Vec::new(),
    };
    let is_ours = !audience.is_empty() && audience.iter().all(|one| *one == expected.client);
    is(is_ours, "it is not for this client alone")?;
    let party = claims.get("azp").is_none_or(|party| party.as_str() == Some(expected.client));
    is(party, "another party asked for it")?;
    is(text("nonce") == Some(expected.nonce), "it is of another visit")?;
    #[expect(clippy::cast_precision_loss, reason = "seconds of this age are far below 2^52")]
    let (early, late) = ((expected.at - APART) as f64, (expected.at + APART) as f64);
    is(instant("exp").is_some_and(|until| until > early), "it is over")?;
    is(instant("iat").is_some_and(|since| since < late), "it is not yet made")?;
    let begins = claims.get("nbf").is_none_or(|from| from.as_f64().is_some_and(|it| it < late));
    is(begins, "it does not hold yet")?;
    let subject = text("sub").unwrap_or_default().to_owned();
    let is_usable = !subject.is_empty() && subject.chars().count() <= LONGEST_SUBJECT;
    is(is_usable, "it gives the person no usable id")?;
    Ok(Person { subject, claims })
}

/// The ways of signing that are taken, by their names in RFC 7518 and RFC 8037.
fn algorithm(name: &str) -> Option<Signed> {
    Some(match name {
        "RS256" => Signed::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        "PS256" => Signed::Rsa(&RSA_PSS_2048_8192_SHA256),
        "ES256" => Signed::Curve("P-256", 32, &ECDSA_P256_SHA256_FIXED),
        "ES384" => Signed::Curve("P-384", 48, &ECDSA_P384_SHA384_FIXED),
        "EdDSA" => Signed::Edwards,
        _ => return None,
    })
}

impl Key {
    /// Whether it may have signed a token with this head.
    fn may(&self, head: &Head) -> bool {
        let kind = match head.alg.as_str() {
            "RS256" | "PS256" => "RSA",
            "ES256" | "ES384" => "EC",
            _ => "OKP",
        };
        self.kty == kind
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_ref().is_none_or(|alg| *alg == head.alg)
            && head.kid.as_ref().is_none_or(|kid| self.kid.as_ref() == Some(kid))
    }

    /// Whether it made this signature. `None` if it is no such key.
    fn verifies(&self, algorithm: Signed, text: &[u8], signature: &[u8]) -> Option<bool> {
        let number = |text: &Option<String>| decoded(text.as_deref()?);
        Some(match algorithm {
            Signed::Rsa(parameters) => {
                let (n, e) = (number(&self.n)?, number(&self.e)?);
                let key = RsaPublicKeyComponents { n: shortest(&n), e: shortest(&e) };
                key.verify(parameters, text, signature).is_ok()
            }
            Signed::Curve(curve, size, verifies) => {
                let (x, y) = (number(&self.x)?, number(&self.y)?);
                if self.crv.as_deref() != Some(curve) || x.len() != size || y.len() != size {
                    return None;
                }
                let point = [&[4], x.as_slice(), &y].concat();
                UnparsedPublicKey::new(verifies, point).verify(text, signature).is_ok()
            }
            Signed::Edwards => {
                let x = number(&self.x)?;
                if self.crv.as_deref() != Some("Ed25519") {
                    return None;
                }
                UnparsedPublicKey::new(&ED25519, x).verify(text, signature).is_ok()
            }
        })
    }
}

/// A number without zeros at its beginning.
fn shortest(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn json<T: for<'d> Deserialize<'d>>(part: &str) -> Option<T> {
    serde_json::from_slice(&decoded(part)?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::json;

    use super::*;

    const AT: i64 = 1_800_000_000;

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn pair() -> Ed25519KeyPair {
        let bytes = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(bytes.as_ref()).unwrap()
    }

    fn key(pair: &Ed25519KeyPair) -> Value {
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "use": "sig", "x": x})
    }

    fn token(pair: &Ed25519KeyPair, head: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", part(head), part(claims));
        let signature = pair.sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims() -> Value {
        json!({"iss": "https://i.test", "aud": "smp", "sub": "ann", "nonce": "n",
               "iat": AT - 5, "exp": AT + 300, "groups": ["admin"]})
    }

    fn expected() -> Expected<'static> {
        Expected { issuer: "https://i.test", client: "smp", nonce: "n", at: AT }
    }

    fn found(keys: Value, token: &str) -> Result<Person, Refused> {
        serde_json::from_value::<Keys>(json!({"keys": keys})).unwrap().person(token, &expected())
    }

    #[test]
    fn each_claim_is_checked() {
        let pair = pair();
        let head = json!({"alg": "EdDSA", "kid": "k"});
        let person = found(json!([key(&pair)]), &token(&pair, &head, &claims())).unwrap();
        assert_eq!(person.subject, "ann");
        assert_eq!(person.claims["groups"], json!(["admin"]));
        for (name, value, passes) in [
            ("iss", json!("https://i.test/"), false),
            ("iss", json!(null), false),
            ("aud", json!(["smp"]), true),
            ("aud", json!(["smp", "other"]), false),
            ("aud", json!(["smp", 1]), false),
            ("aud", json!([]), false),
            ("aud", json!("smp2"), false),
            ("azp", json!("smp"), true),
            ("azp", json!("other"), false),
            ("nonce", json!("m"), false),
            ("nonce", json!(null), false),
            ("exp", json!(AT - 59), true),
            ("exp", json!(AT - 60), false),
            ("exp", json!("never"), false),
            ("iat", json!(AT + 59), true),
            ("iat", json!(AT + 60), false),
            ("iat", json!(null), false),
            ("nbf", json!(AT + 59), true),
            ("nbf", json!(AT + 60), false),
            ("nbf", json!("now"), false),
            ("sub", json!(""), false),
            ("sub", json!(7), false),
            ("sub", json!("x".repeat(255)), true),
            ("sub", json!("x".repeat(256)), false),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            let got = found(json!([key(&pair)]), &token(&pair, &head, &claims));
            assert_eq!(got.is_ok(), passes, "{name} {value}: {got:?}");
        }
    }

    #[test]
    fn a_token_is_signed_by_a_key_of_the_issuer_in_a_way_that_is_taken() {
        let (pair, other) = (pair(), pair());
        let own = key(&pair);
        let with = |name: &str, value: Value| {
            let mut key = own.clone();
            key[name] = value;
            json!([key])
        };
        let head = json!({"alg": "EdDSA", "kid": "k"});
        let good = token(&pair, &head, &claims());
        let unknown = Some(Refused::UnknownKey);
        for (keys, expected) in [
            (json!([own]), None),
            (json!([{"kty": "EC"}, "text", null, own]), None),
            (json!([]), unknown),
            (with("kid", json!("new")), unknown),
            (with("use", json!("enc")), unknown),
            (with("alg", json!("ES256")), unknown),
            (with("kty", json!("RSA")), unknown),
            (
                with("crv", json!("X25519")),
                Some(Refused::Wrong("its signature is not the issuer's")),
            ),
            (json!([key(&other)]), Some(Refused::Wrong("its signature is not the issuer's"))),
        ] {
            assert_eq!(found(keys.clone(), &good).err(), expected, "{keys}");
        }
        // Without the name of a key, each that could be it is tried.
        let unnamed = token(&pair, &json!({"alg": "EdDSA"}), &claims());
        assert!(found(json!([key(&other), own]), &unnamed).is_ok());
        let (text, signature) = good.rsplit_once('.').unwrap();
        let (first, claims_) = text.split_once('.').unwrap();
        for head in [
            json!({"alg": "none"}),
            json!({"alg": "HS256", "kid": "k"}),
            json!({"alg": "eddsa", "kid": "k"}),
            json!({"alg": "EdDSA", "kid": "k", "crit": ["b64"], "b64": false}),
            json!({"kid": "k"}),
        ] {
            let signed = token(&pair, &head, &claims());
            assert!(matches!(found(json!([own]), &signed), Err(Refused::Wrong(_))), "{head}");
        }
        let mut forged = claims();
        forged["sub"] = json!("eve");
        for wrong in [
            format!("{first}.{}.{signature}", part(&forged)),
            format!("{first}.{claims_}."),
            format!("{first}.{claims_}"),
            format!("{good}="),
            format!("{good}.{signature}"),
            String::new(),
            "x".repeat(LONGEST + 1),
        ] {
            assert!(found(json!([own]), &wrong).is_err(), "{wrong}");
        }
    }
}
