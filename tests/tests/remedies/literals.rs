//! Reads the string literals of Rust source.

/// The string literals of Rust source, without those in comments and in test-only items.
pub(crate) fn literals(source: &str) -> Vec<String> {
    let mut reader = Reader { rest: source, found: Vec::new() };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    found: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Reads a comment, a literal, a test-only item or one character.
    fn step(&mut self) -> Option<char> {
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.comment();
        } else if let Some(rest) = self.rest.strip_prefix("#[cfg(test)]") {
            self.rest = rest;
            self.item();
        } else if self.rest.starts_with("r\"") || self.rest.starts_with("r#") {
            return self.raw();
        } else if self.rest.starts_with('"') {
            self.text();
        } else if self.rest.starts_with('\'') {
            self.character();
        } else {
            // A whole word at once: an `r` at its end does not begin a literal.
            let word = self
                .rest
                .find(|sign: char| !sign.is_alphanumeric() && sign != '_')
                .unwrap_or(self.rest.len());
            let byte_literal = word == 1 && self.rest.starts_with('b');
            let sign = self.rest.chars().next();
            self.skip(if word > 0 && !byte_literal {
                word
            } else {
                sign.map_or(0, char::len_utf8)
            });
            return sign;
        }
        None
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        skipped
    }

    fn comment(&mut self) {
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
            } else if let Some(sign) = self.rest.chars().next() {
                self.skip(sign.len_utf8());
            }
            if depth == 0 || self.rest.is_empty() {
                return;
            }
        }
    }

    /// Skips an item: to its semicolon, or to the end of its braces.
    fn item(&mut self) {
        let (kept, mut depth) = (self.found.len(), 0);
        while !self.rest.is_empty() {
            match self.step() {
                Some('{') => depth += 1,
                Some('}') if depth == 1 => break,
                Some('}') => depth -= 1,
                Some(';') if depth == 0 => break,
                _ => {}
            }
        }
        self.found.truncate(kept);
    }

    fn raw(&mut self) -> Option<char> {
        let hashes = self.rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if !self.rest[1 + hashes..].starts_with('"') {
            // A raw identifier.
            self.skip(1);
            return Some('r');
        }
        self.skip(2 + hashes);
        let end = format!("\"{}", "#".repeat(hashes));
        let text = self.skip(self.rest.find(&end).unwrap()).to_owned();
        self.found.push(text);
        self.skip(end.len());
        None
    }

    fn text(&mut self) {
        self.skip(1);
        let mut text = String::new();
        loop {
            let sign = self.rest.chars().next().unwrap();
            self.skip(sign.len_utf8());
            match sign {
                '"' => break,
                '\\' => {
                    let escaped = self.rest.chars().next().unwrap();
                    self.skip(escaped.len_utf8());
                    match escaped {
                        '\n' => {
                            self.rest = self.rest.trim_start();
                        }
                        other => text.push(other),
                    }
                }
                other => text.push(other),
            }
        }
        self.found.push(text);
    }

    /// A character or a lifetime.
    fn character(&mut self) {
        let mut signs = self.rest.chars().skip(1);
        let length = match (signs.next(), signs.next()) {
            (Some('\\'), Some(_)) => self.rest[3..].find('\'').map(|end| end + 4),
            (Some(sign), Some('\'')) => Some(sign.len_utf8() + 2),
            _ => None,
        };
        self.skip(length.unwrap_or(1));
    }
}
