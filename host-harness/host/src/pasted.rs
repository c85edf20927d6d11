//! The one reader of pasted values: a secret, an identifier, or the file that holds one.
//!
//! People paste more than the value: white space, quotes, the name of a variable, the address that
//! stands before a key. What leaves no doubt is taken: a byte order mark, and white space or
//! invisible characters around the value. Anything else is named for what it is, before a request.
//! A value is never taken out of a longer text, and no text is ever repeated.

use std::borrow::Cow;

/// Most characters of the name of a variable. Keys that have `=` in them have many more before it.
const LONGEST_NAME: usize = 40;
/// Fewest characters behind `NAME=` that can be a value: fewer may be the padding of base64.
const SHORTEST_VALUE: usize = 8;
/// Words in the names of variables that hold a key.
const KEY_WORDS: [&str; 8] = ["key", "token", "secret", "pass", "auth", "api", "pat", "cred"];
/// Quotes that come in pairs, the opening one first.
const QUOTES: [(char, char); 7] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{ab}', '\u{bb}'),
];

/// Why the bytes of a file are not a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotText {
    /// It is UTF-16, as some editors and PowerShell write it.
    #[error("it is UTF-16 text: save it as UTF-8")]
    Utf16,
    /// It has a NUL byte in it, as a file has that is no text.
    #[error("it holds a NUL byte, which no text has: save it as UTF-8 text")]
    Nul,
    /// It is no UTF-8.
    #[error("it is not UTF-8 text")]
    Other,
}

/// What was pasted in place of the value alone. Displayed, it ends a sentence such as "the key
/// cannot be right: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pasted {
    /// It is in quotes.
    #[error("it is in quotes; leave them out")]
    Quotes,
    /// It is `NAME=value`.
    #[error("it begins with the name of a variable; leave out everything before the value")]
    Assignment,
    /// It names where the value is: `$KEY`, `op://…`.
    #[error("it names a variable or a place where the value is; enter the value itself")]
    Reference,
    /// It is the text of a manual: `<your-api-key>`.
    #[error("it only stands for the value, as in a manual; enter the value itself")]
    Placeholder,
    /// Its middle is left out.
    #[error("its middle is left out, as pages and logs show it; copy it where it is shown whole")]
    Shortened,
    /// A sign stands after it.
    #[error("it ends with `{0}`, which is no part of it; leave that out")]
    Trailing(char),
    /// It is `user@host:value`.
    #[error("an e-mail address and a colon stand before it; leave them out")]
    Address,
    /// It is a header, or its value: `Bearer …`.
    #[error("a word such as `Bearer` stands before it; enter what follows alone")]
    Scheme,
    /// It has a line that begins with `#`.
    #[error(
        "it has a comment in it, a line that begins with `#`; leave only the line of the value"
    )]
    Comment,
    /// It has several lines.
    #[error("it has more than one line; leave only the line of the value")]
    Lines,
    /// It is JSON.
    #[error("it is a piece of JSON; enter only the value in it")]
    Json,
    /// It is the address of a page.
    #[error("it is the address of a web page")]
    Url,
    /// It is what a password field shows.
    #[error(
        "it is only stars or dots, which a page shows in place of it; copy it where it is shown"
    )]
    Masked,
    /// A character in it cannot be seen.
    #[error("it has an invisible character in it, U+{0:04X}; type it, or copy it from elsewhere")]
    Invisible(u32),
    /// A space in it is no plain one.
    #[error("it has a no-break space in it; enter it without")]
    NoBreakSpace,
    /// It has a space in it.
    #[error("it has a space in it")]
    Space,
}

