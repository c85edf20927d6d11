//! The mock's cursors: opaque, in the alphabet of base64, and never safe in a URL without encoding.
//!
//! Every cursor begins with `+/` and ends with `==`, so a client that forgets to percent-encode, or
//! decodes twice, is detected at once. A checksum over the seed and the listing makes every other
//! text an unknown cursor.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A place in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// Index of the first item of the page.
    pub(super) offset: u64,
    /// Distinguishes two cursors to the same place.
    pub(super) generation: u32,
}

/// Bytes whose base64 text begins with `+/`.
const HEAD: [u8; 2] = [0xFB, 0xF3];
/// Head, offset, generation and checksum; one more than a multiple of three, hence the `==`.
const LENGTH: usize = 2 + 8 + 4 + 8;

/// Makes and reads the cursors of one listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursors {
    secret: u64,
}

impl Cursors {
    /// The cursors of the listing `name` of the organization with this `seed`.
    pub(super) fn new(seed: u64, name: &str) -> Cursors {
        Cursors { secret: mix(name.bytes().fold(seed, |state, byte| mix(state ^ u64::from(byte)))) }
    }

    /// The cursor to a place, as the client decodes it, without percent-encoding.
    pub(super) fn write(&self, position: Position) -> String {
        let mut bytes = [0; LENGTH];
        let hidden = position.offset ^ self.secret.rotate_left(19);
        let parts = [
            &HEAD[..],
            &hidden.to_be_bytes(),
            &position.generation.to_be_bytes(),
            &self.checksum(position),
        ];
        for (slot, byte) in bytes.iter_mut().zip(parts.concat()) {
            *slot = byte;
        }
        STANDARD.encode(bytes)
    }

    /// The place of a cursor. `None` for a text that is not a cursor of this listing.
    pub(super) fn read(&self, cursor: &str) -> Option<Position> {
        let bytes = STANDARD.decode(cursor).ok()?;
        let rest = bytes.strip_prefix(&HEAD)?;
        let (hidden, rest) = rest.split_first_chunk::<8>()?;
        let (generation, checksum) = rest.split_first_chunk::<4>()?;
        let position = Position {
            offset: u64::from_be_bytes(*hidden) ^ self.secret.rotate_left(19),
            generation: u32::from_be_bytes(*generation),
        };
        (checksum == self.checksum(position)).then_some(position)
    }

    fn checksum(&self, position: Position) -> [u8; 8] {
        mix(self.secret ^ mix(position.offset) ^ u64::from(position.generation)).to_be_bytes()
    }
}

/// A finalizer that spreads every bit over all of them (splitmix64).
fn mix(state: u64) -> u64 {
    let mut state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let cursors = Cursors::new(7, "users");
        for offset in [0, 1, 100, 1_000_000, u64::MAX] {
            for generation in [0, 1, u32::MAX] {
                let position = Position { offset, generation };
                assert_eq!(cursors.read(&cursors.write(position)), Some(position));
            }
        }
    }

    #[test]
    fn a_cursor_always_needs_percent_encoding() {
        for offset in 0..1_000 {
            let cursor = Cursors::new(offset, "users").write(Position { offset, generation: 0 });
            assert!(cursor.starts_with("+/") && cursor.ends_with("=="), "{cursor}");
        }
    }

    #[test]
    fn any_other_text_is_unknown() {
        let cursors = Cursors::new(7, "users");
        let cursor = cursors.write(Position { offset: 100, generation: 0 });
        for text in [
            "",
            "100",
            "%2B%2F",
            " /",
            &cursor.replace('+', " "),
            &cursor.replace('=', ""),
            &format!("{cursor}="),
        ] {
            assert_eq!(cursors.read(text), None, "{text}");
        }
        assert_eq!(Cursors::new(7, "domains").read(&cursor), None);
        assert_eq!(Cursors::new(8, "users").read(&cursor), None);
    }
}
