//! What a component is and may do, for the operator who decides about it, and for scripts.
//!
//! The descriptor is what the component says about itself; imports, exports, size and digest are what the host found.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::component::plugin::Facts;
use crate::contract::{Attachment, Descriptor, Endpoint, PACKAGE, SettingField};
use crate::listing::words::{hang, method, name, pace, sentence, shown};
use crate::terminal::{Look, Paint, Style, grouped, padding, width};

/// The facts for people.
#[must_use]
pub fn text(facts: &Facts, look: Look) -> String {
    let descriptor = &facts.descriptor;
    let mut page = Page { out: String::new(), look, paint: look.paint() };
    page.head(descriptor);
    page.calls(descriptor);
    page.names("Is handed by the host", &facts.imports);
    page.names("Offers to the host", &facts.exports);
    page.collects(descriptor);
    page.form(&descriptor.settings);
    page.requires(&descriptor.permissions_required);
    page.file(facts);
    page.out
}

/// The facts for scripts: every key there, absent values null.
#[must_use]
pub fn json(facts: &Facts) -> Value {
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
        let fields = set.fields.iter().map(|field| json!({"name": field.name, "description": field.description}));
        json!({"name": set.name, "fields": fields.collect::<Vec<_>>()})
    });
    let sections = descriptor.setup_guide.iter();
    let sections = sections.map(|section| json!({"title": section.title, "introduction": section.introduction, "steps": section.steps}));
    let questions = descriptor.faq.iter().map(|question| json!({"question": question.question, "answer": question.answer}));
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
        let attachment = match secret.attachment {
            Attachment::Bearer => "bearer",
        };
        json!({"attachment": attachment, "prefixes": prefixes.collect::<Vec<_>>()})
    });
    json!({
        "key": field.key,
        "label": field.label,
        "help": field.help,
        "placeholder": field.placeholder,
        "pattern": field.pattern,
        "required": field.required,
        "secret": secret,
        "attributes": attributes(&field.attributes),
    })
}

fn endpoint(endpoint: &Endpoint) -> Value {
    json!({
        "method": method(endpoint),
        "path": endpoint.path,
        "purpose": endpoint.purpose,
        "scope": endpoint.scope,
        "read_only": endpoint.read_only,
    })
}

/// Pairs as an object; of a repeated name the first, as in the members' output.
fn attributes(pairs: &[(String, String)]) -> Value {
    let mut object = Map::new();
    for (name, value) in pairs {
        object.entry(name.as_str()).or_insert_with(|| Value::from(value.as_str()));
    }
    Value::Object(object)
}

/// The text in the making.
struct Page {
    out: String,
    look: Look,
    paint: Paint,
}

impl Page {
    fn head(&mut self, descriptor: &Descriptor) {
        let (title, version) = (name(&descriptor.name), name(&descriptor.version));
        let id = format!("{version} · {}", name(&descriptor.id));
        let _ = writeln!(self.out, " {}  {}", self.paint.bold(&title), self.paint.dim(&id));
        self.hang(" ", &sentence(&descriptor.summary), Style::Plain);
        self.out.push('\n');
        self.rows(&[
            ("Vendor", sentence(&descriptor.vendor)),
            ("Pricing", sentence(&descriptor.pricing)),
            ("Status", sentence(&descriptor.status)),
            ("Type", sentence(&descriptor.integration_type)),
        ]);
    }

    fn calls(&mut self, descriptor: &Descriptor) {
        let api = &descriptor.api;
        self.title("May call, and nothing else");
        let (endpoints, hidden) = shown(&api.endpoints);
        for endpoint in endpoints {
            let first = format!("   {:<5}", method(endpoint));
            self.hang(&first, &format!("{}{}", name(&api.base), name(&endpoint.path)), Style::Bold);
            let indent = " ".repeat(width(&first));
            self.hang(&indent, &sentence(&endpoint.purpose), Style::Plain);
            if let Some(scope) = &endpoint.scope {
                self.hang(&indent, &format!("scope {}", name(scope)), Style::Dim);
            }
            if !endpoint.read_only {
                self.hang(&indent, "may change data at the service", Style::Yellow);
            }
        }
        self.more(hidden);
        let note = format!("At most {}. The origin is the connector's wish: the operator approves it.", pace(&api.rate_limit));
        self.hang("   ", &note, Style::Dim);
    }

