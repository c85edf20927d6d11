//! Splits a component into its sections, in the order of the file. Of their content, only the name
//! of a custom section is read.

use wasmparser::{BinaryReader, BinaryReaderError};

/// Length of the magic number and the version.
const HEADER: usize = 8;

/// A section of the outermost component.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// Name and content of a custom section.
    pub(super) custom: Option<(&'a str, &'a [u8])>,
    /// All of its bytes.
    pub(super) whole: &'a [u8],
}

/// The header and the sections, which together are the whole file.
///
/// # Errors
/// If the file ends within a section.
pub(super) fn read(bytes: &[u8]) -> Result<(&[u8], Vec<Section<'_>>), BinaryReaderError> {
    let mut reader = BinaryReader::new(bytes, 0);
    let header = reader.read_bytes(HEADER)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let begin = reader.original_position();
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        let content = reader.read_bytes(usize::try_from(size).unwrap_or(usize::MAX))?;
        let custom = if id == 0 { Some(custom(content)?) } else { None };
        let whole = bytes.get(begin..reader.original_position()).unwrap_or_default();
        sections.push(Section { custom, whole });
    }
    Ok((header, sections))
}

fn custom(content: &[u8]) -> Result<(&str, &[u8]), BinaryReaderError> {
    let mut reader = BinaryReader::new(content, 0);
    let name = reader.read_string()?;
    Ok((name, content.get(reader.original_position()..).unwrap_or_default()))
}

/// The file without the custom sections of these names.
///
/// # Errors
/// As [`read`].
pub(super) fn without(bytes: &[u8], names: &[&str]) -> Result<Vec<u8>, BinaryReaderError> {
    let (header, sections) = read(bytes)?;
    let kept = sections
        .iter()
        .filter(|section| section.custom.is_none_or(|(name, _)| !names.contains(&name)));
    Ok(kept.fold(header.to_vec(), |mut file, section| {
        file.extend_from_slice(section.whole);
        file
    }))
}

/// Identifier of the part of the section `component-name` that names the component itself.
const OWN_NAME: u8 = 0;

/// The section `component-name` without the component's own name; the names of its parts stay.
/// Empty if no name is left.
///
/// # Errors
/// As [`read`].
pub(super) fn without_own_name(name: &str, content: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut reader = BinaryReader::new(content, 0);
    let mut kept = Vec::new();
    while !reader.eof() {
        let begin = reader.original_position();
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        reader.read_bytes(usize::try_from(size).unwrap_or(usize::MAX))?;
        if id != OWN_NAME {
            kept.extend_from_slice(
                content.get(begin..reader.original_position()).unwrap_or_default(),
            );
        }
    }
    if kept.is_empty() {
        return Ok(kept);
    }
    let inside = [&length(name.len()), name.as_bytes(), &kept].concat();
    Ok([&[0], &*length(inside.len()), &inside].concat())
}

/// A length in WebAssembly's encoding.
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        // Seven bits at a time; the eighth announces another byte.
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"\0asm\x0d\0\x01\0\x00\x05\x03oneX\x07\x01\x00\x00\x06\x03twoYZ";

    #[test]
    fn the_sections_together_are_the_file() {
        let (header, sections) = read(FILE).unwrap();
        let names: Vec<_> = sections.iter().map(|section| section.custom).collect();
        assert_eq!(names, [Some(("one", &b"X"[..])), None, Some(("two", &b"YZ"[..]))]);
        let whole =
            sections.iter().fold(header.to_vec(), |file, section| [&file, section.whole].concat());
        assert_eq!(whole, FILE);
    }

    #[test]
    fn a_section_is_left_out_by_name() {
        assert_eq!(
            without(FILE, &["one"]).unwrap(),
            b"\0asm\x0d\0\x01\0\x07\x01\x00\x00\x06\x03twoYZ"
        );
        assert_eq!(without(FILE, &[]).unwrap(), FILE);
    }

    #[test]
    fn the_names_of_parts_stay_without_the_name_of_the_whole() {
        let parts = [b"\x01".as_slice(), &length(200), &[7; 200]].concat();
        let named = [b"\x00\x06\x05whole".as_slice(), &parts].concat();
        let without = without_own_name("component-name", &named).unwrap();
        assert_eq!(without, [b"\x00\xda\x01\x0ecomponent-name".as_slice(), &parts].concat());
        assert_eq!(without_own_name("component-name", &parts).unwrap(), without);
        assert!(without_own_name("component-name", b"\x00\x06\x05whole").unwrap().is_empty());
        assert!(without_own_name("component-name", b"\x00\x06\x05whol").is_err());
    }

    #[test]
    fn a_file_that_ends_too_early_is_an_error() {
        for end in (0..FILE.len()).filter(|end| ![8, 15, 18].contains(end)) {
            assert!(read(&FILE[..end]).is_err(), "{end}");
        }
    }
}
