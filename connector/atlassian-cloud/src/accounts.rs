//! What an account stands for, and where it is used, in both lists of them.

use smp_connector_kit::json::Text;
use smp_connector_kit::{MemberKind, text};

/// How the address of a service account ends, whatever the type of the account: its domain, or a
/// name below it.
const SERVICE_ACCOUNT: &[u8; 28] = b"serviceaccount.atlassian.com";

/// What an account stands for, by its type and its address.
pub fn kind(word: Option<Text<'_>>, email: Option<&str>) -> Option<MemberKind> {
    let split = email.and_then(|email| email.as_bytes().split_last_chunk::<28>());
    if let Some((before @ [.., b'@' | b'.'], end)) = split
        && before.contains(&b'@')
        && end.eq_ignore_ascii_case(SERVICE_ACCOUNT)
    {
        return Some(MemberKind::ServiceAccount);
    }
    let word = word.and_then(Text::filled)?;
    Some(match word.as_str().as_bytes() {
        b"atlassian" => MemberKind::Person,
        b"app" => MemberKind::App,
        b"customer" => MemberKind::Customer,
        word if is_service_account(word) => MemberKind::ServiceAccount,
        _ => MemberKind::Other(word.into_string()),
    })
}

/// A URL without its scheme and the slashes at its end.
pub fn bare(url: &str) -> &str {
    text::without_scheme(url).unwrap_or(url).trim_end_matches('/')
}

/// Whether the letters of a word are these, however it is written.
fn is_service_account(word: &[u8]) -> bool {
    let letters = word.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(u8::to_ascii_lowercase).eq(*b"serviceaccount")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_an_account_says_what_it_stands_for() {
        let rows = [
            ("atlassian", MemberKind::Person),
            ("app", MemberKind::App),
            ("customer", MemberKind::Customer),
            ("service_account", MemberKind::ServiceAccount),
            ("SERVICE-ACCOUNT", MemberKind::ServiceAccount),
            ("serviceAccount", MemberKind::ServiceAccount),
            ("robot", MemberKind::Other("robot".to_owned())),
        ];
        for (word, case) in rows {
            assert_eq!(kind(Some(word.into()), Some("a@acme.test")), Some(case), "{word}");
        }
        assert_eq!(kind(Some("".into()), None), None);
        assert_eq!(kind(None, None), None);
    }

    #[test]
    fn a_site_has_no_scheme_and_no_slash_at_its_end() {
        let rows = [
            ("https://a.test/", "a.test"),
            ("HTTP://A.test", "A.test"),
            ("a.test/wiki/", "a.test/wiki"),
            ("a.test/?u=http://b.test", "a.test/?u=http://b.test"),
            ("https://", ""),
        ];
        for (url, site) in rows {
            assert_eq!(bare(url), site, "{url}");
        }
    }

    #[test]
    fn the_address_of_a_service_account_counts_more_than_its_type() {
        for (email, is_one) in [
            ("ci-1@serviceaccount.atlassian.com", true),
            ("CI-1@ServiceAccount.Atlassian.com", true),
            ("@serviceaccount.atlassian.com", true),
            ("b@eu.serviceaccount.atlassian.com", true),
            ("b@a.EU.ServiceAccount.atlassian.com", true),
            ("b.serviceaccount.atlassian.com", false),
            ("serviceaccount.atlassian.com@acme.test", false),
            ("b@eu.serviceaccount.atlassian.com.test", false),
            ("b@eu-serviceaccount.atlassian.com", false),
            ("ci-1@serviceaccount.atlassian.com.test", false),
            ("ci-1@xserviceaccount.atlassian.com", false),
            ("serviceaccount.atlassian.com", false),
        ] {
            for word in ["app", "atlassian", "robot"] {
                let kind = kind(Some(word.into()), Some(email));
                assert_eq!(kind == Some(MemberKind::ServiceAccount), is_one, "{email} {word}");
            }
        }
    }
}