    fn names(&mut self, title: &str, names: &[String]) {
        self.title(title);
        let (names, hidden) = shown(names);
        if names.is_empty() {
            self.hang("   ", "nothing", Style::Dim);
        }
        for full in names {
            let is_ours = full.strip_prefix(PACKAGE).is_some_and(|rest| rest.starts_with('/'));
            if is_ours {
                self.hang("   ", &name(full), Style::Plain);
            } else {
                self.hang("   ", &format!("{} – not of the contract", name(full)), Style::Yellow);
            }
        }
        self.more(hidden);
    }

    fn collects(&mut self, descriptor: &Descriptor) {
        self.title("Collects");
        let (sets, hidden) = shown(&descriptor.data_collected);
        for set in sets {
            let (fields, hidden) = shown(&set.fields);
            let mut fields: Vec<String> = fields.iter().map(|field| name(&field.name).into_owned()).collect();
            if hidden > 0 {
                fields.push(format!("and {hidden} more"));
            }
            self.hang(&format!("   {}  ", name(&set.name)), &fields.join(", "), Style::Plain);
        }
        self.more(hidden);
    }

    fn form(&mut self, settings: &[SettingField]) {
        self.title("Asks for");
        let (fields, hidden) = shown(settings);
        let labels: Vec<_> = fields.iter().map(|field| name(&field.label)).collect();
        let columns = labels.iter().map(|label| width(label)).max().unwrap_or_default().min(self.look.width / 3);
        for (field, label) in fields.iter().zip(&labels) {
            let mut facts = vec![name(&field.key).into_owned(), if field.required { "required" } else { "optional" }.to_owned()];
            if let Some(secret) = &field.secret {
                facts.push(match secret.attachment {
                    Attachment::Bearer => "secret, sent as bearer token".to_owned(),
                });
            }
            let gap = padding(label, columns);
            let _ = writeln!(self.out, "   {}{gap}  {}", self.paint.bold(label), self.paint.dim(&facts.join(" · ")));
            self.hang("     ", &sentence(&field.help), Style::Plain);
        }
        self.more(hidden);
    }

    fn requires(&mut self, permissions: &[String]) {
        self.title("Requires");
        let (permissions, hidden) = shown(permissions);
        for permission in permissions {
            self.hang("   - ", &sentence(permission), Style::Plain);
        }
        self.more(hidden);
    }

    fn file(&mut self, facts: &Facts) {
        self.title("The file");
        self.rows(&[("Contract", format!("{PACKAGE}@{}", name(&facts.contract_version))), ("Size", size(facts.size))]);
        // Without a label it fits into 80 columns, and can be copied whole.
        self.hang("   ", &name(&facts.digest), Style::Plain);
    }

    fn title(&mut self, title: &str) {
        let _ = writeln!(self.out, "\n {}", self.paint.bold(title));
    }

    fn rows(&mut self, rows: &[(&str, String)]) {
        for (label, fact) in rows {
            if !fact.is_empty() {
                self.hang(&format!("   {label:<9}"), fact, Style::Plain);
            }
        }
    }

    fn more(&mut self, hidden: usize) {
        if hidden > 0 {
            self.hang("   ", &format!("and {hidden} more that are not shown"), Style::Yellow);
        }
    }

    fn hang(&mut self, first: &str, text: &str, style: Style) {
        if !text.is_empty() {
            hang(&mut self.out, first, text, self.look, style);
        }
    }
}

