//! Checks the proxy variables of the environment, and refuses those that the HTTP client could not
//! use.
//!
//! The client reads the variables itself. It ignores a value that it cannot read, and then sends
//! requests directly, past the proxy. So each value is checked here first, more strictly than by
//! the client. An error names the variable and never its value, which may hold a password.

use std::collections::BTreeSet;
use std::ffi::OsString;

use hyper_util::client::proxy::matcher::Matcher;

use crate::http::origin::Origin;

/// Set by a web server for a CGI program. A request header could then set `HTTP_PROXY`, so the HTTP
/// client ignores all variables, and would send requests past the proxy.
const CGI: &str = "REQUEST_METHOD";
/// For each kind of request, its variables, in the client's order.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
/// What does not go through a proxy.
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Kinds of proxies that the client does not support, and that are common enough to be named.
const UNSUPPORTED: [&str; 4] = ["socks4", "socks4a", "socks5", "socks5h"];

/// A proxy variable that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its value is not the address of a proxy.
    #[error("the environment variable `{0}` cannot be read as the address of a proxy")]
    Unreadable(&'static str),
    /// It names a proxy of this kind.
    #[error("the environment variable `{0}` names a `{1}` proxy, which is not supported")]
    Unsupported(&'static str, &'static str),
    /// It names a proxy of an unknown kind.
    #[error(
        "the environment variable `{0}` names a proxy whose scheme is neither `http` nor `https`"
    )]
    UnknownScheme(&'static str),
    /// It does not count beside this one, which the client looks at first and which is empty.
    #[error(
        "the environment variable `{0}` does not count, because `{1}` is set, though it is empty"
    )]
    Hidden(&'static str, &'static str),
    /// It is set beside a variable by which no proxy variable counts.
    #[error(
        "the environment variable `{0}` does not count where `REQUEST_METHOD` is set, as it is \
         for a CGI program"
    )]
    Cgi(&'static str),
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Unreadable,
    Unsupported(&'static str),
    UnknownScheme,
}

impl ProxyError {
    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unreadable(_) => {
                "Nothing was sent. Write it as `http://user:password@host:port`. In the user name and the \
                 password, percent-encode every character that is not a letter or a digit: `@` is %40, `#` is \
                 %23, `:` is %3A, `/` is %2F, `?` is %3F, `\\` is %5C, `%` is %25 and a space is %20. Without a \
                 proxy, unset the variable."
            }
            Self::Unsupported(..) | Self::UnknownScheme(_) => {
                "Nothing was sent. Name an HTTP proxy, as `http://host:port` or `https://host:port`. Without a \
                 proxy, unset the variable."
            }
            Self::Hidden(..) => {
                "Nothing was sent. Unset the empty variable to go through the proxy; or, to go without one, \
                 unset both."
            }
            Self::Cgi(_) => {
                "Nothing was sent. Unset `REQUEST_METHOD`; or, to go without a proxy, unset the proxy's variable."
            }
        }
    }
}

/// The system's proxy for https, and what does not go through it.
#[derive(Debug)]
pub(super) struct Proxies {
    /// Its host, in lower case: it may be in a private network.
    pub(super) hosts: BTreeSet<String>,
    matcher: Matcher,
    exceptions: Exceptions,
}

impl Proxies {
    /// Reads the environment.
    ///
    /// # Errors
    /// If a variable is set that the client could not use: it would send requests past the proxy.
    pub(super) fn system() -> Result<Self, ProxyError> {
        check(std::env::var_os)?;
        let matcher = Matcher::from_system();
        // `NO_PROXY` may except the name that is asked for here, though hardly this one.
        let proxy = matcher.intercept(&::http::Uri::from_static("https://service.invalid/"));
        let host = proxy.and_then(|proxy| Some(proxy.uri().host()?.to_ascii_lowercase()));
        let value = EXCEPT.into_iter().find_map(std::env::var_os).unwrap_or_default();
        let exceptions = Exceptions::read(&value.to_string_lossy());
        Ok(Self { hosts: host.into_iter().collect(), matcher, exceptions })
    }

