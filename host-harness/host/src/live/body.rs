//! The body of an answer, within a bound, unpacked if it came packed by gzip.
//!
//! The HTTP library would unpack it too, but of several gzip members, as some proxies and caches
//! write them, it reads the first and drops the others without an error. Zeros after the last
//! member are padding: no member begins with one.

use std::io::{self, Write};

use flate2::write::GzDecoder;
use reqwest::header::CONTENT_ENCODING;

use super::broken;
use crate::http::transport::TransportError;

/// Bytes up to a bound.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
    is_full: bool,
}

/// Reads bytes as they came, or unpacks them.
enum Reader {
    Plain(Bounded),
    Packed(Box<Members>),
}

/// The members of what gzip packed, each of which begins where the one before ends.
struct Members {
    member: GzDecoder<Bounded>,
    /// Whether zeros stood behind a member, after which nothing else may.
    is_padded: bool,
}

/// The body of an answer, up to this many bytes after decompression.
///
/// # Errors
/// `TooLarge` beyond the bound; `Connection` if it breaks off, or what is called packed is not.
pub async fn body(answer: &mut reqwest::Response, most: u64) -> Result<Vec<u8>, TransportError> {
    let told = answer.content_length().unwrap_or(0);
    if told > most {
        return Err(TransportError::TooLarge(most));
    }
    if let Some(encoding) = foreign(encoding(answer)) {
        return Err(TransportError::Connection(format!(
            "the answer is packed as `{encoding}`, which was not asked for"
        )));
    }
    let mut reader = Reader::new(is_packed(answer), most, told);
    let mut is_empty = true;
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        is_empty &= chunk.is_empty();
        reader.write(&chunk)?;
    }
    // An answer without a body has nothing to unpack, whatever its header says.
    if is_empty { Ok(Vec::new()) } else { reader.end() }
}

/// Whether an answer is packed by gzip.
pub(super) fn is_packed(answer: &reqwest::Response) -> bool {
    encoding(answer).is_some_and(is_gzip)
}

