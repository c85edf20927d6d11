//! Parses a registry's request for a login: the `WWW-Authenticate` header, as the token
//! specification of the distribution project defines it.

/// The login that a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password with each request.
    Basic,
    /// A token from a token service.
    Bearer {
        /// The service's URL.
        realm: String,
        /// The name of the registry at that service.
        service: Option<String>,
        /// The requested permission.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the headers, each with one challenge or more. A token is preferred to a password,
    /// wherever it stands.
    pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut basic = None;
        for (scheme, parameters) in headers.into_iter().flat_map(challenges) {
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
            let of = |name: &str| parameters.iter().find(|(key, _)| key == name);
            let value = |name| of(name).map(|(_, value)| value.clone());
            let is_bearer = scheme.eq_ignore_ascii_case("bearer");
            if let Some(realm) = value("realm").filter(|_| is_bearer) {
                return Some(Self::Bearer {
                    realm,
                    service: value("service"),
                    scope: value("scope"),
                });
            }
        }
        basic
    }
}

type Parameters = Vec<(String, String)>;

/// The challenges of a header: a scheme, and the parameters up to the next scheme.
fn challenges(header: &str) -> Vec<(&str, Parameters)> {
    let mut all: Vec<(&str, Parameters)> = Vec::new();
    for item in items(header) {
        let (first, rest) = item.split_once([' ', '\t']).unwrap_or((item, ""));
        let parameter = if first.is_empty() || first.contains('=') {
            item
        } else {
            all.push((first, Vec::new()));
            rest.trim()
        };
        let read =
            parameter.split_once('=').and_then(|(key, value)| Some((key, unquoted(value.trim())?)));
        if let (Some((_, parameters)), Some((key, value))) = (all.last_mut(), read) {
            parameters.push((key.trim().to_ascii_lowercase(), value));
        }
    }
    all
}

/// The parts between commas that are not in quotes.
fn items(header: &str) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = header.split(|sign| {
        let is_literal = is_escaped;
        is_escaped = is_quoted && !is_literal && sign == '\\';
        is_quoted ^= sign == '"' && !is_literal;
        sign == ',' && !is_quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A parameter's value. `None` if a quote is open.
fn unquoted(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    let mut signs = quoted.strip_suffix('"')?.chars();
    let mut plain = String::new();
    while let Some(sign) = signs.next() {
        plain.push(if sign == '\\' { signs.next()? } else { sign });
    }
    Some(plain)
}

/// Of what a registry wants a token to be good for, what a pull needs: it may ask for more than
/// that.
pub(super) fn reading(scope: &str) -> String {
    let parts = scope.split_ascii_whitespace().map(|part| match part.rsplit_once(':') {
        Some((whose, rights)) if rights.split(',').any(|right| right == "pull") => {
            format!("{whose}:pull")
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        })
    }

    #[test]
    fn the_usual_headers_are_read() {
        for (header, expected) in [
            ("Basic realm=\"Registry\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.test/token\",service=\"registry.test\",scope=\"repository:a/b:pull,push\"",
                bearer(
                    "https://auth.test/token",
                    Some("registry.test"),
                    Some("repository:a/b:pull,push"),
                ),
            ),
            (
                "bearer service=x, realm=https://auth.test/token , error=\"invalid_token\"",
                bearer("https://auth.test/token", Some("x"), None),
            ),
            ("Bearer service=\"x\"", None),
            ("Bearer realm=\"https://auth.test", None),
            ("Digest realm=\"x\"", None),
            (
                "Basic realm=\"a, Bearer b\", Bearer realm=\"https://a.test/\",service=\"x\"",
                bearer("https://a.test/", Some("x"), None),
            ),
            (
                "Bearer realm=\"https://a.test/\",scope=\"repository:a:pull,push\", Basic realm=x",
                bearer("https://a.test/", None, Some("repository:a:pull,push")),
            ),
            ("Negotiate, Basic", Some(Challenge::Basic)),
            ("Negotiate abc==, Basic realm=\"\\\"\"", Some(Challenge::Basic)),
            ("Bearer realm=\"a\\\"b\"", bearer("a\"b", None, None)),
            ("", None),
        ] {
            assert_eq!(Challenge::read([header]), expected, "{header}");
        }
        assert_eq!(
            Challenge::read(["Basic realm=x", "Bearer realm=\"https://a.test/\""]),
            bearer("https://a.test/", None, None)
        );
    }

    #[test]
    fn a_pull_needs_no_more_than_a_pull() {
        for (asked, needed) in [
            ("repository:a/b:pull", "repository:a/b:pull"),
            ("repository:a/b:pull,push", "repository:a/b:pull"),
            (
                "repository:a:push,pull,delete  registry:catalog:*",
                "repository:a:pull registry:catalog:*",
            ),
            ("read", "read"),
        ] {
            assert_eq!(reading(asked), needed);
        }
    }
}
