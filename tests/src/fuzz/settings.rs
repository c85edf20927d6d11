//! Target `settings`: the key is in its own field, or refused and not repeated.
//!
//! An input is, in parts: the organization id, the key, the name of one more setting and its value,
//! and a pattern of the form.
//!
//! Property: only declared settings are accepted. No accepted value contains the key, or a word
//! with a key's prefix; nor does any output about accepted or refused settings.

use smp_host::contract::{Attachment, SecretPrefix, SecretUse, SettingField};
use smp_host::failure::Code;
use smp_host::settings::{SecretText, Settings};

use super::parts::{parts, text};
use super::policy;

/// Texts with a meaning in a setting.
pub const DICTIONARY: &[&str] = &[
    "\u{1e}",
    KEY,
    "KEY-",
    "TOK-",
    "organization-id",
    "api-key",
    " ",
    "\t",
    "\n",
    "=",
    ":",
    "\"",
    "Bearer ",
    "[a-z]+",
    "(a|b)*",
    "\\p{L}{50}",
    "\u{1b}",
];

/// The prefix of a key in an input: the form's prefix, which occurs nowhere else.
const KEY: &str = "KEY-zqjx";

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut parts = parts(data);
    let (organization, key, name, value) =
        (text(parts.next()), text(parts.next()), text(parts.next()), text(parts.next()));
    let pattern = parts.next().map(|pattern| text(Some(pattern)));
    let mut descriptor = policy::descriptor(None);
    descriptor.settings[0].pattern = pattern;
    descriptor.settings.push(api_key());

    let key = format!("{KEY}{key}");
    let values = [("organization-id".to_owned(), organization), (name, value)];
    let settings = Settings {
        values: values.into_iter().filter(|(name, _)| !name.is_empty()).collect(),
        secrets: [("api-key".to_owned(), SecretText::new(key.clone()))].into(),
    };
    match settings.check(&descriptor, true) {
        Err(failure) => {
            assert_eq!(failure.code, Code::InvalidSettings, "{failure}");
            assert_no_key(&format!("{failure:?}"), &key);
        }
        Ok(checked) => {
            assert_no_key(&format!("{checked:?}"), &key);
            assert!(checked.credential.is_some());
            for setting in &checked.public {
                assert_eq!(
                    (setting.key.as_str(), setting.value.as_str()),
                    ("organization-id", setting.value.trim())
                );
                assert!(setting.value.len() <= 1_024, "{setting:?}");
            }
        }
    }
}

fn assert_no_key(text: &str, key: &str) {
    assert!(!text.contains(key.trim()), "{text}");
    for (at, _) in text.match_indices(KEY) {
        let before = text[..at].chars().next_back();
        assert!(
            before.is_some_and(|before| before.is_alphanumeric() || "-_./@".contains(before)),
            "{text}"
        );
    }
}

fn api_key() -> SettingField {
    let prefix = |prefix: &str, expected| SecretPrefix {
        prefix: prefix.into(),
        meaning: "x".into(),
        expected,
        hint: "x".into(),
    };
    SettingField {
        key: "api-key".into(),
        label: "Api Key".into(),
        help: String::new(),
        placeholder: String::new(),
        pattern: Some("KEY.*".into()),
        required: true,
        default: None,
        choices: vec![],
        secret: Some(SecretUse {
            attachment: Attachment::Bearer,
            prefixes: vec![prefix("KEY-", true), prefix("TOK-", false)],
        }),
        attributes: Vec::new(),
    }
}