/// A size, for people and exactly.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB ({} bytes)", bytes.div_ceil(1_024), grouped(bytes)),
        _ => format!("{} MiB ({} bytes)", grouped(bytes.div_ceil(1_048_576)), grouped(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::listing::testing::{descriptor as example, filled_with};
    use crate::sink::testing::any_text;
    use crate::text::is_active;

    #[test]
    fn an_operator_sees_at_a_glance_what_it_is_and_may_do() {
        assert_eq!(
            format!("\n{}", text(&facts(), Look { width: 80, colour: false })),
            "
 Example Cloud  1.2.3 · example-cloud
 Notes & boards for teams.

   Vendor   Example
   Pricing  Depends on the number of people.
   Status   General Availability
   Type     api

 May call, and nothing else
   GET  https://api.example.test/v1/orgs/{organization-id}/users
        Reads the members.
        scope read:users
   POST https://api.example.test/v1/ping
        Says hello.
        may change data at the service
   At most 5 in a second. The origin is the connector's wish: the operator
   approves it.

 Is handed by the host
   smp:connector/http@0.1.0
   wasi:cli/environment@0.2.0 – not of the contract

 Offers to the host
   smp:connector/connector@0.1.0

 Collects
   members  e-mail, last seen

 Asks for
   Organization ID  organization-id · required
     In the address bar.
   Api Key          api-key · required · secret, sent as bearer token
     Shown once.

 Requires
   - Be an **admin**.

 The file
   Contract smp:connector@0.1.0
   Size     313 KiB (319,489 bytes)
   sha256:00ff
"
        );
    }

    #[test]
    fn scripts_get_every_key() {
        let value = json(&facts());
        assert_eq!(
            (&value["imports"], &value["contract_version"], &value["size_bytes"], &value["digest"]),
            (&json!(["smp:connector/http@0.1.0", "wasi:cli/environment@0.2.0"]), &json!("0.1.0"), &json!(319_489), &json!("sha256:00ff"))
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
                "endpoints": [
                    {"method": "GET", "path": "/v1/orgs/{organization-id}/users", "purpose": "Reads the members.", "scope": "read:users", "read_only": true},
                    {"method": "POST", "path": "/v1/ping", "purpose": "Says hello.", "scope": null, "read_only": false},
                ],
                "rate_limit": {"requests": 5, "period_ms": 1_000},
            })
        );
        assert_eq!(told["setup_guide"][0]["steps"][1], "Note down:\n- the id\n- the key");
        assert_eq!(told["data_collected"][0]["fields"][1], json!({"name": "last seen", "description": "The latest activity."}));
    }

    #[test]
    fn endpoints_beyond_those_shown_are_said_to_be_there() {
        let mut many = facts();
        let one = many.descriptor.api.endpoints[0].clone();
        many.descriptor.api.endpoints = vec![one; 207];
        assert!(text(&many, Look::PLAIN).contains("\n   and 7 more that are not shown\n"));
    }

    #[test]
    fn sizes_are_told_for_people_and_exactly() {
        for (bytes, expected) in [(0, "0 bytes"), (1_024, "1 KiB (1,024 bytes)"), (1_048_577, "2 MiB (1,048,577 bytes)")] {
            assert_eq!(size(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_of_a_component_steers_a_terminal(text in any_text(), columns in 0_usize..160) {
            let facts = Facts {
                descriptor: filled_with(&text),
                imports: vec![text.clone()],
                exports: vec![text.clone()],
                contract_version: text.clone(),
                size: u64::MAX,
                digest: text,
            };
            let shown = super::text(&facts, Look { width: columns, colour: false });
            prop_assert!(!shown.chars().any(|sign| sign != '\n' && is_active(sign)), "{:?}", shown);
            prop_assert!(shown.ends_with('\n'));
        }
    }

    fn facts() -> Facts {
        Facts {
            descriptor: example(),
            imports: vec!["smp:connector/http@0.1.0".into(), "wasi:cli/environment@0.2.0".into()],
            exports: vec!["smp:connector/connector@0.1.0".into()],
            contract_version: "0.1.0".into(),
            size: 319_489,
            digest: "sha256:00ff".into(),
        }
    }
}
