//! The metadata of a component's file, read without compiling it: the standard metadata sections,
//! and its imports and exports.
//!
//! Only the outermost component counts: any tool may have made a module within it. A section that
//! occurs twice is refused, so that two readers of one signed file cannot read different values.

use semver::Version;
use wasmparser::{ComponentName, KnownCustom, Parser, Payload};

use smp_host::contract::Descriptor;
use smp_host::failure::{Code, Failure};

/// Longest text, in bytes: a description has a few sentences.
const LONGEST_TEXT: usize = 8 * 1024;
/// Most imports, and most exports: the contract has two imports and one export.
const MOST_NAMES: usize = 200;
/// Longest id, in bytes: it becomes part of file names.
const LONGEST_ID: usize = 100;

/// The metadata of a component's file. None of its texts is safe to show without escaping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The name. For a connector, it is the id.
    pub name: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// A description, in a sentence.
    pub description: Option<String>,
    /// Who made it.
    pub authors: Option<String>,
    /// The licences, as an SPDX expression.
    pub licenses: Option<String>,
    /// Address of the source.
    pub source: Option<String>,
    /// Address of the home page.
    pub homepage: Option<String>,
    /// The revision of the source that it was built from.
    pub revision: Option<String>,
    /// Full names of the imports, in the order of the file.
    pub imports: Vec<String>,
    /// Full names of the exports, in the order of the file.
    pub exports: Vec<String>,
}

/// The identity of a file: the connector, and its release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The connector's id.
    pub id: String,
    /// The version.
    pub version: Version,
}

impl Metadata {
    /// Reads the metadata of a component.
    ///
    /// # Errors
    /// `component` if it is not a component, is damaged, or has a section twice or a text that is
    /// too long.
    pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let mut metadata = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| damaged(error.message()))?;
            match payload {
                Payload::Version { encoding: wasmparser::Encoding::Module, .. } if depth == 0 => {
                    return Err(damaged("it is a core module, not a component"));
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth = depth.saturating_add(1)
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 0 => metadata.take(payload)?,
                _ => {}
            }
        }
        Ok(metadata)
    }

    /// The identity of the connector.
    ///
    /// # Errors
    /// `component` if the metadata do not give a connector's id and version.
    pub fn identity(&self) -> Result<Identity, Failure> {
        let (Some(id), Some(version)) = (&self.name, &self.version) else {
            return Err(unnamed("its metadata do not give its id and version"));
        };
        let is_plain = id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_plain || id.is_empty() || id.len() > LONGEST_ID {
            return Err(unnamed("the id in its metadata is not made of a-z, 0-9 and -"));
        }
        let version = Version::parse(version)
            .map_err(|_| unnamed("the version in its metadata is not a semantic version"))?;
        Ok(Identity { id: id.clone(), version })
    }

    fn take(&mut self, payload: Payload<'_>) -> Result<(), Failure> {
        let broken = |error: wasmparser::BinaryReaderError| damaged(error.message());
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    keep(&mut self.imports, import.map_err(broken)?.name.name)?;
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    keep(&mut self.exports, export.map_err(broken)?.name.name)?;
                }
            }
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::ComponentName(names) => {
                    for name in names {
                        if let ComponentName::Component { name, .. } = name.map_err(broken)? {
                            once(&mut self.name, "name", name.as_bytes())?;
                        }
                    }
                }
                _ => {
                    let name = section.name();
                    if let Some(field) = self.field(name) {
                        once(field, name, section.data())?;
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "version" => Some(&mut self.version),
            "description" => Some(&mut self.description),
            "authors" => Some(&mut self.authors),
            "licenses" => Some(&mut self.licenses),
            "source" => Some(&mut self.source),
            "homepage" => Some(&mut self.homepage),
            "revision" => Some(&mut self.revision),
            _ => None,
        }
    }
}

impl Identity {
    /// Requires that the descriptor, which only the running component gives, agrees with the
    /// metadata that were judged before.
    ///
    /// # Errors
    /// `untrusted` if it does not.
    pub fn agrees(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        if descriptor.id == self.id
            && Version::parse(&descriptor.version).is_ok_and(|version| version == self.version)
        {
            return Ok(());
        }
        let said =
            smp_host::text::shortened(&format!("{} {}", descriptor.id, descriptor.version), 100)
                .into_owned();
        Err(Failure::new(
            Code::Untrusted,
            format!(
                "the file was signed as {self}, but the connector in it describes itself as {said}"
            ),
        )
        .with_hint(
            "Do not use it. The file that its publisher signed differs from its own metadata: \
             report it to them.",
        ))
    }

    /// The version as a tag of a registry, which cannot contain a plus sign.
    #[must_use]
    pub fn tag(&self) -> String {
        self.version.to_string().replace('+', "_")
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.id, self.version)
    }
}

