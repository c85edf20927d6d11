//! What a page delivered, as an open run keeps it: all of its members in one value, compressed.
//! Nothing looks into it before the end of the run.

use serde::Deserialize;

use crate::members::row::{Hash, Row};
use crate::problem::Problem;

/// What a value begins with: a run whose pages begin with another one begins again.
pub(super) const FORMAT: u8 = 1;

/// A member of such a value. The fields are those of [`Row`], in their order.
#[derive(Debug, Deserialize)]
pub(super) struct Staged<'a> {
    pub(super) id: &'a str,
    pub(super) record: &'a str,
    pub(super) hash: Hash,
    pub(super) core: Hash,
    pub(super) sort: &'a str,
    pub(super) search: &'a str,
    pub(super) status: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) affiliation: Option<&'a str>,
    pub(super) last_seen: Option<i64>,
    pub(super) uses: &'a str,
}

/// The members of a page as one value.
pub(super) fn kept(rows: &[Row]) -> Result<Vec<u8>, Problem> {
    let encoded = postcard::to_allocvec(rows)
        .map_err(|error| Problem::broken(format!("a page cannot be kept: {error}")))?;
    let mut value = vec![FORMAT];
    value.extend(lz4_flex::compress_prepend_size(&encoded));
    Ok(value)
}

/// The bytes of a value, from which [`members`] reads.
pub(super) fn opened(value: &[u8]) -> Result<Vec<u8>, Problem> {
    let (_, packed) =
        value.split_first().filter(|(first, _)| **first == FORMAT).ok_or_else(unreadable)?;
    lz4_flex::decompress_size_prepended(packed).map_err(|_| unreadable())
}

/// The members in the bytes of a value.
pub(super) fn members(opened: &[u8]) -> Result<Vec<Staged<'_>>, Problem> {
    postcard::from_bytes(opened).map_err(|_| unreadable())
}

fn unreadable() -> Problem {
    Problem::broken("what a page delivered cannot be read")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn row(id: &str, status: Option<&str>, last_seen: Option<i64>) -> Row {
        Row {
            id: id.into(),
            record: format!("{{\"id\":\"{id}\"}}"),
            hash: [7; 16],
            core: [255; 16],
            sort: "zoë".into(),
            search: "zoë\n\n".into(),
            status: status.map(str::to_owned),
            kind: Some("person".into()),
            affiliation: None,
            last_seen,
            uses: "\u{1f}jira\u{1f}".into(),
        }
    }

    #[test]
    fn a_page_comes_out_as_it_went_in() {
        let rows = [
            row("a", Some("active"), Some(-5)),
            row("b", None, None),
            row("", None, Some(i64::MAX)),
        ];
        let value = kept(&rows).unwrap();
        let opened = opened(&value).unwrap();
        let read: Vec<Row> = members(&opened)
            .unwrap()
            .into_iter()
            .map(|staged| Row {
                id: staged.id.into(),
                record: staged.record.into(),
                hash: staged.hash,
                core: staged.core,
                sort: staged.sort.into(),
                search: staged.search.into(),
                status: staged.status.map(str::to_owned),
                kind: staged.kind.map(str::to_owned),
                affiliation: staged.affiliation.map(str::to_owned),
                last_seen: staged.last_seen,
                uses: staged.uses.into(),
            })
            .collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        let value = kept(&[row("a", None, None)]).unwrap();
        assert!(opened(&value[..value.len() - 1]).is_err());
        assert!(opened(b"").is_err());
        let other = [&[FORMAT + 1], &value[1..]].concat();
        assert!(opened(&other).is_err());
        let whole = opened(&value).unwrap();
        assert!(members(&whole[..whole.len() - 1]).is_err());
    }
}