    /// How a request to this origin goes.
    pub(super) fn way(&self, origin: &Origin) -> Way {
        let Some(proxy) =
            origin.join("/").parse().ok().and_then(|uri| self.matcher.intercept(&uri))
        else {
            return Way::AsTheClientDoes;
        };
        match origin.host() {
            Some(host) if self.exceptions.include(host, origin.port()) => Way::Directly,
            _ => {
                let kind = if origin.join("/").starts_with("https:") { HTTPS } else { HTTP };
                let is_set = |name: &&str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
                Way::Through {
                    proxy: match (proxy.uri().host(), proxy.uri().port_u16()) {
                        (Some(host), Some(port)) => format!("{host}:{port}"),
                        (host, _) => host.unwrap_or_default().to_owned(),
                    },
                    variable: kind.into_iter().chain(ALL).find(is_set),
                }
            }
        }
    }
}

/// How a request goes to an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Directly, as the client sends it by itself.
    AsTheClientDoes,
    /// Directly, though the client would use a proxy.
    Directly,
    /// Through this proxy, `host:port`, which this variable names.
    Through { proxy: String, variable: Option<&'static str> },
}

/// The names of `NO_PROXY`. Addresses and ranges in it are left to the client.
#[derive(Debug, Default)]
struct Exceptions(Vec<Exception>);

#[derive(Debug)]
struct Exception {
    /// In lower case, without the dot or the star before it.
    domain: String,
    /// Whether it excepts the name itself too, and not only what is below it.
    itself: bool,
    port: Option<u16>,
}

impl Exceptions {
    /// Reads entries that commas or white space separate: `acme.test` and `.acme.test` are the name
    /// and every name below it, `*.acme.test` every name below it, `*` every name; `:443` behind
    /// one limits it to this port.
    fn read(text: &str) -> Self {
        let entries = text.split(|sign: char| sign == ',' || sign.is_whitespace());
        let exceptions = entries.filter(|entry| !entry.is_empty()).map(|entry| {
            let (name, port) = match entry.rsplit_once(':') {
                Some((name, port)) if !name.contains(':') => (name, Some(port)),
                _ => (entry, None),
            };
            let below = name.strip_prefix("*.");
            Exception {
                domain: below.unwrap_or(name).trim_matches('.').to_ascii_lowercase(),
                itself: below.is_none(),
                // An invalid port matches no request.
                port: port.map(|port| port.parse().unwrap_or(0)),
            }
        });
        Self(exceptions.filter(|exception| !exception.domain.is_empty()).collect())
    }

    fn include(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|Exception { domain, itself, port: only }| {
            let below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
            only.is_none_or(|only| only == port)
                && (domain == "*" || (*itself && host == *domain) || below())
        })
    }
}