fn once(field: &mut Option<String>, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| damaged(&format!("its `{name}` is not UTF-8 text")))?;
    if text.len() > LONGEST_TEXT {
        return Err(damaged(&format!("its `{name}` is longer than {LONGEST_TEXT} bytes")));
    }
    match field.replace(text.to_owned()) {
        None => Ok(()),
        Some(_) => Err(damaged(&format!("it has `{name}` twice"))),
    }
}

fn keep(names: &mut Vec<String>, name: &str) -> Result<(), Failure> {
    if names.len() >= MOST_NAMES || name.len() > LONGEST_TEXT {
        return Err(damaged("it has more or longer imports or exports than a connector needs"));
    }
    names.push(name.to_owned());
    Ok(())
}

fn damaged(reason: &str) -> Failure {
    Failure::new(
        Code::Component,
        format!(
            "the metadata of the component cannot be read: {}",
            smp_host::text::shortened(reason, 200)
        ),
    )
    .with_hint("Give the `.wasm` file of a connector, for example the one of its package.")
}

fn unnamed(reason: &str) -> Failure {
    Failure::new(Code::Component, reason).with_hint(
        "Give the file of its package: packaging puts the id and the version of the connector \
         into the file.",
    )
}

#[cfg(test)]
pub(crate) mod testing {
    /// A component that consists of these metadata.
    pub(crate) fn component(name: &str, version: &str) -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(name_section(name));
        bytes.extend(section("version", version.as_bytes()));
        bytes
    }

    /// A custom section. All lengths are below 128, so each takes one byte.
    pub(crate) fn section(name: &str, data: &[u8]) -> Vec<u8> {
        let content = [&[name.len() as u8], name.as_bytes(), data].concat();
        [&[0, content.len() as u8], content.as_slice()].concat()
    }

    pub(crate) fn name_section(name: &str) -> Vec<u8> {
        section(
            "component-name",
            &[&[0, name.len() as u8 + 1, name.len() as u8], name.as_bytes()].concat(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{component, name_section, section};
    use super::*;

    #[test]
    fn a_component_tells_its_name_and_version_without_being_compiled() {
        let bytes =
            [component("example", "1.2.3"), section("revision", b"abc"), section("other", b"x")]
                .concat();
        let metadata = Metadata::read(&bytes).unwrap();
        assert_eq!(metadata.revision.as_deref(), Some("abc"));
        let identity = metadata.identity().unwrap();
        assert_eq!(
            (identity.to_string().as_str(), identity.tag().as_str()),
            ("example 1.2.3", "1.2.3")
        );
    }

    #[test]
    fn what_is_said_twice_or_within_another_component_is_not_taken() {
        let twice = [component("example", "1.2.3"), section("version", b"9.9.9")].concat();
        assert!(Metadata::read(&twice).unwrap_err().message.ends_with("it has `version` twice"));
        let renamed = [component("example", "1.2.3"), name_section("other")].concat();
        assert!(Metadata::read(&renamed).unwrap_err().message.ends_with("it has `name` twice"));
        let inner = component("inner", "0.0.1");
        let outer = [&b"\0asm\x0d\0\x01\0"[..], &[4, inner.len() as u8], &inner].concat();
        assert_eq!(Metadata::read(&outer).unwrap(), Metadata::default());
    }

    #[test]
    fn an_id_and_a_version_are_of_the_usual_form() {
        for (name, version, reason) in [
            ("../up", "1.0.0", "the id in its metadata is not made of a-z, 0-9 and -"),
            ("", "1.0.0", "the id in its metadata is not made of a-z, 0-9 and -"),
            ("example", "1.0", "the version in its metadata is not a semantic version"),
        ] {
            let failure =
                Metadata::read(&component(name, version)).unwrap().identity().unwrap_err();
            assert_eq!((failure.code, failure.message.as_str()), (Code::Component, reason));
        }
        assert!(Metadata::default().identity().unwrap_err().message.contains("do not give its id"));
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for bytes in [&b"\0asm\x01\0\0\0"[..], b"", b"hello", b"\0asm\x0d\0\x01\0\0\xff\xff"] {
            assert_eq!(Metadata::read(bytes).unwrap_err().code, Code::Component);
        }
    }

    #[test]
    fn a_descriptor_that_says_something_else_is_refused() {
        let mut descriptor = smp_host::testing::descriptor(&[]);
        let identity = Identity { id: descriptor.id.clone(), version: Version::new(1, 2, 3) };
        descriptor.version = "1.2.3".into();
        assert_eq!(identity.agrees(&descriptor), Ok(()));
        descriptor.version = "1.2.4".into();
        assert_eq!(identity.agrees(&descriptor).unwrap_err().code, Code::Untrusted);
        descriptor.version = "1.2.3".into();
        descriptor.id.push('x');
        assert_eq!(identity.agrees(&descriptor).unwrap_err().code, Code::Untrusted);
    }
}