/// The text of a file, without its byte order mark.
///
/// # Errors
/// If it is not UTF-8.
pub fn text(bytes: Vec<u8>) -> Result<String, NotText> {
    let utf16 = [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    if utf16 || bytes.contains(&0) {
        return Err(if utf16 || is_wide(&bytes) { NotText::Utf16 } else { NotText::Nul });
    }
    let mut text = String::from_utf8(bytes).map_err(|_| NotText::Other)?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Whether every second byte is zero, as in UTF-16 of plain letters.
fn is_wide(bytes: &[u8]) -> bool {
    let zeros = |skip: usize| {
        let mut others = bytes.iter().skip(skip).step_by(2);
        bytes.len() >= 2 && others.all(|byte| *byte == 0)
    };
    zeros(0) || zeros(1)
}

/// The value without white space and invisible characters around it.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || is_invisible(character))
}

/// What a text is, if it is recognizably more than a secret, or none.
#[must_use]
pub fn beside_a_secret(text: &str) -> Option<Pasted> {
    let text = trimmed(text);
    shape(text).or_else(|| {
        if is_reference(text) {
            Some(Pasted::Reference)
        } else if is_assignment(text) {
            Some(Pasted::Assignment)
        } else if has_address(text) {
            Some(Pasted::Address)
        } else if is_placeholder(text) {
            Some(Pasted::Placeholder)
        } else if text.contains("...") || text.contains('\u{2026}') {
            Some(Pasted::Shortened)
        } else {
            spaced(text).or_else(|| trailing(text))
        }
    })
}

/// What a text is, if it is more than the value that the setting wants: `fits` says whether a value
/// is one.
#[must_use]
pub fn beside_a_value(text: &str, fits: impl Fn(&str) -> bool) -> Option<Pasted> {
    let text = trimmed(text);
    if text.is_empty() || fits(text) {
        return None;
    }
    let (visible, invisible) = visible(text);
    if let Some(character) = invisible.filter(|_| fits(&visible)) {
        return Some(Pasted::Invisible(character.into()));
    }
    if unquoted(text).is_some_and(|inner| fits(trimmed(inner))) {
        return Some(Pasted::Quotes);
    }
    let (name, value) = text.split_once('=')?;
    let value = trimmed(value);
    let value = unquoted(value).unwrap_or(value);
    (is_name(trimmed(name)) && fits(trimmed(value))).then_some(Pasted::Assignment)
}

/// What the form of a text says, whatever it is for.
fn shape(text: &str) -> Option<Pasted> {
    let mut lines = text.lines().map(trimmed).filter(|line| !line.is_empty());
    let several = lines.clone().nth(1).is_some();
    if text.starts_with('{') || text.starts_with('[') {
        Some(Pasted::Json)
    } else if lines.any(|line| line.starts_with('#') && (several || line.contains(' '))) {
        Some(Pasted::Comment)
    } else if several {
        Some(Pasted::Lines)
    } else if unquoted(text).is_some() {
        Some(Pasted::Quotes)
    } else if ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
        Some(Pasted::Url)
    } else if !text.is_empty()
        && text.chars().all(|c| "*\u{2022}\u{25cf}\u{b7}\u{2026}".contains(c))
    {
        Some(Pasted::Masked)
    } else {
        None
    }
}

/// What the characters between the others are, in a value that has none.
fn spaced(text: &str) -> Option<Pasted> {
    if let (_, Some(character)) = visible(text) {
        return Some(Pasted::Invisible(character.into()));
    }
    let schemes = ["bearer ", "basic ", "token ", "authorization:", "x-api-key:"];
    let lower = text.get(..20).unwrap_or(text).to_ascii_lowercase();
    if schemes.iter().any(|scheme| lower.starts_with(scheme)) {
        return Some(Pasted::Scheme);
    }
    if text.contains(' ') {
        return Some(Pasted::Space);
    }
    text.contains(char::is_whitespace).then_some(Pasted::NoBreakSpace)
}

/// Whether a text is `NAME=value` or `name: value`, where the name is one of a variable that holds
/// a key, or where a shell sets it.
fn is_assignment(text: &str) -> bool {
    let (text, is_set) = ["export ", "set ", "$env:"]
        .iter()
        .find_map(|word| text.strip_prefix(word))
        .map_or((text, false), |rest| (rest, true));
    ['=', ':'].into_iter().any(|sign| {
        let Some((name, value)) = text.split_once(sign) else { return false };
        let name = trimmed(name).to_ascii_lowercase();
        is_name(&name)
            && (is_set || KEY_WORDS.iter().any(|word| name.contains(word)))
            && trimmed(value).chars().count() >= SHORTEST_VALUE
    })
}