/// Checks the variables that the client reads.
fn check(variable: impl Fn(&'static str) -> Option<OsString>) -> Result<(), ProxyError> {
    if variable(CGI).is_some() {
        let set = [HTTPS, HTTP, ALL]
            .into_iter()
            .flatten()
            .find(|name| variable(name).is_some_and(|value| !value.is_empty()));
        return set.map_or(Ok(()), |name| Err(ProxyError::Cgi(name)));
    }
    let mut https_is_set = false;
    for names in [HTTPS, HTTP, ALL] {
        let Some((name, value)) = names.into_iter().find_map(|name| Some((name, variable(name)?)))
        else {
            continue;
        };
        // An empty value is how a variable is switched off. The client does not look at the next
        // one then: who set that one means it to count.
        if value.is_empty() {
            let is_set =
                |other: &&'static str| variable(other).is_some_and(|value| !value.is_empty());
            match names.into_iter().filter(|other| *other != name).find(is_set) {
                Some(hidden) if !(names == ALL && https_is_set) => {
                    return Err(ProxyError::Hidden(hidden, name));
                }
                _ => continue,
            }
        }
        match value.to_str().ok_or(Fault::Unreadable).and_then(read) {
            Err(Fault::Unreadable) => return Err(ProxyError::Unreadable(name)),
            // Requests use https, for which the variable for all kinds is the second choice.
            Err(_) if names == ALL && https_is_set => {}
            Err(Fault::Unsupported(kind)) => return Err(ProxyError::Unsupported(name, kind)),
            Err(Fault::UnknownScheme) => return Err(ProxyError::UnknownScheme(name)),
            Ok(()) => https_is_set |= names == HTTPS,
        }
    }
    Ok(())
}

/// Parses `[http[s]://][user[:password]@]host[:port][/path]`. An ambiguous value is refused: the
/// client reads a password only up to its first `#`, `/` or `@`, and misreads the rest.
fn read(text: &str) -> Result<(), Fault> {
    let (scheme, rest) =
        text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, place) =
        authority.split_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#?\\".contains(&byte));
    if !is_plain || path.contains('@') || user == Some("") || !is_host_and_port(place) {
        return Err(Fault::Unreadable);
    }
    match scheme.map(str::to_ascii_lowercase).as_deref() {
        None | Some("http" | "https") => {}
        Some(scheme) if !is_scheme(scheme) => return Err(Fault::Unreadable),
        Some(scheme) => {
            let known = UNSUPPORTED.into_iter().find(|known| *known == scheme);
            return Err(known.map_or(Fault::UnknownScheme, Fault::Unsupported));
        }
    }
    let matcher = Matcher::builder().https(text).build();
    let taken = matcher.intercept(&::http::Uri::from_static("https://service.invalid/"));
    if taken.is_some() { Ok(()) } else { Err(Fault::Unreadable) }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether a text is a host, in brackets if it is an IPv6 address, and an optional port.
fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').map(|inner| inner.split_once(']')) {
        Some(Some((host, rest))) => {
            (host, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("")))
        }
        Some(None) => return false,
        None => text.split_once(':').map_or((text, Some("")), |(host, port)| (host, Some(port))),
    };
    let is_port = |port: &str| {
        port.is_empty()
            || port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok()
    };
    !host.is_empty() && !host.contains(['@', '[', ']']) && port.is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Result<(), ProxyError> {
        check(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_value_that_the_client_would_misread_is_refused_by_name() {
        for value in [
            "http://user:p@ss#1@proxy.test",
            "http://user:pass#1@proxy.test:8080",
            "http://user:p@ss@proxy.test:8080",
            "http://user:p\\ss@proxy.test:8080",
            "http://user:p ss@proxy.test:8080",
            "http://user:pa/ss@proxy.test:8080",
            "http://user:1234/ss@proxy.test:8080",
            "http://user:pa?ss@proxy.test:8080",
            "http://user:pä@proxy.test:8080",
            "http://user:p\"ss@proxy.test:8080",
            "http://proxy.test:8080 ",
            "http://proxy.test:808O",
            "http://proxy.test:80808",
            "http://proxy.test:80:80",
            "http://[::1",
            "http://[::1]8080",
            "http://@proxy.test",
            "http://user:pass@",
            "http://",
            "://proxy.test",
            "ht tp://proxy.test",
            "user:pa://ss@proxy.test",
            "http:proxy.test",
            "//proxy.test",
            "proxy.test:8080/",
            "\t",
        ] {
            for name in [HTTPS, HTTP, ALL].concat() {
                let error = checked(&[(name, value)]).unwrap_err();
                assert_eq!(error, ProxyError::Unreadable(name), "{value}");
                let said = format!("{error} {}", error.hint());
                assert!(
                    said.contains(&format!("`{name}`")) && said.contains("`#` is %23"),
                    "{said}"
                );
                assert!(!said.contains("ss@") && !said.contains("proxy.test"), "{said}");
            }
        }
    }

    #[test]
    fn every_usual_form_of_an_exception_is_read() {
        for (text, excepted, others) in [
            (
                "acme.test",
                &["acme.test", "api.acme.test", "API.ACME.test"][..],
                &["xacme.test"][..],
            ),
            (".acme.test", &["acme.test", "api.acme.test"], &["test"]),
            ("*.acme.test", &["api.acme.test", "a.b.acme.test"], &["acme.test", "xacme.test"]),
            ("*", &["acme.test"], &[]),
            ("acme.test:443", &["acme.test", "api.acme.test"], &[]),
            ("*.acme.test:443", &["api.acme.test"], &["acme.test"]),
            ("acme.test:8443", &[], &["acme.test"]),
            ("acme.test:https", &[], &["acme.test"]),
            ("localhost, other.test acme.test", &["acme.test", "other.test"], &["third.test"]),
            ("10.0.0.0/8,::1", &[], &["acme.test"]),
            (" , .", &[], &["acme.test"]),
        ] {
            let exceptions = Exceptions::read(text);
            for host in excepted {
                assert!(exceptions.include(host, 443), "{text}: {host}");
            }
            for host in others {
                assert!(!exceptions.include(host, 443), "{text}: {host}");
            }
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_refused() {
        let error = check(|name| {
            (name == "https_proxy").then(|| OsString::from_vec(b"http://\xff".to_vec()))
        })
        .unwrap_err();
        assert_eq!(error, ProxyError::Unreadable("https_proxy"));
    }

    #[test]
    fn what_the_client_reads_as_it_is_meant_is_taken() {
        for value in [
            "http://proxy.test:8080",
            "HTTP://proxy.test:8080/",
            "https://proxy.test",
            "http://proxy.test:8080/path",
            "proxy.test",
            "proxy.test:3128",
            "http://[2001:db8::1]:3128",
            "http://user@proxy.test",
            "http://user:@proxy.test",
            "http://user:p%40ss%231@proxy.test:8080",
            "http://user:a:b@proxy.test:8080",
            "user:p%40ss@proxy.test:8080",
            "",
        ] {
            for name in [HTTPS, HTTP, ALL].concat() {
                assert_eq!(checked(&[(name, value)]), Ok(()), "{value}");
            }
        }
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused_by_its_name() {
        for (value, kind) in [
            ("socks5://proxy.test:1080", "socks5"),
            ("SOCKS5H://proxy.test", "socks5h"),
            ("socks4://a:1", "socks4"),
        ] {
            for name in [HTTPS, HTTP, ALL].concat() {
                assert_eq!(checked(&[(name, value)]), Err(ProxyError::Unsupported(name, kind)));
            }
        }
        assert_eq!(
            checked(&[("HTTPS_PROXY", "htp://proxy.test")]),
            Err(ProxyError::UnknownScheme("HTTPS_PROXY"))
        );
        // It is not used if there is one for https.
        assert_eq!(
            checked(&[("ALL_PROXY", "socks5://a:1"), ("https_proxy", "http://a:2")]),
            Ok(())
        );
        assert!(
            checked(&[("ALL_PROXY", "socks5://a:1"), ("https_proxy", ""), ("HTTP_PROXY", "a:2")])
                .is_err()
        );
    }

    #[test]
    fn a_variable_that_an_empty_one_hides_is_refused_with_both_names() {
        for [first, second] in [HTTPS, HTTP, ALL] {
            let error = checked(&[(first, ""), (second, "http://a:1")]).unwrap_err();
            assert_eq!(error, ProxyError::Hidden(second, first));
            let said = error.to_string();
            assert!(said.contains(first) && said.contains(second), "{said}");
            for variables in [[(first, ""), (second, "")], [(first, "http://a:1"), (second, "")]] {
                assert_eq!(checked(&variables), Ok(()), "{variables:?}");
            }
        }
        // It is not asked where there is one for https.
        let https = ("HTTPS_PROXY", "http://a:2");
        assert_eq!(checked(&[https, ("ALL_PROXY", ""), ("all_proxy", "http://a:1")]), Ok(()));
    }

    #[test]
    fn what_the_client_does_not_look_at_is_not_looked_at_here() {
        assert_eq!(
            checked(&[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://a#b")]),
            Ok(())
        );
        assert_eq!(checked(&[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", "")]), Ok(()));
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "all_proxy"] {
            assert_eq!(
                checked(&[("REQUEST_METHOD", "GET"), (name, "http://a:1")]),
                Err(ProxyError::Cgi(name))
            );
        }
        assert_eq!(checked(&[("FTP_PROXY", "http://a#b"), ("NO_PROXY", "#")]), Ok(()));
    }
}
