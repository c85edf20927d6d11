//! The format `ndjson`: one json object per line, written as pages arrive.
//!
//! Every line of a member has all keys, in this order: `id`, `email`, `name`, `role`, `products`
//! (each `key`, `name`, `site`, `last_active`), `last_seen`, `status`, `kind`, `affiliation`,
//! `billable`, `attributes`; every line of usage has those of [`super::seats`]. Absent values are
//! null. A line has no character that controls a terminal: those are written as `\u…`,
//! which json readers decode.

use std::io::{self, Write};

use crate::collect::sink::Sink;
use crate::files::rowed::Rowed;

/// Size from which lines are passed on, in bytes: a usual page at once.
const CHUNK: usize = 64 * 1024;

/// Writes newline-delimited json. Nothing is held between pages: a thousand runs wait at once.
pub struct Ndjson<W> {
    output: W,
    /// The length of the lines of the last page, as far as they were passed on at once.
    usual: usize,
}

impl<W: Write + Send> Ndjson<W> {
    /// A sink that writes to this output.
    pub fn new(output: W) -> Self {
        Self { output, usual: 0 }
    }
}

impl<P: Rowed, W: Write + Send> Sink<P> for Ndjson<W> {
    fn write_page(&mut self, page: &P) -> io::Result<()> {
        let Self { output, usual } = self;
        let mut lines = Vec::with_capacity(*usual);
        page.lines(&mut lines, |lines| {
            lines.push(b'\n');
            if lines.len() >= CHUNK {
                output.write_all(lines)?;
                lines.clear();
            }
            Ok(())
        })?;
        *usual = lines.len();
        output.write_all(&lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::MemberPage;
    use crate::contract::{Instant, MemberKind, MemberStatus, ProductUse};
    use crate::testing::{any_page, member, page, written};
    use crate::text;

    #[test]
    fn a_member_is_one_line_with_its_keys_in_order() {
        assert_eq!(
            lines(&page()),
            concat!(
                r#"{"id":"a1","email":"ada@example.test","name":"Ada Lovelace","role":"Confluence, Jira","products":["#,
                r#"{"key":"jira-software","name":"Jira","site":"acme.atlassian.net","last_active":"2026-01-02T03:04:05Z"},"#,
                r#"{"key":"confluence","name":"Confluence","site":null,"last_active":null}],"#,
                r#""last_seen":"2026-01-02T03:04:05Z","status":"active","kind":"person","affiliation":"managed","billable":true,"attributes":{"nickname":"ada"}}"#,
                "\n",
                r#"{"id":"b2","email":null,"name":"Build Bot","role":"","products":[],"last_seen":null,"status":null,"kind":"app","affiliation":null,"billable":null,"attributes":{}}"#,
                "\n",
            )
        );
    }

    #[test]
    fn words_that_are_not_known_pass_through() {
        let mut strange = member("c3");
        strange.status = Some(MemberStatus::Other("suspended".into()));
        strange.kind = Some(MemberKind::Other("robot".into()));
        let value = value(strange);
        assert_eq!((&value["status"], &value["kind"]), (&"suspended".into(), &"robot".into()));
    }

    #[test]
    fn a_product_out_of_range_is_left_out_and_an_impossible_instant_is_null() {
        let mut strange = member("c3");
        strange.uses = vec![ProductUse { product: u32::MAX, last_active: None }];
        strange.last_seen = Some(Instant { seconds: i64::MAX, nanoseconds: u32::MAX });
        let value = value(strange);
        assert_eq!(
            (&value["products"], &value["last_seen"]),
            (&serde_json::json!([]), &serde_json::Value::Null)
        );
    }

    #[test]
    fn of_a_repeated_attribute_the_first_is_kept() {
        let mut strange = member("c3");
        strange.attributes = [("a", "1"), ("b", "2"), ("a", "3")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        assert!(lines(&alone(strange)).ends_with("\"attributes\":{\"a\":\"1\",\"b\":\"2\"}}\n"));
    }

    #[test]
    fn what_steers_a_terminal_is_escaped_and_read_back() {
        let mut strange = member("c3");
        strange.name = "Zoë \u{1b}[31m\u{9b}2J\u{202e}\u{7f}\u{0}\n张".into();
        let line = lines(&alone(strange.clone()));
        assert!(
            line.contains(r#""name":"Zoë \u001b[31m\u009b2J\u202e\u007f\u0000\n张""#),
            "{line}"
        );
        assert_eq!(value(strange.clone())["name"], strange.name.as_str());
    }

    proptest! {
        #[test]
        fn every_line_reads_back_and_has_nothing_active_in_it(page in any_page()) {
            let text = lines(&page);
            prop_assert_eq!(text.lines().count(), page.members.len());
            for (line, member) in text.lines().zip(&page.members) {
                prop_assert!(!line.chars().any(text::is_active));
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                prop_assert_eq!(&value["id"], &member.id);
                prop_assert_eq!(value["email"].as_str(), member.email.as_deref());
                prop_assert_eq!(&value["name"], &member.name);
                prop_assert_eq!(value["products"].as_array().unwrap().len(), member.uses.len());
            }
        }
    }

    fn alone(member: crate::contract::Member) -> MemberPage {
        MemberPage { members: vec![member], ..page() }
    }

    fn value(member: crate::contract::Member) -> serde_json::Value {
        serde_json::from_str(&lines(&alone(member))).unwrap()
    }

    fn lines(page: &MemberPage) -> String {
        written(page, |output| Box::new(Ndjson::new(output)))
    }
}
