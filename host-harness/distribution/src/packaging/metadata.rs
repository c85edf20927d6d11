//! The standard metadata of a component: custom sections that registries, `wkg` and `wasm-tools
//! metadata show` read.
//!
//! Name and version come from the descriptor, the rest from the publisher. All sections are written
//! again each time, in one order, so packaging a packaged component gives the same bytes.
//! `producers`, which the build tools wrote, stays.

use sha2::{Digest, Sha256};
use wasm_metadata::{
    AddMetadata, AddMetadataField, Authors, Description, Homepage, Licenses, Revision, Source,
    Version,
};

use super::sections;
use crate::metadata as standard;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;
use smp_host::text;

/// Most characters of one entry: a paragraph.
const LONGEST: usize = 2_000;

/// Sections of standard metadata, except for the name.
const SECTIONS: [&str; 7] =
    ["authors", "description", "licenses", "source", "homepage", "revision", "version"];
/// The section with the component's name and, in debug builds, the names of its parts.
const NAMES: &str = "component-name";

/// The publisher's description of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublisherMetadata {
    /// A description, in a sentence.
    pub description: Option<String>,
    /// Who made it.
    pub authors: Option<String>,
    /// The licences under which it is distributed: an SPDX expression.
    pub licenses: Option<String>,
    /// Address of the source.
    pub source: Option<String>,
    /// Address of the home page.
    pub homepage: Option<String>,
    /// The commit that it was built from.
    pub revision: Option<String>,
}

impl PublisherMetadata {
    /// These entries, with missing ones taken from the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            description: self.description.or(other.description),
            authors: self.authors.or(other.authors),
            licenses: self.licenses.or(other.licenses),
            source: self.source.or(other.source),
            homepage: self.homepage.or(other.homepage),
            revision: self.revision.or(other.revision),
        }
    }

    /// The metadata that a component has already.
    ///
    /// # Errors
    /// `component` if it is damaged, or has an entry that no registry accepts.
    pub(super) fn of(component: &[u8]) -> Result<Self, Failure> {
        let standard::Metadata {
            description, authors, licenses, source, homepage, revision, ..
        } = standard::Metadata::read(component)?;
        let metadata = Self { description, authors, licenses, source, homepage, revision };
        metadata
            .check()
            .map_err(|wrong| refused(format!("its metadata `{}` {}", wrong.entry, wrong.why)))?;
        Ok(metadata)
    }

    /// Checks the form of every entry.
    ///
    /// # Errors
    /// The first entry with a wrong form.
    pub fn check(&self) -> Result<(), WrongEntry> {
        self.sections("").map(|_| ())
    }

    /// The sections to write, with this version.
    fn sections(&self, version: &str) -> Result<AddMetadata, WrongEntry> {
        let mut add = AddMetadata::default();
        add.version = AddMetadataField::Set(Version::new(version.to_owned()));
        if let Some(text) = plain("description", self.description.as_ref())? {
            add.description = AddMetadataField::Set(Description::new(text));
        }
        if let Some(text) = plain("authors", self.authors.as_ref())? {
            add.authors = AddMetadataField::Set(Authors::new(text));
        }
        if let Some(text) = plain("revision", self.revision.as_ref())? {
            add.revision = AddMetadataField::Set(Revision::new(text));
        }
        if let Some(text) = plain("licenses", self.licenses.as_ref())? {
            let wrong = |_| WrongEntry {
                entry: "licenses",
                why: "is not an SPDX expression, such as `Apache-2.0 OR MIT`",
            };
            add.licenses = AddMetadataField::Set(Licenses::new(&text).map_err(wrong)?);
        }
        if let Some(text) = address("source", self.source.as_ref())? {
            let wrong = |_| WrongEntry { entry: "source", why: NO_ADDRESS };
            add.source = AddMetadataField::Set(Source::new(&text).map_err(wrong)?);
        }
        if let Some(text) = address("homepage", self.homepage.as_ref())? {
            let wrong = |_| WrongEntry { entry: "homepage", why: NO_ADDRESS };
            add.homepage = AddMetadataField::Set(Homepage::new(&text).map_err(wrong)?);
        }
        Ok(add)
    }
}

