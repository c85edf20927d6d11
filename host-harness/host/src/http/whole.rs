//! The top of a JSON answer, and whether the answer is there to its end.
//!
//! What lies deeper is not read: its brackets are counted, 64 bytes at once
//! (`docs/decisions/0021-brackets-by-blocks.md`). An answer that was cut short leaves one open,
//! wherever it was cut. That the rest is JSON is for the connector to find, which reads all of it.

use wide::u8x16;

/// The bytes of a block: one bit of a word for each.
const BLOCK: usize = 64;

/// The top of a text that may be JSON: each list and object within the outermost one is replaced
/// by `[]` if it is empty, and by `[0]` otherwise. `None` if a bracket or a string is left open.
pub(super) fn top(text: &str) -> Option<String> {
    let mut strings = Strings::default();
    let mut brackets = Brackets { text, top: String::new(), kept: 0, inner: 0, depth: 0 };
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let block = Block::of(block);
        let mut found = block.brackets() & !strings.within(&block);
        while found != 0 {
            brackets.at(number * BLOCK + usize::try_from(found.trailing_zeros()).ok()?)?;
            found &= found - 1;
        }
    }
    if strings.is_open { None } else { brackets.end() }
}

/// 64 bytes.
struct Block([u8x16; 4]);

impl Block {
    #[inline]
    fn of(bytes: &[u8; BLOCK]) -> Self {
        let mut parts = [u8x16::default(); 4];
        let (quarters, _) = bytes.as_chunks::<16>();
        parts.iter_mut().zip(quarters).for_each(|(part, quarter)| *part = u8x16::new(*quarter));
        Self(parts)
    }

    /// Where a byte is.
    #[inline]
    fn bits(&self, byte: u8) -> u64 {
        bits(self.0.map(|part| part.simd_eq(u8x16::splat(byte))))
    }

    #[inline]
    fn has(&self, byte: u8) -> bool {
        let [a, b, c, d] = self.0.map(|part| part.simd_eq(u8x16::splat(byte)));
        (a | b | c | d).any()
    }

    /// Where `[`, `]`, `{` or `}` is. They differ in three bits. So do they from `Y`, `_`, `y` and
    /// DEL, which are no JSON outside of a string, and are told apart later.
    #[inline]
    fn brackets(&self) -> u64 {
        let same = u8x16::splat(!(b'[' ^ b'}'));
        bits(self.0.map(|part| (part & same).simd_eq(u8x16::splat(b'[' & b'}'))))
    }
}

/// The answers of four comparisons, as a word.
#[inline]
fn bits(parts: [u8x16; 4]) -> u64 {
    let [a, b, c, d] = parts.map(|part| u64::from(part.to_bitmask() & 0xffff));
    a | b << 16 | c << 32 | d << 48
}

/// Where strings are, block after block.
#[derive(Default)]
struct Strings {
    /// Whether the block before ends within a string.
    is_open: bool,
    /// Whether the block before ends with a backslash that escapes what follows.
    escapes: bool,
}

impl Strings {
    /// The bytes of the next block that are in a string, its first quote included.
    #[inline]
    fn within(&mut self, block: &Block) -> u64 {
        let mut quotes = block.bits(b'"');
        if self.escapes || block.has(b'\\') {
            quotes &= !self.escaped(block.bits(b'\\'));
        }
        // A bit is set where the number of quotes up to it is odd.
        let mut within = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            within ^= within << shift;
        }
        if self.is_open {
            within = !within;
        }
        self.is_open = within >> (BLOCK - 1) == 1;
        within
    }

    /// The bytes that an odd number of backslashes stands before.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        let mut escaped = u64::from(self.escapes);
        let mut left = backslashes & !escaped;
        self.escapes = false;
        while left != 0 {
            // None at the end of the block.
            let next = 2 << left.trailing_zeros();
            self.escapes = next == 0;
            escaped |= next;
            left &= (left - 1) & !next;
        }
        escaped
    }
}

/// How deep the text is, and what is kept of it.
struct Brackets<'a> {
    text: &'a str,
    top: String,
    /// From where on the text is not kept yet.
    kept: usize,
    /// Where the list or object began which is left out.
    inner: usize,
    depth: usize,
}

