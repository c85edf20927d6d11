//! An entry of usage, as csv, ndjson and json write it: `key`, `name`, `site`, `plan`, `purchased`,
//! `used`, `sandbox`. A number that the service does not tell is null, in csv an empty cell.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::rowed::Rowed;
use crate::contract::{Entry, UsagePage};

/// The columns, which are the keys too, in order.
pub const COLUMNS: [&str; 7] = ["key", "name", "site", "plan", "purchased", "used", "sandbox"];

impl Rowed for UsagePage {
    fn rows(&self) -> impl Iterator<Item = impl Serialize> {
        self.entries.iter().map(Seats)
    }
}

/// Whether an entry is a sandbox: it is none unless the service says so.
pub(super) fn is_sandbox(entry: &Entry) -> bool {
    entry.sandbox == Some(true)
}

/// An entry as a row.
struct Seats<'p>(&'p Entry);

impl Serialize for Seats<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Entry { product, plan, purchased, used, .. } = self.0;
        let [key, name, site, plan_key, purchased_key, used_key, sandbox_key] = COLUMNS;
        let mut row = serializer.serialize_struct("Usage", COLUMNS.len())?;
        row.serialize_field(key, &product.key)?;
        row.serialize_field(name, &product.name)?;
        row.serialize_field(site, &product.site)?;
        row.serialize_field(plan_key, plan)?;
        row.serialize_field(purchased_key, purchased)?;
        row.serialize_field(used_key, used)?;
        row.serialize_field(sandbox_key, &is_sandbox(self.0))?;
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::sink::Sink;
    use crate::contract::Product;
    use crate::files::Format;

    fn entry(key: &str, purchased: Option<u64>, sandbox: Option<bool>) -> Entry {
        let product = Product {
            key: key.into(),
            name: "=Jira".into(),
            site: Some("acme.atlassian.net".into()),
        };
        let (id, plan) = ("ari:1".into(), Some("Premium\u{1b}".into()));
        Entry { id, product, plan, purchased, used: Some(7), sandbox }
    }

    fn written(format: Format, entries: Vec<Entry>) -> String {
        let page = UsagePage { entries, next: None, total: None, notes: vec![] };
        let mut output = Vec::new();
        {
            let mut sink: Box<dyn Sink<UsagePage> + '_> = format.usage_sink(&mut output, false);
            sink.write_page(&page).unwrap();
            sink.finish().unwrap();
        }
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn an_entry_has_all_keys_in_order_and_what_is_unknown_is_null() {
        let entries = || vec![entry("jira-software", Some(10), Some(true)), entry("", None, None)];
        assert_eq!(
            written(Format::Ndjson, entries()),
            concat!(
                r#"{"key":"jira-software","name":"=Jira","site":"acme.atlassian.net","#,
                r#""plan":"Premium\u001b","purchased":10,"used":7,"sandbox":true}"#,
                "\n",
                r#"{"key":"","name":"=Jira","site":"acme.atlassian.net","#,
                r#""plan":"Premium\u001b","purchased":null,"used":7,"sandbox":false}"#,
                "\n",
            )
        );
        assert_eq!(
            written(Format::Csv, entries()),
            "key,name,site,plan,purchased,used,sandbox\n\
             jira-software,'=Jira,acme.atlassian.net,Premium\\u{1b},10,7,true\n\
             ,'=Jira,acme.atlassian.net,Premium\\u{1b},,7,false\n"
        );
        assert!(written(Format::Json, entries()).starts_with("[\n  {\n    \"key\": \"jira-"));
    }

    #[test]
    fn no_entry_is_a_header_or_an_empty_array() {
        assert_eq!(written(Format::Csv, vec![]), "key,name,site,plan,purchased,used,sandbox\n");
        assert_eq!(written(Format::Ndjson, vec![]), "");
        assert_eq!(written(Format::Json, vec![]), "[]\n");
    }
}