/// Whether a text names a variable, or a place in a store of secrets.
fn is_reference(text: &str) -> bool {
    const STORES: [&str; 8] = [
        "op://",
        "vault://",
        "vault:",
        "secret://",
        "gcpsm://",
        "awssm://",
        "arn:aws:",
        "keyring:",
    ];
    let variable = text.strip_prefix('$').map(|rest| rest.strip_prefix("env:").unwrap_or(rest));
    let between = |open, close| {
        text.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close)).map(trimmed)
    };
    let names = [variable, between("${", "}"), between("%", "%"), between("$(", ")")];
    names.into_iter().flatten().any(is_name)
        || between("{{", "}}").is_some()
        || between("${{", "}}").is_some()
        || STORES.iter().any(|store| text.starts_with(store))
}

/// Whether a text stands for a key where one is explained.
fn is_placeholder(text: &str) -> bool {
    if text.starts_with('<') && text.ends_with('>') {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    let is_words = !lower.bytes().any(|byte| byte.is_ascii_digit()) && is_name(&lower);
    let mut words = lower.split(['-', '_', '.']);
    is_words && words.any(|word| ["your", "paste", "changeme", "placeholder"].contains(&word))
}

/// The sign after a text that is otherwise only of what keys are made of: a list, a line of code or
/// a shell has it there.
fn trailing(text: &str) -> Option<Pasted> {
    let last = text.chars().last().filter(|last| ";,\\".contains(*last))?;
    let rest = text.strip_suffix(last)?;
    let is_of_keys = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=+~./".contains(&byte);
    (rest.len() >= LONGEST_NAME / 2 && rest.bytes().all(is_of_keys))
        .then_some(Pasted::Trailing(last))
}

/// Whether a text can be the name of a variable or a setting.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte))
}

/// Whether an e-mail address and a colon stand before something else.
fn has_address(text: &str) -> bool {
    let Some((address, rest)) = text.split_once(':') else { return false };
    let Some((user, host)) = address.split_once('@') else { return false };
    !user.is_empty() && host.contains('.') && !host.contains('@') && !rest.is_empty()
}

/// What stands between quotes.
fn unquoted(text: &str) -> Option<&str> {
    QUOTES.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(*open)?.strip_suffix(*close)?;
        (!inner.is_empty()).then_some(inner)
    })
}

/// The text without invisible characters, and the first of them.
fn visible(text: &str) -> (Cow<'_, str>, Option<char>) {
    match text.chars().find(|character| is_invisible(*character)) {
        None => (Cow::Borrowed(text), None),
        some => (Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect()), some),
    }
}

