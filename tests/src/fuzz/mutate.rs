//! Mutates seeds without coverage: [`mutatis`] chooses among these changes, from a given seed.

use std::ops::Range;

use mutatis::{Candidates, Context, Mutate, Result};

/// Longest input that a mutation makes.
const LONGEST: usize = 1 << 20;

/// Longest piece that is cut out, doubled or inserted, in bytes.
const LONGEST_PIECE: usize = 256;

/// How much more frequent changes in place are if another length would break the whole input.
const WEIGHT_IN_PLACE: usize = 20;

/// Numbers at which behaviour often changes.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "127",
    "128",
    "255",
    "65536",
    "4294967295",
    "9007199254740993",
    "18446744073709551615",
    "1e400",
    "0.5",
];

/// The changes of bytes of any kind.
#[derive(Debug)]
pub struct Bytes<'a> {
    /// Texts with a meaning for the reader.
    pub dictionary: &'a [&'a str],
    /// Inputs from which pieces are inserted.
    pub others: &'a [Vec<u8>],
    /// Places where changes are most useful: most changes go there. If there are any, most changes
    /// are in place.
    pub hot: &'a [Range<usize>],
}

impl Mutate<Vec<u8>> for Bytes<'_> {
    fn mutate(&mut self, candidates: &mut Candidates<'_>, value: &mut Vec<u8>) -> Result<()> {
        for _ in 0..if self.hot.is_empty() { 1 } else { WEIGHT_IN_PLACE } {
            candidates.mutation(|context| {
                if let Some(at) = self.place(context, value) {
                    value[at] ^= 1 << below(context, 8);
                }
                Ok(())
            })?;
            candidates.mutation(|context| {
                if let Some(at) = self.place(context, value) {
                    value[at] = context.rng().gen_u8();
                }
                Ok(())
            })?;
        }
        candidates.mutation(|context| {
            value.truncate(below(context, value.len() + 1));
            Ok(())
        })?;
        candidates.mutation(|context| {
            let piece = piece(context, value.len());
            value.drain(piece);
            Ok(())
        })?;
        candidates.mutation(|context| {
            let doubled = value[piece(context, value.len())].to_vec();
            insert(context, value, &doubled);
            Ok(())
        })?;
        candidates.mutation(|context| {
            let written = self
                .other(context)
                .map(|other| other[piece(context, other.len())].to_vec())
                .unwrap_or_default();
            insert(context, value, &written);
            Ok(())
        })?;
        candidates.mutation(|context| {
            let Some(other) = self.other(context) else { return Ok(()) };
            value.truncate(below(context, value.len() + 1));
            value.extend_from_slice(&other[below(context, other.len() + 1)..]);
            Ok(())
        })?;
        // Twice as frequent as the others, because it reaches deepest into a text.
        for _ in 0..2 {
            candidates.mutation(|context| {
                let words = if below(context, 4) == 0 { &NUMBERS[..] } else { self.dictionary };
                let word = words.get(below(context, words.len())).copied().unwrap_or_default();
                if below(context, 2) == 0 {
                    insert(context, value, word.as_bytes());
                } else {
                    let at = below(context, value.len() + 1);
                    let end = value.len().min(at + word.len());
                    value.splice(at..end, word.bytes());
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl Bytes<'_> {
    /// A place for a change. `None` in an empty value.
    fn place(&self, context: &mut Context, value: &[u8]) -> Option<usize> {
        let hot = self
            .hot
            .get(below(context, self.hot.len()))
            .filter(|range| !range.is_empty() && range.end <= value.len());
        match hot {
            Some(range) if below(context, 8) > 0 => Some(range.start + below(context, range.len())),
            _ => (!value.is_empty()).then(|| below(context, value.len())),
        }
    }

    fn other(&self, context: &mut Context) -> Option<&Vec<u8>> {
        self.others.get(below(context, self.others.len()))
    }
}

fn insert(context: &mut Context, value: &mut Vec<u8>, piece: &[u8]) {
    if value.len() + piece.len() <= LONGEST {
        let at = below(context, value.len() + 1);
        value.splice(at..at, piece.iter().copied());
    }
}

fn piece(context: &mut Context, length: usize) -> Range<usize> {
    let start = below(context, length + 1);
    let end = (start + 1 + below(context, LONGEST_PIECE)).min(length);
    start.min(end)..end
}

/// A number below this one; zero if there is none.
fn below(context: &mut Context, end: usize) -> usize {
    context.rng().gen_index(end).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use mutatis::Session;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_changes_and_another_makes_others() {
        assert_eq!(changed(1), changed(1));
        assert_ne!(changed(1), changed(2));
    }

    #[test]
    fn every_kind_of_change_is_made() {
        let all: Vec<Vec<u8>> = (0..300).map(changed).collect();
        let has = |test: fn(&[u8]) -> bool| all.iter().any(|value| test(value));
        assert!(has(|value| value.len() < 4), "cut off");
        assert!(has(|value| value.len() == 12 && value != b"a first seed"), "changed in place");
        assert!(has(|value| String::from_utf8_lossy(value).contains("WORD")), "a word put in");
        assert!(has(|value| value.ends_with(b"other") && value.starts_with(b"a f")), "spliced");
        assert!(
            has(|value| String::from_utf8_lossy(value).contains("18446744073709551615")),
            "a number put in"
        );
    }

    fn changed(seed: u64) -> Vec<u8> {
        let mut value = b"a first seed".to_vec();
        let mut mutator =
            Bytes { dictionary: &["WORD"], others: &[b"the other".to_vec()], hot: &[] };
        Session::new().seed(seed).mutate_with(&mut mutator, &mut value).unwrap();
        value
    }
}
