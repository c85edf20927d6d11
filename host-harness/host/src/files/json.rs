//! The format `json`: one array of the same objects as in ndjson, indented for people and written
//! at the end.
//!
//! Records are held as their text, within the bounds of [`crate::files`]. An incomplete array would
//! not be json, so nothing is written before the end.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::collect::sink::Sink;
use crate::files::Held;
use crate::files::quiet::Quiet;
use crate::files::rowed::Rowed;

/// Writes a json array.
pub struct Json<W> {
    output: W,
    text: Vec<u8>,
    held: Held,
}

impl<W: Write + Send> Json<W> {
    /// A sink that writes to this output.
    pub fn new(output: W) -> Self {
        Self { output, text: Vec::new(), held: Held::default() }
    }
}

impl<W: Write + Send> Json<W> {
    fn hold(&mut self, rows: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
        for row in rows {
            let before = self.text.len();
            // Each row has its own formatter, indented to its depth in the array.
            let mut formatter = PrettyFormatter::new();
            formatter.begin_array(&mut io::sink())?;
            formatter.begin_array_value(&mut self.text, before == 0)?;
            let mut serializer =
                serde_json::Serializer::with_formatter(&mut self.text, Quiet(formatter));
            row.serialize(&mut serializer)?;
            self.held.add(1, self.text.len().saturating_sub(before))?;
        }
        Ok(())
    }
}

impl<P: Rowed, W: Write + Send> Sink<P> for Json<W> {
    fn write_page(&mut self, page: &P) -> io::Result<()> {
        self.hold(page.rows())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.output.write_all(b"[")?;
        self.output.write_all(&self.text)?;
        self.output.write_all(if self.text.is_empty() { b"]\n" } else { b"\n]\n" })?;
        self.output.flush()
    }
}

/// Any value as indented json. Characters that control a terminal are escaped as in the members'
/// output.
///
/// # Errors
/// The error of the value's serialization.
pub fn indented(value: &impl Serialize) -> io::Result<String> {
    serialized(value, PrettyFormatter::new())
}

/// Any value as one line of json without a line feed, escaped likewise.
///
/// # Errors
/// The error of the value's serialization.
pub fn line(value: &impl Serialize) -> io::Result<String> {
    serialized(value, CompactFormatter)
}

fn serialized(value: &impl Serialize, formatter: impl Formatter) -> io::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Quiet(formatter)))?;
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::MemberPage;
    use crate::files::Ndjson;
    use crate::testing::{any_page, page, written};

    #[test]
    fn members_stand_indented_in_an_array() {
        let text = document(&page());
        assert!(
            text.starts_with("[\n  {\n    \"id\": \"a1\",\n    \"email\": \"ada@example.test\",\n"),
            "{text}"
        );
        assert!(
            text.contains("    \"products\": [\n      {\n        \"key\": \"jira-software\",\n"),
            "{text}"
        );
        assert!(
            text.contains("\n  },\n  {\n    \"id\": \"b2\",\n    \"email\": null,\n"),
            "{text}"
        );
        assert!(text.ends_with("    \"attributes\": {}\n  }\n]\n"), "{text}");
    }

    #[test]
    fn no_member_is_an_empty_array() {
        assert_eq!(document(&MemberPage { members: Vec::new(), ..page() }), "[]\n");
    }

    #[test]
    fn too_many_members_are_an_error_and_write_nothing() {
        let mut output = Vec::new();
        let mut sink = Json::new(&mut output);
        sink.held.members = crate::files::MOST_MEMBERS_HELD;
        assert_eq!(sink.write_page(&page()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(output.is_empty());
    }

    #[test]
    fn any_value_is_written_without_what_steers_a_terminal() {
        let value = serde_json::json!({"text": "Zoë\u{9b}\u{202e}", "list": [1, null]});
        assert_eq!(line(&value).unwrap(), r#"{"text":"Zoë\u009b\u202e","list":[1,null]}"#);
        assert_eq!(
            indented(&value).unwrap(),
            "{\n  \"text\": \"Zoë\\u009b\\u202e\",\n  \"list\": [\n    1,\n    null\n  ]\n}"
        );
    }

    proptest! {
        #[test]
        fn json_says_the_same_as_ndjson(page in any_page()) {
            let lines = written(&page, |output| Box::new(Ndjson::new(output)));
            let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let array: Vec<serde_json::Value> = serde_json::from_str(&document(&page)).unwrap();
            prop_assert_eq!(array, lines);
        }
    }

    fn document(page: &MemberPage) -> String {
        written(page, |output| Box::new(Json::new(output)))
    }
}
