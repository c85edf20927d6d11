//! Marks: the 16 bytes that are kept of a member, and how the marks of a page are encoded.

use sha2::{Digest, Sha256};

/// What is kept of an account id or a cursor: the first 16 bytes of the SHA-256 of its UTF-8, so
/// that two different ids cannot be made to look the same. Destinations store marks, so this never
/// changes.
pub type Mark = [u8; 16];

/// The mark of a text.
#[must_use]
pub fn mark(text: &str) -> Mark {
    let mut mark = Mark::default();
    for (to, from) in mark.iter_mut().zip(Sha256::digest(text)) {
        *to = from;
    }
    mark
}

/// The members of an admitted page, as marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Marks of the members to write, in their order.
    pub new: Vec<Mark>,
    /// Marks of members that were written in the first sweep and came again in the second, in their
    /// order.
    pub again: Vec<Mark>,
}

impl Admitted {
    /// Encodes it for a database: a 1, the number of new members in four bytes, the most
    /// significant first, then the 16 bytes of each mark, the new ones first. The encoding never
    /// changes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let new = u32::try_from(self.new.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&[ENCODING][..], &new, &self.new.concat(), &self.again.concat()].concat()
    }

    /// Decodes the output of [`Admitted::to_bytes`]. `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (new, marks) = bytes.strip_prefix(&[ENCODING])?.split_first_chunk()?;
        let (marks, rest) = marks.as_chunks();
        let (new, again) =
            marks.split_at_checked(usize::try_from(u32::from_be_bytes(*new)).ok()?)?;
        rest.is_empty().then(|| Self { new: new.to_vec(), again: again.to_vec() })
    }
}

/// Version of the encoding of [`Admitted`].
const ENCODING: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_written_as_they_always_were() {
        let admitted = Admitted { new: vec![mark("a1"), mark("zoë")], again: vec![mark("")] };
        let expected = "0100000002\
            f55ff16f66f43360266b95db6f8fec01\
            2752b88686847fa5c86f47b94ce652b7\
            e3b0c44298fc1c149afbf4c8996fb924";
        assert_eq!(hex::encode(admitted.to_bytes()), expected);
        assert_eq!(Admitted::from_bytes(&admitted.to_bytes()), Some(admitted));
        assert_eq!(
            Admitted::from_bytes(&Admitted::default().to_bytes()),
            Some(Admitted::default())
        );
    }

    #[test]
    fn bytes_that_are_no_marks_are_none() {
        let good = Admitted { new: vec![mark("a")], again: vec![] }.to_bytes();
        for length in 0..good.len() {
            assert_eq!(Admitted::from_bytes(&good[..length]), None, "{length}");
        }
        let other_version = [&[2], &good[1..]].concat();
        assert_eq!(Admitted::from_bytes(&other_version), None);
    }
}
