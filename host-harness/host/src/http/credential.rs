//! How the secret of a run is attached to its requests. Only a transport looks into it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::contract::{Attachment, BasicHalf, BasicUse, HeaderUse, OtherHalf, Setting};
use crate::secret::Secret;

/// The header of most credentials.
const AUTHORIZATION: &str = "authorization";

/// Fewest characters of an encoded secret that are recognized in an answer. Fewer occur by chance.
const SHORTEST_TRACE: usize = 8;

/// How the secret of a run is attached to its requests.
#[derive(Clone, Debug)]
pub struct Credential {
    form: Form,
    secret: Secret,
}

#[derive(Clone, Debug)]
enum Form {
    Bearer,
    Basic { half: BasicHalf, other: String },
    Header { name: String, prefix: String },
}

impl Credential {
    /// A secret, and how it is attached in a run with these settings.
    #[must_use]
    pub fn new(attachment: &Attachment, settings: &[Setting], secret: Secret) -> Self {
        let form = match attachment {
            Attachment::Bearer => Form::Bearer,
            Attachment::Basic(BasicUse { secret, other }) => {
                let other = match other {
                    OtherHalf::Fixed(text) => text.clone(),
                    OtherHalf::Setting(key) => settings
                        .iter()
                        .find(|setting| setting.key == *key)
                        .map(|setting| setting.value.clone())
                        .unwrap_or_default(),
                };
                Form::Basic { half: *secret, other }
            }
            Attachment::Header(HeaderUse { name, prefix }) => {
                Form::Header { name: name.clone(), prefix: prefix.clone() }
            }
        };
        Self { form, secret }
    }

    /// The name of the header, in lower case, for a transport.
    #[must_use]
    pub fn header_name(&self) -> &str {
        match &self.form {
            Form::Header { name, .. } => name,
            Form::Bearer | Form::Basic { .. } => AUTHORIZATION,
        }
    }

    /// The value of the header, for a transport.
    #[must_use]
    pub fn header_value(&self) -> Zeroizing<String> {
        Zeroizing::new(match &self.form {
            Form::Bearer => format!("Bearer {}", self.secret.expose()),
            Form::Header { prefix, .. } => format!("{prefix}{}", self.secret.expose()),
            Form::Basic { .. } => format!("Basic {}", STANDARD.encode(self.pair().as_bytes())),
        })
    }

    /// The texts by which the secret is recognized in an answer, for a transport that redacts them:
    /// the secret itself, and encoded wherever it may stand in a longer text.
    #[must_use]
    pub fn traces(&self) -> Vec<Zeroizing<String>> {
        let secret = self.secret.expose();
        let mut traces = vec![Zeroizing::new(secret.to_owned())];
        if matches!(self.form, Form::Basic { .. }) {
            for shift in 0..3 {
                let encoded = encoded_inside(secret.as_bytes(), shift);
                if encoded.len() >= SHORTEST_TRACE {
                    let other_alphabet = encoded.replace('+', "-").replace('/', "_");
                    if other_alphabet != *encoded {
                        traces.push(Zeroizing::new(other_alphabet));
                    }
                    traces.push(encoded);
                }
            }
        }
        traces
    }

    /// What is encoded for `Basic`.
    fn pair(&self) -> Zeroizing<String> {
        let secret = self.secret.expose();
        Zeroizing::new(match &self.form {
            Form::Basic { half: BasicHalf::UserName, other } => format!("{secret}:{other}"),
            Form::Basic { half: BasicHalf::Password, other } => format!("{other}:{secret}"),
            Form::Bearer | Form::Header { .. } => String::new(),
        })
    }
}

/// The characters of base64 that depend on these bytes alone, where so many bytes, modulo three,
/// stand before them.
fn encoded_inside(bytes: &[u8], shift: usize) -> Zeroizing<String> {
    let shifted: Zeroizing<Vec<u8>> =
        Zeroizing::new(std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect());
    let whole = shifted.len() / 3 * 3;
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(shifted.get(..whole).unwrap_or_default()));
    // A group that begins before the bytes has characters of what stands there.
    let from = if shift == 0 { 0 } else { 4 };
    Zeroizing::new(encoded.get(from..).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(attachment: &Attachment) -> Credential {
        let settings = [Setting { key: "mail".into(), value: "ada@acme.test".into() }];
        let secret = Secret::new("s3cr3t-of-the-service".into()).unwrap();
        Credential::new(attachment, &settings, secret)
    }

    fn basic(secret: BasicHalf, other: OtherHalf) -> Attachment {
        Attachment::Basic(BasicUse { secret, other })
    }

    #[test]
    fn a_secret_is_attached_as_the_descriptor_says() {
        let mail = || OtherHalf::Setting("mail".into());
        let encoded = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for (attachment, name, value) in [
            (Attachment::Bearer, "authorization", "Bearer s3cr3t-of-the-service".to_owned()),
            (
                basic(BasicHalf::Password, mail()),
                "authorization",
                encoded("ada@acme.test:s3cr3t-of-the-service"),
            ),
            (
                basic(BasicHalf::UserName, OtherHalf::Fixed(String::new())),
                "authorization",
                encoded("s3cr3t-of-the-service:"),
            ),
            (
                basic(BasicHalf::UserName, OtherHalf::Setting("absent".into())),
                "authorization",
                encoded("s3cr3t-of-the-service:"),
            ),
            (
                Attachment::Header(HeaderUse { name: "x-api-key".into(), prefix: String::new() }),
                "x-api-key",
                "s3cr3t-of-the-service".to_owned(),
            ),
            (
                Attachment::Header(HeaderUse {
                    name: "authorization".into(),
                    prefix: "SSWS ".into(),
                }),
                "authorization",
                "SSWS s3cr3t-of-the-service".to_owned(),
            ),
        ] {
            let credential = credential(&attachment);
            assert_eq!((credential.header_name(), &**credential.header_value()), (name, &*value));
            assert!(!format!("{credential:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn an_encoded_secret_leaves_a_trace_wherever_it_stands() {
        let credential = credential(&basic(BasicHalf::Password, OtherHalf::Fixed("x".into())));
        let traces = credential.traces();
        for before in ["", "a", "ab", "abc", "ada@acme.test:"] {
            for after in ["", ":", ":x", "-behind"] {
                let pair = format!("{before}s3cr3t-of-the-service{after}");
                let text = format!("…{}…", STANDARD.encode(&pair));
                let found = traces.iter().any(|trace| text.contains(trace.as_str()));
                assert!(found, "{pair}");
            }
        }
        let plain = STANDARD.encode("another text altogether, without it");
        assert!(!traces.iter().any(|trace| plain.contains(trace.as_str())));
    }
}