fn encoding(answer: &reqwest::Response) -> Option<&str> {
    answer.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn is_gzip(name: &str) -> bool {
    name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")
}

/// An encoding that is not read here, as it may be told.
fn foreign(encoding: Option<&str>) -> Option<String> {
    let name = encoding.filter(|name| !is_gzip(name) && !name.eq_ignore_ascii_case("identity"))?;
    let plain = |sign: &char| sign.is_ascii_alphanumeric() || "-, ".contains(*sign);
    let name: String = name.chars().filter(plain).take(40).collect();
    (!name.is_empty()).then_some(name)
}

impl Reader {
    fn new(is_packed: bool, most: u64, told: u64) -> Self {
        let capacity = if is_packed { 0 } else { usize::try_from(told).unwrap_or(0) };
        let bounded = Bounded { bytes: Vec::with_capacity(capacity), most, is_full: false };
        if is_packed {
            Self::Packed(Box::new(Members { member: GzDecoder::new(bounded), is_padded: false }))
        } else {
            Self::Plain(bounded)
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), TransportError> {
        let written = match self {
            Self::Plain(bounded) => bounded.write_all(chunk),
            Self::Packed(members) => members.write(chunk),
        };
        written.map_err(|_| self.fault())
    }

    fn end(self) -> Result<Vec<u8>, TransportError> {
        match self {
            Self::Plain(bounded) => Ok(bounded.bytes),
            Self::Packed(mut members) => {
                if members.member.try_finish().is_err() {
                    return Err(Self::Packed(members).fault());
                }
                Ok(std::mem::take(&mut members.member.get_mut().bytes))
            }
        }
    }

    /// Why bytes were not taken.
    fn fault(&self) -> TransportError {
        let bounded = match self {
            Self::Plain(bounded) => bounded,
            Self::Packed(members) => members.member.get_ref(),
        };
        if bounded.is_full {
            TransportError::TooLarge(bounded.most)
        } else {
            TransportError::Connection("the answer is not packed as it says, or was cut off".into())
        }
    }
}

impl Members {
    fn write(&mut self, mut chunk: &[u8]) -> io::Result<()> {
        while let Some(first) = chunk.first().filter(|_| !self.is_padded) {
            let mut taken = self.member.write(chunk)?;
            // The member has ended.
            if taken == 0 {
                self.member.try_finish()?;
                if *first == 0 {
                    self.is_padded = true;
                    break;
                }
                let bounded = std::mem::take(self.member.get_mut());
                self.member = GzDecoder::new(bounded);
                taken = self.member.write(chunk)?;
            }
            chunk = chunk.get(taken..).filter(|_| taken > 0).ok_or(io::ErrorKind::WriteZero)?;
        }
        if chunk.iter().any(|byte| *byte != 0) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.bytes.len().saturating_add(bytes.len());
        if u64::try_from(length).unwrap_or(u64::MAX) > self.most {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads these bytes in pieces of this size.
    fn read(bytes: &[u8], piece: usize, most: u64) -> Result<Vec<u8>, TransportError> {
        let mut reader = Reader::new(true, most, 0);
        bytes.chunks(piece).try_for_each(|chunk| reader.write(chunk))?;
        reader.end()
    }

    #[test]
    fn an_encoding_that_is_not_read_is_named() {
        for (encoding, named) in [
            (None, None),
            (Some(""), None),
            (Some("identity"), None),
            (Some("GZIP"), None),
            (Some("br"), Some("br")),
            (Some("gzip, gzip"), Some("gzip, gzip")),
            (Some("zstd\u{1b}[31m"), Some("zstd31m")),
        ] {
            assert_eq!(foreign(encoding).as_deref(), named, "{encoding:?}");
        }
    }

    #[test]
    fn several_members_are_one_body_however_they_arrive() {
        let members = [packed(b"{\"a\":"), packed(b""), packed(b"1}")].concat();
        for piece in 1..=members.len() {
            assert_eq!(read(&members, piece, 7).unwrap(), b"{\"a\":1}", "{piece}");
        }
    }

    #[test]
    fn zeros_behind_the_last_member_are_padding_and_nothing_else_is() {
        let padded = [packed(b"{\"a\":"), packed(b"1}"), vec![0; 40]].concat();
        for piece in 1..=padded.len() {
            assert_eq!(read(&padded, piece, 7).unwrap(), b"{\"a\":1}", "{piece}");
        }
        for behind in [&b"\0x"[..], b"x", b"\0\x1f\x8b", &[&[0; 9][..], &packed(b"x")].concat()] {
            for piece in [1, 5, 1_000] {
                let bytes = [packed(b"1"), behind.to_vec()].concat();
                let fault = read(&bytes, piece, 100).unwrap_err();
                assert!(matches!(fault, TransportError::Connection(_)), "{behind:?} {piece}");
            }
        }
        let zeros = read(&[0; 40], 5, 100).unwrap_err();
        assert!(matches!(zeros, TransportError::Connection(_)), "{zeros:?}");
    }

    #[test]
    fn what_is_cut_off_changed_or_too_large_is_told() {
        let whole = [packed(b"first"), packed(b"second")].concat();
        for end in 1..whole.len() {
            // Between two members it cannot be seen.
            if end != packed(b"first").len() {
                let fault = read(&whole[..end], 5, 100).unwrap_err();
                assert!(matches!(fault, TransportError::Connection(_)), "{end}: {fault:?}");
            }
        }
        let mut changed = whole.clone();
        let last = changed.len() - 5;
        changed[last] ^= 1;
        assert!(matches!(read(&changed, 5, 100), Err(TransportError::Connection(_))));
        assert!(matches!(read(b"{\"a\":1}", 5, 100), Err(TransportError::Connection(_))));
        assert!(matches!(read(&whole, 5, 10), Err(TransportError::TooLarge(10))));
        let bomb = packed(&vec![b' '; 10_000_000]);
        assert!(matches!(read(&bomb, bomb.len(), 1_000), Err(TransportError::TooLarge(1_000))));
    }
}
