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
    /// Reads the headers. The first challenge counts, but a token is preferred to a password.
    pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut basic = None;
        for header in headers {
            match Self::one(header) {
                Some(Self::Basic) => basic = Some(Self::Basic),
                Some(bearer) => return Some(bearer),
                None => {}
            }
        }
        basic
    }

    fn one(header: &str) -> Option<Self> {
        let (scheme, mut rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        // One parameter at a time; the header's length bounds their number.
        while let Some((key, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            match key.trim().to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value.to_owned()),
                "service" => service = Some(value.to_owned()),
                "scope" => scope = Some(value.to_owned()),
                _ => {}
            }
            rest = after.trim_start().trim_start_matches(',');
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
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
                bearer("https://auth.test/token ", Some("x"), None),
            ),
            ("Bearer service=\"x\"", None),
            ("Bearer realm=\"https://auth.test", None),
            ("Digest realm=\"x\"", None),
            ("", None),
        ] {
            assert_eq!(Challenge::read([header]), expected, "{header}");
        }
        assert_eq!(
            Challenge::read(["Basic realm=x", "Bearer realm=\"https://a.test/\""]),
            bearer("https://a.test/", None, None)
        );
    }
}
