//! Splits readable inputs into parts, so that a seed can be read and a mutation keeps most of it.

/// The separator of two parts: the record separator of ASCII, which no text needs.
pub(super) const SEPARATOR: u8 = 0x1e;

/// Most parts of an input that are used: more would only repeat what fewer show.
const MOST: usize = 64;

/// The parts of an input.
pub(super) fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == SEPARATOR).take(MOST)
}

/// The first line of a part, and the rest.
pub(super) fn first_line(part: &[u8]) -> (String, &[u8]) {
    let at = part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len());
    (String::from_utf8_lossy(&part[..at]).into_owned(), part.get(at + 1..).unwrap_or_default())
}

/// The part as text, lossily.
pub(super) fn text(part: Option<&[u8]>) -> String {
    String::from_utf8_lossy(part.unwrap_or_default()).into_owned()
}
