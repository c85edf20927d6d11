//! The descriptor of a component as JSON, for scripts.

use serde_json::{Map, Value, json};

use smp_host::component::plugin::PluginInfo;
use smp_host::contract::{
    Attachment, BasicHalf, Condition, Descriptor, Endpoint, OtherHalf, SettingField,
};

use crate::words::method;

/// The plugin info for scripts: every key is present, absent values are null.
#[must_use]
pub fn json(facts: &PluginInfo) -> Value {
    json!({
        "descriptor": descriptor(&facts.descriptor),
        "imports": facts.imports,
        "exports": facts.exports,
        "contract_version": facts.contract_version,
        "size_bytes": facts.size,
        "digest": facts.digest,
    })
}

fn descriptor(descriptor: &Descriptor) -> Value {
    let sets = descriptor.data_collected.iter().map(|set| {
        let fields = set
            .fields
            .iter()
            .map(|field| json!({"name": field.name, "description": field.description}));
        json!({"name": set.name, "fields": fields.collect::<Vec<_>>()})
    });
    let sections = descriptor.setup_guide.iter();
    let sections = sections.map(|section| json!({"title": section.title, "introduction": section.introduction, "steps": section.steps}));
    let questions = descriptor
        .faq
        .iter()
        .map(|question| json!({"question": question.question, "answer": question.answer}));
    json!({
        "id": descriptor.id,
        "name": descriptor.name,
        "version": descriptor.version,
        "vendor": descriptor.vendor,
        "summary": descriptor.summary,
        "pricing": descriptor.pricing,
        "status": descriptor.status,
        "integration_type": descriptor.integration_type,
        "data_collected": sets.collect::<Vec<_>>(),
        "permissions_required": descriptor.permissions_required,
        "settings": descriptor.settings.iter().map(setting).collect::<Vec<_>>(),
        "api": {
            "base": descriptor.api.base,
            "origins": descriptor.api.origins.as_ref().map(|origins| json!({"setting": origins.setting, "choices": attributes(&origins.choices)})),
            "endpoints": descriptor.api.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
            "rate_limit": {"requests": descriptor.api.rate_limit.requests, "period_ms": descriptor.api.rate_limit.period_ms},
        },
        "setup_guide": sections.collect::<Vec<_>>(),
        "faq": questions.collect::<Vec<_>>(),
        "attributes": attributes(&descriptor.attributes),
    })
}

fn setting(field: &SettingField) -> Value {
    let secret = field.secret.as_ref().map(|secret| {
        let prefixes = secret.prefixes.iter();
        let prefixes =
            prefixes.map(|known| json!({"prefix": known.prefix, "meaning": known.meaning, "expected": known.expected, "hint": known.hint}));
        json!({"attachment": attachment(&secret.attachment), "prefixes": prefixes.collect::<Vec<_>>()})
    });
    json!({
        "key": field.key,
        "label": field.label,
        "help": field.help,
        "placeholder": field.placeholder,
        "pattern": field.pattern,
        "required": field.required,
        "default": field.default,
        "choices": field.choices.iter().map(|choice| json!({"value": choice.value, "label": choice.label})).collect::<Vec<_>>(),
        "secret": secret,
        "attributes": attributes(&field.attributes),
    })
}

/// How a secret is attached: a word for the usual way, an object for the others.
fn attachment(attachment: &Attachment) -> Value {
    match attachment {
        Attachment::Bearer => json!("bearer"),
        Attachment::Header(header) => {
            json!({"header": {"name": header.name, "prefix": header.prefix}})
        }
        Attachment::Basic(basic) => {
            let secret = match basic.secret {
                BasicHalf::UserName => "user-name",
                BasicHalf::Password => "password",
            };
            let other = match &basic.other {
                OtherHalf::Setting(key) => json!({"setting": key}),
                OtherHalf::Fixed(text) => json!({"fixed": text}),
            };
            json!({"basic": {"secret": secret, "other": other}})
        }
    }
}

/// When an endpoint is needed: a setting and its value, or `"usage"`.
fn condition(condition: &Condition) -> Value {
    match condition {
        Condition::Setting(known) => json!({"setting": known.setting, "value": known.value}),
        Condition::Usage => json!("usage"),
    }
}

fn endpoint(endpoint: &Endpoint) -> Value {
    json!({
        "method": method(endpoint),
        "path": endpoint.path,
        "purpose": endpoint.purpose,
        "scope": endpoint.scope,
        "read_only": endpoint.read_only,
        "when": endpoint.when.iter().map(condition).collect::<Vec<_>>(),
        "request_headers": attributes(&endpoint.request_headers),
        "response_headers": endpoint.response_headers,
    })
}

/// Pairs as an object. Of a repeated name the first counts, as in the members' output.
fn attributes(pairs: &[(String, String)]) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        object.entry(name.as_str()).or_insert_with(|| Value::from(value.as_str()));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::descriptor as example;

    #[test]
    fn scripts_get_every_key() {
        let value = json(&facts());
        assert_eq!(
            (&value["imports"], &value["contract_version"], &value["size_bytes"], &value["digest"]),
            (
                &json!(["smp:connector/http@0.1.0", "wasi:cli/environment@0.2.0"]),
                &json!("0.1.0"),
                &json!(319_489),
                &json!("sha256:00ff")
            )
        );
        let told = &value["descriptor"];
        assert_eq!(told["attributes"], json!({"tier": "one"}));
        assert_eq!(told["settings"][0]["secret"], Value::Null);
        assert_eq!(
            told["settings"][1]["secret"],
            json!({"attachment": "bearer", "prefixes": [{"prefix": "EX", "meaning": "a key", "expected": true, "hint": "Make a new one."}]})
        );
        assert_eq!(
            told["api"],
            json!({
                "base": "https://api.example.test",
                "origins": null,
                "endpoints": [
                    {"method": "GET", "path": "/v1/orgs/{organization-id}/users", "purpose": "Reads the members.", "scope": "read:users", "read_only": true, "when": [], "request_headers": {}, "response_headers": []},
                    {"method": "POST", "path": "/v1/ping", "purpose": "Says hello.", "scope": null, "read_only": false, "when": [], "request_headers": {}, "response_headers": []},
                ],
                "rate_limit": {"requests": 5, "period_ms": 1_000},
            })
        );
        assert_eq!(told["setup_guide"][0]["steps"][1], "Note down:\n- the id\n- the key");
        assert_eq!(
            told["data_collected"][0]["fields"][1],
            json!({"name": "last seen", "description": "The latest activity."})
        );
    }

    fn facts() -> PluginInfo {
        PluginInfo {
            descriptor: example(),
            imports: vec!["smp:connector/http@0.1.0".into(), "wasi:cli/environment@0.2.0".into()],
            exports: vec!["smp:connector/connector@0.1.0".into()],
            contract_version: "0.1.0".into(),
            size: 319_489,
            digest: "sha256:00ff".into(),
            toolchain: smp_host::component::outline::Toolchain::default(),
        }
    }
}
