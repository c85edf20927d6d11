//! Renders a component's plugin info for the operator who decides about it, and for scripts.
//!
//! The descriptor is the component's own statement; imports, exports, size and digest come from the
//! host.

use std::fmt::Write;

use crate::show::terminal::{Look, Paint, Style, padding, width};
use crate::show::words::hang;
use smp_host::component::plugin::PluginInfo;
use smp_host::contract::{Attachment, Descriptor, PACKAGE, SettingField};
use smp_host::text::size;
use smp_listing::{method, name, needed, pace, sentence, shown};

/// The plugin info for people.
#[must_use]
pub(crate) fn text(facts: &PluginInfo, look: Look) -> String {
    let descriptor = &facts.descriptor;
    let mut page = Page { out: String::new(), look, paint: look.paint() };
    page.head(descriptor);
    page.calls(descriptor);
    page.names("Imports from the host", &facts.imports);
    page.names("Exports to the host", &facts.exports);
    page.collects(descriptor);
    page.form(&descriptor.settings);
    page.requires(&descriptor.permissions_required);
    page.file(facts);
    page.out
}

/// The text that is being written.
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
            if let Some(needed) = needed(endpoint, |text| name(text).into_owned()) {
                self.hang(&indent, &format!("only {needed}"), Style::Dim);
            }
            for (header, value) in &endpoint.request_headers {
                let header = format!("header {}: {}", name(header), name(value));
                self.hang(&indent, &header, Style::Dim);
            }
            if !endpoint.response_headers.is_empty() {
                let headers = endpoint.response_headers.join(", ");
                self.hang(&indent, &format!("reads headers {}", name(&headers)), Style::Dim);
            }
            if !endpoint.read_only {
                self.hang(&indent, "may change data at the service", Style::Yellow);
            }
        }
        self.more(hidden);
        for (choice, base) in api.origins.iter().flat_map(|origins| &origins.choices) {
            let setting = api.origins.as_ref().map_or("", |origins| origins.setting.as_str());
            let other = format!("{} where {} = {}", name(base), name(setting), name(choice));
            self.hang("   ", &other, Style::Plain);
        }
        let note = format!(
            "At most {}. The connector asks for this origin: the operator must approve it.",
            pace(&api.rate_limit)
        );
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
            let mut fields: Vec<String> =
                fields.iter().map(|field| name(&field.name).into_owned()).collect();
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
        let columns = labels
            .iter()
            .map(|label| width(label))
            .max()
            .unwrap_or_default()
            .min(self.look.width / 3);
        for (field, label) in fields.iter().zip(&labels) {
            let mut facts = vec![
                name(&field.key).into_owned(),
                if field.required { "required" } else { "optional" }.to_owned(),
            ];
            if let Some(secret) = &field.secret {
                facts.push(match &secret.attachment {
                    Attachment::Bearer => "secret, sent as bearer token".to_owned(),
                    Attachment::Header(header) => {
                        format!("secret, sent as the header {}", name(&header.name))
                    }
                    Attachment::Basic(_) => "secret, sent as basic authorization".to_owned(),
                });
            }
            if !field.choices.is_empty() {
                let values: Vec<_> =
                    field.choices.iter().map(|choice| name(&choice.value)).collect();
                facts.push(values.join(" | "));
            }
            if let Some(default) = &field.default {
                facts.push(format!("default {}", name(default)));
            }
            let gap = padding(label, columns);
            let _ = writeln!(
                self.out,
                "   {}{gap}  {}",
                self.paint.bold(label),
                self.paint.dim(&facts.join(" · "))
            );
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

    fn file(&mut self, facts: &PluginInfo) {
        self.title("The file");
        self.rows(&[
            ("Contract", format!("{PACKAGE}@{}", name(&facts.contract_version))),
            ("Size", size(facts.size)),
        ]);
        // Without a label it fits into 80 columns, and can be copied as a whole.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use smp_host::testing::any_text;
    use smp_host::text::is_active;
    use smp_listing::testing::{descriptor as example, filled_with};

    #[test]
    fn an_operator_sees_at_a_glance_what_it_is_and_may_do() {
        assert_eq!(
            format!("\n{}", text(&facts(), Look { width: 80, colour: false })),
            "
 Example Cloud  1.2.3 · example-cloud
 Notes & boards for teams.

   Vendor   Example
   Pricing  \
             Depends on the number of people.
   Status   General Availability
   Type     api

 May call, \
             and nothing else
   GET  https://api.example.test/v1/orgs/{organization-id}/users
        \
             Reads the members.
        scope read:users
   POST https://api.example.test/v1/ping
        Says hello.
        may change data at the service
   At most 5 in a second. The connector asks for this origin: the operator must
   approve it.

 Imports from the host
   smp:connector/http@0.1.0
   wasi:cli/environment@0.2.0 – not of the contract

 Exports to the host
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
    fn endpoints_beyond_those_shown_are_said_to_be_there() {
        let mut many = facts();
        let one = many.descriptor.api.endpoints[0].clone();
        many.descriptor.api.endpoints = vec![one; 207];
        assert!(text(&many, Look::PLAIN).contains("\n   and 7 more that are not shown\n"));
    }

    proptest! {
        #[test]
        fn no_text_of_a_component_steers_a_terminal(text in any_text(), columns in 0_usize..160) {
            let facts = PluginInfo {
                descriptor: filled_with(&text),
                imports: vec![text.clone()],
                exports: vec![text.clone()],
                contract_version: text.clone(),
                size: u64::MAX,
                digest: text,
                toolchain: smp_host::component::outline::Toolchain::default(),
            };
            let shown = super::text(&facts, Look { width: columns, colour: false });
            prop_assert!(!shown.chars().any(|sign| sign != '\n' && is_active(sign)), "{:?}", shown);
            prop_assert!(shown.ends_with('\n'));
        }
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