/// Whether a character takes no room, and so gets into a value unseen.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_utf_8_with_or_without_its_mark() {
        for (bytes, expected) in [
            (&b"key"[..], Ok("key")),
            (b"\xef\xbb\xbfkey\n", Ok("key\n")),
            (b"", Ok("")),
            (b"\xff\xfek\0e\0y\0", Err(NotText::Utf16)),
            (b"\xfe\xff\0k\0e\0y", Err(NotText::Utf16)),
            (b"k\0e\0y\0", Err(NotText::Utf16)),
            (b"\0k\0e\0y", Err(NotText::Utf16)),
            (b"k\0ey", Err(NotText::Nul)),
            (b"key\0", Err(NotText::Nul)),
            (b"key\xff\0", Err(NotText::Nul)),
            (b"k\xff", Err(NotText::Other)),
        ] {
            assert_eq!(text(bytes.to_vec()).as_deref(), expected.as_ref().map(|text| *text));
        }
    }

    #[test]
    fn what_surrounds_a_value_and_cannot_be_seen_is_left_out() {
        for text in [
            "value",
            " value\r\n",
            "\u{a0}value\u{a0}",
            "\u{feff}value",
            "value\u{200b}",
            "\u{2060} value \u{200d}",
        ] {
            assert_eq!(trimmed(text), "value", "{text:?}");
        }
    }

    #[test]
    fn what_is_pasted_beside_a_secret_is_named() {
        for (text, named) in [
            ("\"ATCTT3xFfGF0abc\"", Some(Pasted::Quotes)),
            ("'ATCTT3xFfGF0abc'", Some(Pasted::Quotes)),
            ("\u{201c}ATCTT3xFfGF0abc\u{201d}", Some(Pasted::Quotes)),
            ("ATLASSIAN_KEY=ATCTT3xFfGF0abc", Some(Pasted::Assignment)),
            ("export ATLASSIAN_TOKEN='ATCTT3xFfGF0abc'", Some(Pasted::Assignment)),
            ("api-key = \"ATCTT3xFfGF0abc\"", Some(Pasted::Assignment)),
            ("me@acme.example:ATATT3xFfGF0abc", Some(Pasted::Address)),
            ("# the key of May\nATCTT3xFfGF0abc", Some(Pasted::Comment)),
            ("ATCTT3xFfGF0abc\n# the key of May", Some(Pasted::Comment)),
            ("# the key of May", Some(Pasted::Comment)),
            ("ATCTT3x\nFfGF0abc", Some(Pasted::Lines)),
            ("line\r\nX-Evil: 1", Some(Pasted::Lines)),
            ("{\"key\": \"ATCTT3xFfGF0abc\"}", Some(Pasted::Json)),
            ("Bearer ATCTT3xFfGF0abc", Some(Pasted::Scheme)),
            ("Authorization:Bearer", Some(Pasted::Scheme)),
            ("https://admin.atlassian.com/o/1", Some(Pasted::Url)),
            ("\u{2022}\u{2022}\u{2022}\u{2022}", Some(Pasted::Masked)),
            ("****", Some(Pasted::Masked)),
            ("ATCTT\u{200b}3xFfGF0abc", Some(Pasted::Invisible(0x200b))),
            ("ATCTT\u{a0}3xFfGF0abc", Some(Pasted::NoBreakSpace)),
            ("ATCTT 3xFfGF0abc", Some(Pasted::Space)),
            ("ATCTT3xFfGF0abc", None),
            ("\u{feff}ATCTT3xFfGF0abc\n", None),
            ("ATATT3xFfGF0T_-abcdefghijklmnopqrstuvwxyz0123456789=5E1A2B3C", None),
            ("c2VjcmV0a2V5LXRva2VuCg==", None),
            ("key:ATCTT3xFfGF0abc", Some(Pasted::Assignment)),
            ("api-key: ATCTT3xFfGF0abc", Some(Pasted::Assignment)),
            ("$env:K='ATCTT3xFfGF0abc'", Some(Pasted::Assignment)),
            ("${ATLASSIAN_KEY}", Some(Pasted::Reference)),
            ("$ATLASSIAN_KEY", Some(Pasted::Reference)),
            ("$env:ATLASSIAN_KEY", Some(Pasted::Reference)),
            ("%ATLASSIAN_KEY%", Some(Pasted::Reference)),
            ("${{ secrets.KEY }}", Some(Pasted::Reference)),
            ("op://Private/Atlassian/key", Some(Pasted::Reference)),
            ("<key>", Some(Pasted::Placeholder)),
            ("<your-api-key>", Some(Pasted::Placeholder)),
            ("your-api-key", Some(Pasted::Placeholder)),
            ("PASTE-YOUR-KEY-HERE", Some(Pasted::Placeholder)),
            ("ATCTT3xFf...abcd", Some(Pasted::Shortened)),
            ("ATCTT3xFf\u{2026}abcd", Some(Pasted::Shortened)),
            ("ATCTT3xFfGF0abcdefghijk;", Some(Pasted::Trailing(';'))),
            ("ATCTT3xFfGF0abcdefghijk,", Some(Pasted::Trailing(','))),
            ("ATCTT3xFfGF0abcdefghijk\\", Some(Pasted::Trailing('\\'))),
            ("pass;word,", None),
            ("$3cr3t-with-a-sign", None),
            ("a:b", None),
            ("#hash-is-part-of-it", None),
            ("", None),
        ] {
            assert_eq!(beside_a_secret(text), named, "{text:?}");
        }
    }

    #[test]
    fn what_is_pasted_beside_a_value_is_named_where_the_rest_is_one() {
        let fits = |text: &str| text.len() == 6 && text.starts_with("acme-");
        for (text, named) in [
            ("acme-1", None),
            (" acme-1\u{200b}", None),
            ("\"acme-1\"", Some(Pasted::Quotes)),
            ("\u{ab}acme-1\u{bb}", Some(Pasted::Quotes)),
            ("acme\u{200b}-1", Some(Pasted::Invisible(0x200b))),
            ("organization-id=acme-1", Some(Pasted::Assignment)),
            ("ORG_ID=\"acme-1\"", Some(Pasted::Assignment)),
            ("\"other\"", None),
            ("\u{200b}other\u{200b}x", None),
            ("name=other", None),
            ("", None),
        ] {
            assert_eq!(beside_a_value(text, fits), named, "{text:?}");
        }
    }
}
