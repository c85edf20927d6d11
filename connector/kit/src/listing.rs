//! Short constructors for a connector's descriptor.
//!
//! They take only texts, which ship in the component; keep them short.

use crate::contract::{
    Choice, DataField, DataSet, GuideSection, Question, SecretPrefix, SettingField,
};

/// A field of the form that must be filled in, without an example, a pattern or a secret. Add these
/// by name, as in `SettingField { placeholder: "acme".into(), ..setting(…) }`.
pub fn setting(key: &str, label: &str, help: &str) -> SettingField {
    SettingField {
        key: key.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        placeholder: String::new(),
        pattern: None,
        required: true,
        default: None,
        choices: Vec::new(),
        secret: None,
        attributes: Vec::new(),
    }
}

/// A field of the form in which one of a few values is chosen, pairs of a value and its label; the
/// first counts where none is.
pub fn choice(key: &str, label: &str, help: &str, choices: &[(&str, &str)]) -> SettingField {
    let one = |(value, label): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
    };
    SettingField {
        required: false,
        default: choices.first().map(|(value, _)| (*value).to_owned()),
        choices: choices.iter().map(one).collect(),
        ..setting(key, label, help)
    }
}

/// A prefix of the right secret, with a hint for a secret that was not accepted.
pub fn right_secret(prefix: &str, meaning: &str, hint: &str) -> SecretPrefix {
    let (prefix, meaning, hint) = (prefix.to_owned(), meaning.to_owned(), hint.to_owned());
    SecretPrefix { prefix, meaning, expected: true, hint }
}

/// A prefix of a secret that is often mistaken for the right one, with a hint on what to enter
/// instead.
pub fn wrong_secret(prefix: &str, meaning: &str, hint: &str) -> SecretPrefix {
    SecretPrefix { expected: false, ..right_secret(prefix, meaning, hint) }
}

/// A set of records that is collected, with its fields as pairs of a name and a description.
pub fn data_set(name: &str, fields: &[(&str, &str)]) -> DataSet {
    let field = |(name, description): &(&str, &str)| DataField {
        name: (*name).to_owned(),
        description: (*description).to_owned(),
    };
    DataSet { name: name.to_owned(), fields: fields.iter().map(field).collect() }
}

/// A section of the setup guide; the introduction may be empty.
pub fn section(title: &str, introduction: &str, steps: &[&str]) -> GuideSection {
    GuideSection {
        title: title.to_owned(),
        introduction: introduction.to_owned(),
        steps: texts(steps),
    }
}

/// A question that people ask, with its answer.
pub fn question(question: &str, answer: &str) -> Question {
    Question { question: question.to_owned(), answer: answer.to_owned() }
}

/// Texts as owned strings.
pub fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