impl Brackets<'_> {
    /// Takes a bracket outside of strings. `None` if it closes what is not open.
    #[inline]
    fn at(&mut self, at: usize) -> Option<()> {
        match self.text.as_bytes().get(at)? {
            b'[' | b'{' => {
                if self.depth == 1 {
                    self.top.push_str(self.text.get(self.kept..at)?);
                    self.inner = at;
                }
                self.depth += 1;
            }
            b']' | b'}' => {
                self.depth = self.depth.checked_sub(1)?;
                if self.depth == 1 {
                    self.replace(at)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn replace(&mut self, end: usize) -> Option<()> {
        let inner = self.text.get(self.inner..=end)?;
        let within = match inner.as_bytes() {
            [b'[', within @ .., b']'] | [b'{', within @ .., b'}'] => within,
            _ => return None,
        };
        self.top.push_str(if within.iter().all(|byte| b" \t\n\r".contains(byte)) {
            "[]"
        } else {
            "[0]"
        });
        self.kept = end + 1;
        Some(())
    }

    fn end(mut self) -> Option<String> {
        self.top.push_str(self.text.get(self.kept..)?);
        (self.depth == 0).then_some(self.top)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_the_top_of_an_answer_is_kept() {
        for (text, kept) in [
            ("", Some("")),
            (" 7\n", Some(" 7\n")),
            (r#"{"a":1}"#, Some(r#"{"a":1}"#)),
            (
                r#"{"a":[],"b":{ }, "c":[[]],"d":{"e":1}}"#,
                Some(r#"{"a":[],"b":[], "c":[0],"d":[0]}"#),
            ),
            ("{\"a\":[ \t\r\n],\"b\":[\u{c}]}", Some(r#"{"a":[],"b":[0]}"#)),
            (r#"[{"a":1},{},3]"#, Some("[[0],[],3]")),
            (r#"{"a":"}]\"{"}"#, Some(r#"{"a":"}]\"{"}"#)),
            (r#"{"a":["\\"]}"#, Some(r#"{"a":[0]}"#)),
            (r#"{"a":["\\\"]}"#, None),
            (r#"{"data":[}"#, None),
            (r#"{"data":[1}}"#, None),
            (r#"{"data":[1]"#, None),
            ("]", None),
            ("{}}", None),
            ("_", None),
            (r#"{"a"#, None),
        ] {
            assert_eq!(top(text).as_deref(), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_quote_or_bracket_counts_wherever_it_stands(before in 0_usize..140, text in TEXT) {
            // A string that ends just so, on each side of a block's edge.
            let string = serde_json::to_string(&text).unwrap();
            let outer = format!("[{}{{\"a\":{string}}}]", " ".repeat(before));
            prop_assert_eq!(top(&outer), Some(format!("[{}[0]]", " ".repeat(before))));
            let open = outer.strip_suffix("\"}]").unwrap();
            prop_assert_eq!(top(open), None);
        }

        #[test]
        fn an_answer_that_is_cut_short_is_seen_wherever_it_is_cut(
            value in values(),
            cut in any::<prop::sample::Index>(),
        ) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert!(top(&text).is_some());
                let cut = 1 + cut.index(text.len() - 1);
                if let Some(text) = text.get(..cut) {
                    prop_assert_eq!(top(text), None, "{}", text);
                }
            }
        }

        #[test]
        fn the_top_is_json_where_the_whole_is(value in values()) {
            let kept: Value = serde_json::from_str(&top(&value.to_string()).unwrap()).unwrap();
            prop_assert_eq!(kept, outline(&value));
        }
    }

    /// Texts of what is special in JSON.
    const TEXT: &str = "[\"\\\\{}\\[\\],:ä\u{0}a]{0,200}";

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), Just(json!(-1.5e-7)), TEXT.prop_map(Value::from)];
        let value = leaf.prop_recursive(4, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((TEXT, inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        });
        prop::collection::vec((TEXT, value), 1..6)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    }

    fn outline(value: &Value) -> Value {
        let short = |value: &Value| match value {
            Value::Array(list) => {
                if list.is_empty() {
                    json!([])
                } else {
                    json!([0])
                }
            }
            Value::Object(fields) => {
                if fields.is_empty() {
                    json!([])
                } else {
                    json!([0])
                }
            }
            other => other.clone(),
        };
        match value {
            Value::Array(list) => list.iter().map(short).collect(),
            Value::Object(fields) => Value::Object(
                fields.iter().map(|(name, value)| (name.clone(), short(value))).collect(),
            ),
            other => other.clone(),
        }
    }
}
