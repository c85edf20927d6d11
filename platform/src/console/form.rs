//! Forms as they arrive: pairs of a name and a value, of a body or a query.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use zeroize::{Zeroize as _, Zeroizing};

use super::Fault;
use crate::connections::Secrets;
use crate::problem::Problem;

/// Most fields of a form.
const MOST: usize = 400;

/// Longest text of a filter, in characters, as a field of a page counts them or fewer.
pub(super) const LONGEST: usize = 200;

/// The fields of a body. They may hold a key, so they are wiped when they are dropped.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

/// The fields of a query.
#[derive(Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// The first value of a name that is not empty.
fn first<'a, T: AsRef<str>>(pairs: &'a [(String, T)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, value)| key == name && !value.as_ref().is_empty());
    found.map(|(_, value)| value.as_ref())
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().take(MOST).collect()
}

impl Form {
    fn of(bytes: &[u8]) -> Self {
        Self(pairs(bytes).into_iter().map(|(key, text)| (key, Zeroizing::new(text))).collect())
    }

    /// The secrets that were typed.
    pub(super) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        for (key, text) in &self.0 {
            if let Some(key) = key.strip_prefix("secret.").filter(|_| !text.trim().is_empty()) {
                secrets.put(key.to_owned(), text.clone());
            }
        }
        secrets
    }

    /// The value of a field; empty if it has none.
    pub(super) fn text(&self, name: &str) -> &str {
        first(&self.0, name).unwrap_or_default()
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Fields whose name begins so, without that beginning.
    pub(super) fn below<'a>(
        &'a self,
        beginning: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter_map(move |(key, value)| Some((key.strip_prefix(beginning)?, value.as_str())))
    }
}

impl Query {
    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect())
    }

    /// The value of a parameter, if it has one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        first(&self.0, name)
    }

    /// The address of a path with this query, where these parameters are set, or gone.
    pub(super) fn with(&self, path: &str, set: &[(&str, Option<&str>)]) -> String {
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in &self.0 {
            if !value.is_empty() && !set.iter().any(|(name, _)| name == key) {
                out.append_pair(key, value);
            }
        }
        for (name, value) in set {
            if let Some(value) = value {
                out.append_pair(name, value);
            }
        }
        let query = out.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// All parameters that have a value.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter().filter(|(_, value)| !value.is_empty());
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        // It has arrived, and within its bound: the guard saw to that.
        let bytes = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(400, "malformed", "the form could not be read")
                .hint("Go back, and send it again.")
        })?;
        let form = Self::of(&bytes);
        if let Ok(mut bytes) = bytes.try_into_mut() {
            bytes.zeroize();
        }
        Ok(form)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        Ok(Self(pairs(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_is_not_set_and_drops_what_is_empty() {
        let query = Query(pairs(b"q=a%26b&page=3&kind=&sort=seen"));
        assert_eq!(query.get("q"), Some("a&b"));
        assert_eq!(query.get("kind"), None);
        assert_eq!(query.with("/m", &[("page", None)]), "/m?q=a%26b&sort=seen");
        assert_eq!(query.with("/m", &[("q", Some("é")), ("page", None)]), "/m?sort=seen&q=%C3%A9");
        assert_eq!(Query::default().with("/m", &[]), "/m");
    }

    #[test]
    fn a_form_has_fields_by_name_and_by_the_beginning_of_a_name() {
        let form = Form::of(b"s.a=1&s.b=2&grant=x&grant=y&empty=&secret.k=+k&secret.none=+");
        assert_eq!(form.below("s.").collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
        assert_eq!(form.all("grant").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!((form.text("empty"), form.text("none")), ("", ""));
        let secrets = form.secrets();
        assert_eq!((secrets.given("k"), secrets.given("none")), (Some(" k"), None));
    }
}
