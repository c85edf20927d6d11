//! Arrays as PostgreSQL reads them, so that a column of many rows is one parameter.

/// An array as PostgreSQL reads it.
#[derive(Default)]
pub(super) struct Array(String);

impl Array {
    fn next(&mut self) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
    }

    /// Adds a text.
    pub(super) fn text(&mut self, text: Option<&str>) {
        self.next();
        let Some(text) = text else { return self.0.push_str("NULL") };
        self.0.push('"');
        let mut parts = text.split_inclusive(['"', '\\']);
        for part in &mut parts {
            match part.strip_suffix(['"', '\\']) {
                Some(before) => {
                    self.0.push_str(before);
                    self.0.push('\\');
                    self.0.push_str(part.get(before.len()..).unwrap_or_default());
                }
                None => self.0.push_str(part),
            }
        }
        self.0.push('"');
    }

    /// Adds bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.next();
        self.0.push_str(r#""\\x"#);
        self.0.push_str(&hex::encode(bytes));
        self.0.push('"');
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: Option<i64>) {
        self.next();
        match number {
            Some(number) => self.0.push_str(&number.to_string()),
            None => self.0.push_str("NULL"),
        }
    }

    /// The whole of it.
    pub(super) fn end(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_holds_any_text() {
        let mut array = Array::default();
        for text in [Some(r#"a"b\c"#), Some(""), None, Some("NULL"), Some("{,}\n ä")] {
            array.text(text);
        }
        array.bytes(&[0, 255]);
        array.number(Some(-5));
        array.number(None);
        let expected = r#"{"a\"b\\c","",NULL,"NULL","{,}
 ä","\\x00ff",-5,NULL}"#;
        assert_eq!(array.end(), expected);
        assert_eq!(Array::default().end(), "{}");
    }
}
