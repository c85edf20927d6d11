//! Web and e-mail addresses in a component's texts: which may be a link, and whether a link's text
//! reads as another address. Pure, and linear in the length of the text.

/// Longest address, in characters. Browsers and servers disagree about addresses of more than a few
/// thousand; a guide needs none longer than this.
pub(crate) const LONGEST_ADDRESS: usize = 500;

/// Whether the text is an address that a guide may link to.
pub fn is_address(text: &str) -> bool {
    let behind = |scheme: &str| {
        text.get(..scheme.len())
            .filter(|head| head.eq_ignore_ascii_case(scheme))
            .and_then(|_| text.get(scheme.len()..))
    };
    let begins_well = |rest: &str| rest.starts_with(|sign: char| sign.is_ascii_alphanumeric());
    // A user name before a host makes the address look like another.
    let is_web = |rest: &str| begins_well(rest) && !authority(rest).contains('@');
    text.len() <= LONGEST_ADDRESS
        && text.chars().all(is_of_address)
        && !holds_reference(text)
        && (behind("https://").or_else(|| behind("http://")).is_some_and(is_web)
            || behind("mailto:").is_some_and(begins_well))
}

/// Whether the text reads as an address other than the one it links to.
pub fn is_misleading(text: &str, address: &str) -> bool {
    let text = text.trim();
    if text.contains("://") {
        return text != address;
    }
    let reads_as_one = text.contains('.') && !text.contains(char::is_whitespace);
    let plain = |text: &str| {
        let text = text.to_ascii_lowercase();
        let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
        text.strip_prefix("mailto:").unwrap_or(text).to_owned()
    };
    reads_as_one && !plain(address).starts_with(&plain(text)) && !is_end_of_path(text, address)
}

/// The first web address in the text that stands on its own: where it begins and ends.
pub(crate) fn find(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let colon = from + rest.find("://")?;
        from = colon + 3;
        let head = text.get(..colon)?;
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let cut = head.len().checked_sub(scheme.len());
            cut.and_then(|cut| head.get(cut..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
        });
        let Some(start) = scheme.map(|scheme| colon - scheme.len()) else { continue };
        if text.get(..start)?.chars().next_back().is_some_and(char::is_alphanumeric) {
            continue;
        }
        // One sign beyond the bound is enough to know that an address is too long.
        let length = text
            .get(start..)?
            .bytes()
            .take(LONGEST_ADDRESS + 1)
            .take_while(|&byte| is_of_address(char::from(byte)))
            .count();
        // Punctuation at the end is part of the sentence.
        let found = text
            .get(start..start + length)?
            .trim_end_matches(['.', ',', ';', ':', '!', '?', '_', '~']);
        if length <= LONGEST_ADDRESS && is_address(found) {
            return Some((start, start + found.len()));
        }
    }
}

/// The name of a file at the end of the address, as `setup.html`.
fn is_end_of_path(text: &str, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let Some((before, name)) = path.rsplit_once('/') else { return false };
    // Not the host itself, nor a name that ends as a host can.
    let is_in_a_path = before.matches('/').count() >= 2;
    let is_file = FILES.iter().any(|ending| text.ends_with(ending));
    is_in_a_path && is_file && name == text
}

/// Endings that no top-level domain has.
const FILES: [&str; 7] = [".html", ".htm", ".pdf", ".json", ".toml", ".yaml", ".txt"];

/// The host and port, with a user name if there is one.
fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether a reader of HTML or Markdown could take a part of it for a character reference.
pub(crate) fn holds_reference(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| begins_reference(text.get(at..).unwrap_or_default()))
}

/// Whether a reader of HTML or Markdown would take the beginning for a character reference.
pub(crate) fn begins_reference(text: &str) -> bool {
    /// Longest name of a character reference in HTML, with room.
    const LONGEST: usize = 40;
    let name = text.as_bytes().get(1..).unwrap_or_default();
    let length = name
        .iter()
        .take(LONGEST)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#')
        .count();
    length > 0 && name.get(length) == Some(&b';')
}

/// The signs of an address that have no meaning in Markdown and HTML. Other scripts are left out,
/// because their look-alikes deceive.
fn is_of_address(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-._~:/?#@!$&+,;=%".contains(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_web_or_of_e_mail_and_plain() {
        for (text, expected) in [
            ("https://a.test/x?y=1&z=2#top", true),
            ("HTTP://a.test", true),
            ("mailto:ann@a.test", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("ftp://a.test", false),
            ("//a.test", false),
            ("https://", false),
            ("https://good.test@evil.test/", false),
            ("https://a.test/x@y", true),
            ("https://good.test&commat;evil.test/", false),
            ("https://good.test/?a&#64;b", false),
            ("https://a.test/?a=1&b=2;c", true),
            ("https://a.test/*x*", false),
            ("https://a.test/(x)", false),
            ("https://аpple.test", false),
        ] {
            assert_eq!(is_address(text), expected, "{text}");
        }
        let long = |length: usize| format!("https://{}", "a".repeat(length - 8));
        assert!(is_address(&long(LONGEST_ADDRESS)) && !is_address(&long(LONGEST_ADDRESS + 1)));
    }

    #[test]
    fn a_text_that_reads_as_another_address_is_misleading() {
        for (text, address, expected) in [
            ("the page", "https://evil.test", false),
            ("good.test", "https://good.test/x", false),
            ("Good.test", "https://good.test/x", false),
            ("good.test", "https://evil.test", true),
            ("good.test", "https://evil.test/good.test", true),
            ("good.test", "https://evil.test/?good.test", true),
            ("https://good.test", "https://evil.test", true),
            ("https://good.test", "https://good.test", false),
            ("ann@good.test", "mailto:ann@good.test", false),
            ("ann@good.test", "mailto:bob@evil.test", true),
            ("setup.html", "https://a.test/docs/setup.html#top", false),
            ("setup.com", "https://a.test/docs/setup.com", true),
            ("e.g. this", "https://a.test", false),
        ] {
            assert_eq!(is_misleading(text, address), expected, "{text} {address}");
        }
    }

    #[test]
    fn an_address_in_a_sentence_is_found_without_the_sentence() {
        for (text, expected) in [
            ("Go to https://a.test/b_c_d.", Some("https://a.test/b_c_d")),
            ("(https://a.test)", Some("https://a.test")),
            ("xhttps://a.test", None),
            ("javascript://a.test https://b.test", Some("https://b.test")),
            ("http://", None),
            ("h-h-h-h", None),
        ] {
            let found = find(text).and_then(|(start, end)| text.get(start..end));
            assert_eq!(found, expected, "{text}");
        }
    }
}
