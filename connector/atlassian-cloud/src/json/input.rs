//! The text of an answer, read from its beginning to its end: one value after the other, nothing twice.
//!
//! The grammar is RFC 8259's, without exceptions. Memory is needed for strings with escapes only, and the stack that
//! is needed is bounded by the deepest nesting. What has been read is never looked at again, so time is linear.
//!
//! By hand, and not by `serde_json`: a page takes a third less time through the component, which is no larger for it
//! (docs/PERFORMANCE.md). The tests hold it against `serde_json`.

use std::borrow::Cow;

use super::Unreadable;

/// Deepest nesting of objects and lists: as deep as `serde_json` reads, and far deeper than any answer is. It bounds
/// the stack.
const DEEPEST: u32 = 127;

/// What is left of the text.
pub struct Input<'de> {
    text: &'de str,
    /// Number of bytes that have been read.
    at: usize,
    /// Number of objects and lists that are open.
    depth: u32,
}

/// What kind of value comes next. What is no value at all counts as a number, and is found out when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Truth,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl<'de> Input<'de> {
    /// The whole text.
    pub fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// Looks at what comes next.
    #[inline]
    pub fn kind(&mut self) -> Result<Kind, Unreadable> {
        Ok(match self.peek()? {
            b'"' => Kind::Text,
            b'{' => Kind::Object,
            b'[' => Kind::List,
            b'n' => Kind::Null,
            b't' | b'f' => Kind::Truth,
            _ => Kind::Number,
        })
    }

    /// Reads a string.
    #[inline]
    pub fn text(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        self.take(b'"')?;
        self.rest_of_text()
    }

    /// Reads a string whose first quotation mark was taken.
    #[inline]
    fn rest_of_text(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        let start = self.at;
        self.run();
        match self.next()? {
            b'"' => Ok(Cow::Borrowed(self.text.get(start..self.at - 1).unwrap_or_default())),
            b'\\' => self.escaped(start).map(Cow::Owned),
            _ => Err(Unreadable::Syntax),
        }
    }

    /// Reads `true` or `false`.
    pub fn truth(&mut self) -> Result<bool, Unreadable> {
        let truth = self.peek()? == b't';
        self.word(if truth { "true" } else { "false" })?;
        Ok(truth)
    }

    /// Reads `null`.
    pub fn null(&mut self) -> Result<(), Unreadable> {
        self.word("null")
    }

    /// Reads a number, and gives it if it is a count: digits only, below 2⁶⁴.
    pub fn number(&mut self) -> Result<Option<u64>, Unreadable> {
        self.peek()?;
        let is_negative = self.next_is(b'-');
        let start = self.at;
        let first = self.next()?;
        if !first.is_ascii_digit() {
            return Err(Unreadable::Syntax);
        }
        if first != b'0' {
            self.digits();
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        let mut is_whole = true;
        if self.next_is(b'.') {
            is_whole = false;
            self.some_digits()?;
        }
        if self.next_is(b'e') || self.next_is(b'E') {
            is_whole = false;
            let _sign = self.next_is(b'+') || self.next_is(b'-');
            self.some_digits()?;
        }
        Ok(if is_whole && !is_negative { digits.parse().ok() } else { None })
    }

    /// Reads a list; `item` is called for each item, and reads it.
    #[inline]
    pub fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
        let mut has_item = self.first(b'[', b']')?;
        while has_item {
            item(self)?;
            has_item = self.another(b']')?;
        }
        Ok(())
    }

    /// Reads an object; `field` is called with each key, and reads what belongs to it.
    #[inline]
    pub fn object(&mut self, mut field: impl FnMut(&str, &mut Self) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
        let mut has_field = self.first(b'{', b'}')?;
        while has_field {
            let key = self.key()?;
            field(&key, self)?;
            has_field = self.another(b'}')?;
        }
        Ok(())
    }

    /// Reads a value of any kind, and forgets it.
    pub fn pass(&mut self) -> Result<(), Unreadable> {
        match self.kind()? {
            Kind::Null => self.null(),
            Kind::Truth => self.truth().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Text => self.text().map(drop),
            Kind::List => self.list(Self::pass),
            Kind::Object => self.object(|_, input| input.pass()),
        }
    }

    /// Makes sure that nothing but white space is left.
    pub fn end(&mut self) -> Result<(), Unreadable> {
        match self.peek() {
            Err(Unreadable::CutShort) => Ok(()),
            _ => Err(Unreadable::Syntax),
        }
    }

    /// Opens a list or an object, and tells whether anything is in it.
    fn first(&mut self, open: u8, close: u8) -> Result<bool, Unreadable> {
        self.take(open)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Unreadable::Syntax);
        }
        Ok(self.peek()? != close || self.closed())
    }

    /// Tells whether there is more in a list or an object, or closes it.
    fn another(&mut self, close: u8) -> Result<bool, Unreadable> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == close => Ok(self.closed()),
            _ => Err(Unreadable::Syntax),
        }
    }

    /// Takes the closing bracket, behind which there is no more.
    fn closed(&mut self) -> bool {
        self.at += 1;
        self.depth -= 1;
        false
    }

    /// Reads the key of a field, up to what belongs to it.
    fn key(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        let key = self.text()?;
        self.take(b':')?;
        Ok(key)
    }

    /// The next byte that is no white space, which stays the next.
    #[inline]
    fn peek(&mut self) -> Result<u8, Unreadable> {
        match self.bytes().get(self.at) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_space(),
        }
    }

    /// Apart, because answers are mostly written without white space: where there is a loop, time is looked at.
    #[cold]
    fn peek_behind_space(&mut self) -> Result<u8, Unreadable> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes().get(self.at) {
            self.at += 1;
        }
        self.bytes().get(self.at).copied().ok_or(Unreadable::CutShort)
    }

    /// Takes this byte, behind white space, and no other.
    #[inline]
    fn take(&mut self, expected: u8) -> Result<(), Unreadable> {
        if self.peek()? != expected {
            return Err(Unreadable::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the next byte.
    #[inline]
    fn next(&mut self) -> Result<u8, Unreadable> {
        let byte = *self.bytes().get(self.at).ok_or(Unreadable::CutShort)?;
        self.at += 1;
        Ok(byte)
    }

    /// Takes the next byte if it is this one.
    fn next_is(&mut self, expected: u8) -> bool {
        let is = self.bytes().get(self.at) == Some(&expected);
        self.at += usize::from(is);
        is
    }

    fn digits(&mut self) {
        while self.bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Unreadable> {
        if !self.next()?.is_ascii_digit() {
            return Err(Unreadable::Syntax);
        }
        self.digits();
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Unreadable> {
        word.bytes().try_for_each(|letter| if self.next()? == letter { Ok(()) } else { Err(Unreadable::Syntax) })
    }

    /// Goes to the next byte that ends a string or a stretch of one, sixteen at a time: each turn of a loop asks
    /// whether its time is up, and that counts.
    #[inline]
    fn run(&mut self) {
        let mut rest = self.bytes().get(self.at..).unwrap_or_default();
        while let Some((sixteen, after)) = rest.split_first_chunk::<16>() {
            let both = u128::from_le_bytes(*sixteen);
            let marks = ends(both as u64);
            if marks != 0 {
                self.at += (marks.trailing_zeros() / 8) as usize;
                return;
            }
            let marks = ends((both >> 64) as u64);
            if marks != 0 {
                self.at += 8 + (marks.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 16;
            rest = after;
        }
        self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)).unwrap_or(rest.len());
    }

    /// Reads on in a string that began at `start`, behind its first backslash.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<String, Unreadable> {
        let mut text = self.text.get(start..self.at - 1).unwrap_or_default().to_owned();
        loop {
            text.push(self.escape()?);
            let start = self.at;
            self.run();
            text.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.next()? {
                b'"' => return Ok(text),
                b'\\' => {}
                _ => return Err(Unreadable::Syntax),
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, Unreadable> {
        Ok(match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let code = match unit {
                    0xd800..=0xdbff => {
                        self.word("\\u")?;
                        let low = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Unreadable::Syntax)?;
                        0x10000 + ((unit - 0xd800) << 10) + low
                    }
                    _ => unit,
                };
                char::from_u32(code).ok_or(Unreadable::Syntax)?
            }
            _ => return Err(Unreadable::Syntax),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, Unreadable> {
        (0..4).try_fold(0, |unit, _| {
            let digit = char::from(self.next()?).to_digit(16).ok_or(Unreadable::Syntax)?;
            Ok(unit << 4 | digit)
        })
    }

    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }
}

/// Marks, by the highest bit, each of eight bytes that is a quotation mark, a backslash or a control character. The
/// lowest mark is always right; above it a borrow may have made one too many.
#[inline]
fn ends(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let control = eight.wrapping_sub(ONES * 0x20) & !eight;
    (zero(eight ^ (ONES * u64::from(b'"'))) | zero(eight ^ (ONES * u64::from(b'\\'))) | control) & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_escape_is_read() {
        let mut input = Input::new(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00\uFFFF""#);
        assert_eq!(input.text().unwrap(), "\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{1f600}\u{ffff}");
        assert_eq!(input.end(), Ok(()));
    }

    #[test]
    fn a_string_may_end_at_any_place_of_eight() {
        for length in 0..40 {
            let text = "\u{e9}x".repeat(length);
            let written = format!("  \"{text}\"");
            assert_eq!(Input::new(&written).text().unwrap(), text.as_str());
            for sign in ["\u{1f}", "\u{0}", "\n", "\\q"] {
                assert_eq!(Input::new(&format!("\"{text}{sign}{text}\"")).text(), Err(Unreadable::Syntax), "{length} {sign:?}");
            }
        }
    }

    #[test]
    fn nesting_is_read_as_deep_as_serde_json_reads_it() {
        for depth in [126, 127, 128, 129] {
            let lists = "[".repeat(depth) + &"]".repeat(depth);
            let objects = r#"{"":"#.repeat(depth) + "0" + &"}".repeat(depth);
            for text in [lists, objects] {
                let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
                assert_eq!(is_read(&text), theirs, "{depth}");
            }
        }
    }

    #[test]
    fn a_count_is_below_two_to_the_sixty_fourth() {
        let rows = [("0", Some(0)), ("18446744073709551615", Some(u64::MAX)), ("18446744073709551616", None), ("-0", None), ("1e1", None)];
        for (text, count) in rows {
            assert_eq!(Input::new(text).number(), Ok(count), "{text}");
        }
    }

    proptest! {
        /// Numbers beyond what a float holds are refused by `serde_json`, and have no bound in the grammar.
        #[test]
        fn the_same_texts_are_read_as_by_serde_json(parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..14)) {
            let text = parts.concat();
            prop_assert_eq!(is_read(&text), serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        }

        #[test]
        fn a_string_is_read_as_it_was_written(text in any::<String>(), plain in "[ -~]{0,40}") {
            for text in [text, plain] {
                let written = serde_json::to_string(&text).unwrap();
                prop_assert_eq!(Input::new(&written).text().unwrap(), text);
            }
        }

        #[test]
        fn a_string_is_read_as_by_serde_json(text in r#""([ -~é]|\\["\\/bfnrtu]|\\u[0-9a-fA-F]{4}|\\ud[89a-f][0-9a-f]{2}){0,9}""#) {
            let theirs: Option<String> = serde_json::from_str(&text).ok();
            let mut input = Input::new(&text);
            let ours = input.text().ok().filter(|_| input.end().is_ok()).map(Cow::into_owned);
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }

    const PARTS: [&str; 34] = [
        "{", "}", "[", "]", ",", ":", "null", "true", "false", "nul", "\"a\"", "\"", "\\", "\\u00e9", "\\ud800", "x", "0", "1", "-", "+",
        ".", "e", "E", "12", " ", "\n", "\u{b}", "\u{1}", "\u{e9}", r#"{"k":"#, r#","k":"#, "[1,", "[]", "{}",
    ];

    fn is_read(text: &str) -> bool {
        let mut input = Input::new(text);
        input.pass().and_then(|()| input.end()).is_ok()
    }
}
