//! The key, and the search for it. It has no tests.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use smp_tests::harness::Ended;
use smp_tests::mock::{Builder, Mock};

/// A key with the prefix of a real one, and with characters that encodings change.
pub(crate) const KEY: &str = "ATCTT3xFfGN0tEsT-9f8e7d6c5b4a39281706_f5e4d3c2b1a0uQ=DEADBEEF";
/// A part of it that no encoding of text changes; it represents the whole.
const PART: &str = "9f8e7d6c5b4a39281706_f5e4d3c2b1a0uQ";

/// An organization that accepts the key.
pub(crate) fn organization() -> Builder {
    Mock::builder().members(50).page_size(10).seed(9).key(KEY)
}

/// Whether the bytes contain the key, unchanged or in a common encoding.
pub(crate) fn holds_the_key(bytes: &[u8]) -> bool {
    let hex: String = PART.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Base64 depends on where the text begins: at the key, or at the header's value.
    let encoded = [KEY.to_owned(), format!("Bearer {KEY}")]
        .map(|text| (STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)));
    let encoded = encoded.into_iter().flat_map(|(standard, url)| [standard, url]);
    let reversed: String = PART.chars().rev().collect();
    let needles = [PART.to_owned(), PART.to_lowercase(), PART.to_uppercase(), hex, reversed]
        .into_iter()
        .chain(encoded);
    needles
        .into_iter()
        .any(|needle| bytes.windows(needle.len()).any(|window| window == needle.as_bytes()))
}

pub(crate) fn assert_without_key(what: &str, bytes: impl AsRef<[u8]>) {
    let bytes = bytes.as_ref();
    assert!(!holds_the_key(bytes), "the key is in {what}: {}", String::from_utf8_lossy(bytes));
}

/// Neither stream has the key.
pub(crate) fn assert_streams_without_key(what: &str, ended: &Ended) {
    assert_without_key(&format!("standard output of {what}"), &ended.stdout);
    assert_without_key(&format!("standard error of {what}"), &ended.stderr);
}

/// Requires that no file below this folder contains the key, in its bytes or its name. Returns the
/// number of files.
pub(crate) fn assert_files_without_key(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            assert_without_key("a file's name", path.to_str().unwrap());
            if path.is_dir() {
                return assert_files_without_key(&path);
            }
            let bytes = fs::read(&path).unwrap();
            assert!(!holds_the_key(&bytes), "the key is in {}", path.display());
            1
        })
        .sum()
}

#[test]
fn the_search_finds_the_key_in_every_disguise() {
    let in_hex: String =
        format!("Bearer {KEY}").bytes().map(|byte| format!("{byte:02x}")).collect();
    let in_base64 = STANDARD_NO_PAD.encode(format!("Bearer {KEY}"));
    for text in [
        KEY,
        &format!("x{KEY}x"),
        &KEY.replace('=', "%3D"),
        &KEY.replace('=', "\\u003d"),
        &KEY.to_lowercase(),
        &in_hex,
        &in_base64,
    ] {
        assert!(holds_the_key(text.as_bytes()), "{text}");
    }
    assert!(!holds_the_key(&b"*".repeat(KEY.len())));
}