/// An entry with a wrong form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongEntry {
    /// Its name.
    pub entry: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

const NO_ADDRESS: &str = "is not a web address that begins with `https://`";

fn plain(entry: &'static str, text: Option<&String>) -> Result<Option<String>, WrongEntry> {
    let Some(text) = text else { return Ok(None) };
    if text.trim().is_empty() {
        return Err(WrongEntry { entry, why: "is empty" });
    }
    if text.chars().any(text::is_active) {
        return Err(WrongEntry {
            entry,
            why: "contains a line break or another unreadable character",
        });
    }
    if text.chars().nth(LONGEST).is_some() {
        return Err(WrongEntry { entry, why: "is longer than 2,000 characters" });
    }
    Ok(Some(text.clone()))
}

fn address(entry: &'static str, text: Option<&String>) -> Result<Option<String>, WrongEntry> {
    let text = plain(entry, text)?;
    let is_web = |text: &String| text.starts_with("https://") && smp_listing::is_address(text);
    if text.as_ref().is_some_and(|text| !is_web(text)) {
        Err(WrongEntry { entry, why: NO_ADDRESS })
    } else {
        Ok(text)
    }
}

/// The component with exactly this metadata.
///
/// # Errors
/// `component` if it is damaged; `invalid-settings` if an entry has a wrong form.
pub(super) fn written(
    component: &[u8],
    id: &str,
    version: &str,
    metadata: &PublisherMetadata,
) -> Result<Vec<u8>, Failure> {
    let mut add = metadata.sections(version).map_err(|wrong| wrong.failure())?;
    add.name = AddMetadataField::Set(id.to_owned());
    // Adding an entry that is present already would make a second one.
    let bare = sections::without(component, &SECTIONS).map_err(|error| damaged(&error))?;
    add.to_wasm(&bare).map_err(|error| {
        refused(format!(
            "it cannot be given metadata: {}",
            text::shortened(&format!("{error:#}"), 200)
        ))
    })
}

/// `sha256:` and the digest of the component without standard metadata, which is that of the
/// build's output.
///
/// # Errors
/// `component` if it is damaged.
pub(super) fn build_digest(component: &[u8]) -> Result<String, Failure> {
    let bare = || {
        let (header, sections) = sections::read(component)?;
        let mut hash = Sha256::new().chain_update(header);
        for section in sections {
            match section.custom {
                Some((name, _)) if SECTIONS.contains(&name) => {}
                Some((NAMES, content)) => hash.update(sections::without_own_name(NAMES, content)?),
                _ => hash.update(section.whole),
            }
        }
        Ok(format!("sha256:{}", hex::encode(hash.finalize())))
    };
    bare().map_err(|error| damaged(&error))
}

impl WrongEntry {
    /// The failure of an entry that the publisher gave.
    #[must_use]
    pub fn failure(self) -> Failure {
        Failure::new(Code::InvalidSettings, format!("`{}` {}", self.entry, self.why))
            .with_remedy(Remedy::CorrectInput { input: self.entry })
            .with_hint("Correct it.")
    }
}

fn refused(message: String) -> Failure {
    Failure::new(Code::Component, message)
        .with_hint("Build the component again, and package the result.")
}

