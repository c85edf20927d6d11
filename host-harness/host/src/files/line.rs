//! A member as a line of ndjson: the bytes of its [`Row`](super::row), in half of the time.
//!
//! Of a page of a large organization, most of a line is the same for all: the names of fields, and
//! the products. Neither is looked at for what to escape more than once a page.

use std::io;

use crate::contract::{Instant, Member, MemberPage, Product};
use crate::files::{quiet, row};
use crate::instant::rfc3339;

/// Most products of a page for which this is used, because their json is held meanwhile: with the
/// longest texts that a host takes by default, that of so many has some 70 MB.
pub(super) const MOST_PRODUCTS: usize = 1_000;

/// Appends the members of a page, and calls `end` after each.
pub(super) fn members(
    page: &MemberPage,
    lines: &mut Vec<u8>,
    mut end: impl FnMut(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let products = page.products.iter().map(beginning).collect::<io::Result<Vec<_>>>()?;
    page.members.iter().try_for_each(|member| {
        write(lines, member, &products)?;
        end(lines)
    })
}

/// The use of a product, up to when it was.
fn beginning(product: &Product) -> io::Result<Vec<u8>> {
    let mut bytes = b"{".to_vec();
    text(&mut bytes, "\"key\":", Some(&product.key))?;
    text(&mut bytes, ",\"name\":", Some(&product.name))?;
    text(&mut bytes, ",\"site\":", product.site.as_deref())?;
    Ok(bytes)
}

fn write(line: &mut Vec<u8>, member: &Member, products: &[Vec<u8>]) -> io::Result<()> {
    text(line, "{\"id\":", Some(&member.id))?;
    text(line, ",\"email\":", member.email.as_deref())?;
    text(line, ",\"name\":", Some(&member.name))?;
    text(line, ",\"role\":", Some(&member.role))?;
    line.extend_from_slice(b",\"products\":[");
    let mut is_first = true;
    for (beginning, used) in row::uses(member, products) {
        if !std::mem::take(&mut is_first) {
            line.push(b',');
        }
        line.extend_from_slice(beginning);
        instant(line, ",\"last_active\":", used.last_active.as_ref())?;
        line.push(b'}');
    }
    instant(line, "],\"last_seen\":", member.last_seen.as_ref())?;
    text(line, ",\"status\":", member.status.as_ref().map(row::status))?;
    text(line, ",\"kind\":", member.kind.as_ref().map(row::kind))?;
    text(line, ",\"affiliation\":", member.affiliation.as_ref().map(row::affiliation))?;
    line.extend_from_slice(b",\"billable\":");
    quiet::write(line, &member.billable)?;
    line.extend_from_slice(b",\"attributes\":{");
    let mut is_first = true;
    for (name, value) in row::attributes(member) {
        text(line, if std::mem::take(&mut is_first) { "" } else { "," }, Some(name))?;
        text(line, ":", Some(value))?;
    }
    line.extend_from_slice(b"}}");
    Ok(())
}

/// Appends what stands before a text, and the text.
fn text(line: &mut Vec<u8>, before: &str, text: Option<&str>) -> io::Result<()> {
    line.extend_from_slice(before.as_bytes());
    match text {
        // Nearly every text is, and a pass without a branch for each letter tells.
        Some(text) if is_plain(text) => {
            line.push(b'"');
            line.extend_from_slice(text.as_bytes());
            line.push(b'"');
            Ok(())
        }
        text => quiet::write(line, &text),
    }
}

fn instant(line: &mut Vec<u8>, before: &str, instant: Option<&Instant>) -> io::Result<()> {
    text(line, before, instant.and_then(rfc3339).as_ref().map(|written| written.as_str()))
}

/// Whether a text is printable ASCII with nothing to escape.
fn is_plain(text: &str) -> bool {
    let is_special = |byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f..);
    !text.bytes().fold(false, |is_one, byte| is_one | is_special(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::files::rowed::Rowed;
    use crate::testing::any_page;

    proptest! {
        #[test]
        fn a_line_has_the_bytes_of_its_row(page in any_page(), has_many in any::<bool>()) {
            let mut page = page;
            if has_many {
                let product = Product { key: "k".into(), name: "n".into(), site: None };
                page.products.resize(MOST_PRODUCTS + 1, product);
            }
            let mut lines = Vec::new();
            let end = |lines: &mut Vec<u8>| {
                lines.push(b'\n');
                Ok(())
            };
            page.lines(&mut lines, end).unwrap();
            let mut rows = Vec::new();
            for row in page.rows() {
                quiet::write(&mut rows, &row).unwrap();
                rows.push(b'\n');
            }
            prop_assert_eq!(String::from_utf8(lines), String::from_utf8(rows));
        }

        #[test]
        fn a_text_is_plain_where_its_json_is_itself(text in "[ -~\\PC\u{0}-\u{1f}\u{7f}\"]{0,20}") {
            let mut json = Vec::new();
            quiet::write(&mut json, &text).unwrap();
            let is_itself = json == format!("\"{text}\"").as_bytes();
            prop_assert_eq!(is_plain(&text), is_itself && text.is_ascii());
        }
    }
}
