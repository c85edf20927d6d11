//! An origin: the scheme, host and port that requests go to. The operator names it, never the
//! component.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Position, Url};

/// An origin for requests: `https`, or `http` to this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    url: Url,
}

/// Why a text is not an origin. The text itself is not repeated, because it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// It is not a URL.
    #[error("not a URL such as `https://host` or `http://127.0.0.1:8080`")]
    NotAUrl,
    /// It has a user name, a path, a query or a fragment.
    #[error("more than scheme, host and port: leave out user, path, query and fragment")]
    MoreThanAnOrigin,
    /// It has another scheme.
    #[error("the scheme must be `https`, or `http` to this machine")]
    Scheme,
    /// Plain http to another machine would expose the key on the network.
    #[error("plain `http` is only for this machine (127.0.0.1, [::1] or localhost); use `https`")]
    PlainHttp,
}

impl Origin {
    /// Parses an origin. A trailing slash is permitted.
    ///
    /// # Errors
    /// If the text is not an origin, or one that the key must not be sent to.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text.trim()).map_err(|_| OriginError::NotAUrl)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        match url.scheme() {
            "https" | "http" if url.host().is_none() => Err(OriginError::NotAUrl),
            "https" | "http" if !bare => Err(OriginError::MoreThanAnOrigin),
            "https" => Ok(Self { url }),
            "http" if is_this_machine(&url) => Ok(Self { url }),
            "http" => Err(OriginError::PlainHttp),
            _ => Err(OriginError::Scheme),
        }
    }

    /// Splits an absolute URL into its origin, and its path and query. A fragment is dropped.
    ///
    /// # Errors
    /// If it has a user or a password in it, or its origin is not permitted.
    pub fn part(url: &Url) -> Result<(Self, String), OriginError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::MoreThanAnOrigin);
        }
        let origin = Self::parse(&url.origin().ascii_serialization())?;
        Ok((origin, url[Position::BeforePath..Position::AfterQuery].to_owned()))
    }

    /// Whether requests to it are not encrypted.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The host's name, in lower case. `None` if it is an address.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.url.domain().map(|name| name.trim_end_matches('.'))
    }

    /// The port, also where it is the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// The address, if there is one in place of a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// The whole URL of a path below the origin.
    #[must_use]
    pub fn join(&self, path_and_query: &str) -> String {
        format!("{self}{path_and_query}")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, shown) in [
            ("https://api.example.test", "https://api.example.test"),
            ("https://api.example.test/", "https://api.example.test"),
            (" HTTPS://API.example.test:8443 ", "https://api.example.test:8443"),
            ("https://api.example.test:443", "https://api.example.test"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:1/", "http://localhost:1"),
            ("http://[::1]:9", "http://[::1]:9"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, error) in [
            ("api.example.test", OriginError::NotAUrl),
            ("", OriginError::NotAUrl),
            ("https://", OriginError::NotAUrl),
            ("https://me:secret@api.example.test", OriginError::MoreThanAnOrigin),
            ("https://api.example.test/admin", OriginError::MoreThanAnOrigin),
            ("https://api.example.test?x=1", OriginError::MoreThanAnOrigin),
            ("https://api.example.test#x", OriginError::MoreThanAnOrigin),
            ("ftp://api.example.test", OriginError::Scheme),
            ("file:///etc", OriginError::Scheme),
            ("http://api.example.test", OriginError::PlainHttp),
            ("http://10.0.0.1", OriginError::PlainHttp),
            ("http://localhost.example.test", OriginError::PlainHttp),
        ] {
            assert_eq!(Origin::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn an_origin_has_a_name_or_an_address() {
        for (text, host, address) in [
            ("https://API.example.test", Some("api.example.test"), None),
            ("https://localhost.", Some("localhost"), None),
            ("https://2130706433", None, Some("127.0.0.1")),
            ("https://[::1]:9", None, Some("::1")),
        ] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!(
                (origin.host(), origin.address()),
                (host, address.map(|address| address.parse().unwrap())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_url_is_parted_into_its_origin_and_the_rest() {
        let part = |text: &str| {
            Origin::part(&Url::parse(text).unwrap())
                .map(|(origin, rest)| (origin.to_string(), rest))
        };
        assert_eq!(
            part("https://A.test:8443/b/c?d=e#f"),
            Ok(("https://a.test:8443".into(), "/b/c?d=e".into()))
        );
        assert_eq!(part("https://me@a.test/b"), Err(OriginError::MoreThanAnOrigin));
        assert_eq!(part("http://a.test/b"), Err(OriginError::PlainHttp));
        assert_eq!(part("file:///etc/passwd"), Err(OriginError::NotAUrl));
    }

    #[test]
    fn a_path_is_put_behind_the_origin() {
        let origin = Origin::parse("http://127.0.0.1:8080/").unwrap();
        assert_eq!(origin.join("/v1/orgs?cursor=a"), "http://127.0.0.1:8080/v1/orgs?cursor=a");
    }
}