fn damaged(error: &wasmparser::BinaryReaderError) -> Failure {
    refused(format!("the file is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use wasm_metadata::Payload;

    use super::*;

    /// A component with only `producers`.
    fn built() -> Vec<u8> {
        let mut add = AddMetadata::default();
        add.processed_by = vec![("rustc".into(), "1.2.3".into())];
        let wasm = add.to_wasm(b"\0asm\x0d\0\x01\0").unwrap();
        assert_eq!(sections::read(&wasm).unwrap().1.len(), 1);
        wasm
    }

    fn metadata() -> PublisherMetadata {
        PublisherMetadata {
            description: Some("A connector.".into()),
            authors: Some("Somebody <somebody@example.test>".into()),
            licenses: Some("Apache-2.0 OR MIT".into()),
            source: Some("https://example.test/source".into()),
            homepage: Some("https://example.test".into()),
            revision: Some("0123abc".into()),
        }
    }

    #[test]
    fn other_tools_read_what_was_written() {
        let wasm = written(&built(), "example", "1.2.3", &metadata()).unwrap();
        let payload = Payload::from_binary(&wasm).unwrap();
        let read = payload.metadata();
        let text = |entry: Option<String>| entry.unwrap_or_default();
        assert_eq!(read.name.as_deref(), Some("example"));
        assert_eq!(text(read.version.as_ref().map(ToString::to_string)), "1.2.3");
        assert_eq!(
            text(read.authors.as_ref().map(ToString::to_string)),
            "Somebody <somebody@example.test>"
        );
        assert_eq!(text(read.licenses.as_ref().map(ToString::to_string)), "Apache-2.0 OR MIT");
        assert_eq!(
            text(read.source.as_ref().map(ToString::to_string)),
            "https://example.test/source"
        );
        assert_eq!(text(read.revision.as_ref().map(ToString::to_string)), "0123abc");
        assert_eq!(
            read.producers.as_ref().unwrap().get("processed-by").unwrap().get("rustc").unwrap(),
            "1.2.3"
        );
    }

    #[test]
    fn writing_it_again_gives_the_same_bytes() {
        let once = written(&built(), "example", "1.2.3", &metadata()).unwrap();
        let read = PublisherMetadata::of(&once).unwrap();
        assert_eq!(
            read,
            PublisherMetadata { homepage: Some("https://example.test/".into()), ..metadata() },
            "an address is written in its usual form"
        );
        for metadata in [metadata(), read] {
            assert_eq!(written(&once, "example", "1.2.3", &metadata).unwrap(), once);
        }
        let other = PublisherMetadata { homepage: None, ..metadata() };
        let without = written(&once, "example", "1.2.3", &other).unwrap();
        assert_eq!(PublisherMetadata::of(&without).unwrap(), other);
    }

    #[test]
    fn the_digest_of_the_build_does_not_know_the_metadata() {
        let digest = build_digest(&built()).unwrap();
        assert_eq!(digest, format!("sha256:{}", hex::encode(Sha256::digest(built()))));
        assert_eq!(
            build_digest(&written(&built(), "example", "1.2.3", &metadata()).unwrap()).unwrap(),
            digest
        );
    }

    #[test]
    fn an_entry_that_is_not_what_its_name_says_is_refused() {
        let wrong = |change: fn(&mut PublisherMetadata)| {
            let mut metadata = metadata();
            change(&mut metadata);
            let wrong = metadata.check().unwrap_err();
            (wrong.entry, wrong.why)
        };
        assert_eq!(wrong(|it| it.licenses = Some("Apache 2".into())).0, "licenses");
        assert_eq!(
            wrong(|it| it.source = Some("http://example.test".into())),
            ("source", NO_ADDRESS)
        );
        assert_eq!(wrong(|it| it.source = Some("/a/folder".into())), ("source", NO_ADDRESS));
        assert_eq!(
            wrong(|it| it.homepage = Some("https://good.test@evil.test".into())),
            ("homepage", NO_ADDRESS)
        );
        assert_eq!(wrong(|it| it.authors = Some(" ".into())), ("authors", "is empty"));
        assert_eq!(wrong(|it| it.revision = Some("x".repeat(2_001))).0, "revision");
        assert_eq!(wrong(|it| it.description = Some("a\u{202e}b".into())).0, "description");
    }

    #[test]
    fn metadata_in_a_component_that_is_no_text_is_refused() {
        let wasm = [b"\0asm\x0d\0\x01\0".as_slice(), b"\x00\x0a\x07authors\xff\xfe"].concat();
        assert_eq!(
            PublisherMetadata::of(&wasm).unwrap_err().message,
            "the metadata of the component cannot be read: its `authors` is not UTF-8 text"
        );
    }
}
