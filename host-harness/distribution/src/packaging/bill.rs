//! The bill of materials of a component: a CycloneDX document made by the build, which is bound
//! here to the digest of the file.
//!
//! A host cannot see which libraries were linked into a component; the build can. Only the fields
//! that the listing shows and those that bind the bill to the file are read; the rest is passed on
//! unchanged.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::links::Links;
use super::metadata::PublisherMetadata;
use smp_host::failure::{Code, Failure};
use smp_host::files::json;
use smp_host::remedy::Remedy;
use smp_host::text;
use smp_listing::LONGEST_NAME;

/// Largest bill, in bytes. One of a thousand components has less than one MiB.
pub const LARGEST: usize = 4 * 1024 * 1024;
/// Most components of a bill: more than any connector links.
const MOST: usize = 5_000;
/// Versions of CycloneDX in which the fields used here have the same meaning.
const VERSIONS: [&str; 3] = ["1.5", "1.6", "1.7"];

/// A bill of materials.
#[derive(Clone, Debug, PartialEq)]
pub struct Bill {
    document: Map<String, Value>,
    linked: Vec<Linked>,
}

/// A library that is linked into the component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its licences: an SPDX expression, or the text of the bill.
    pub licenses: Option<String>,
}

impl Bill {
    /// Reads a bill.
    ///
    /// # Errors
    /// `invalid-settings` if it is not a CycloneDX document in JSON, or names a folder of the
    /// machine that made it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        if bytes.len() > LARGEST {
            return Err(refused("it is larger than 4 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text"))?;
        let document: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| refused(format!("it is not a JSON object: {error}")))?;
        let is = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        if is("bomFormat") != "CycloneDX" || !VERSIONS.contains(&is("specVersion")) {
            return Err(refused("it is not a CycloneDX 1.5, 1.6 or 1.7 document"));
        }
        // Tools for Cargo name packages by their folder by default.
        if text.contains("file://") {
            return Err(refused(
                "it names a folder of the machine that it was made on (`file://`)",
            ));
        }
        let components = document
            .get("components")
            .and_then(Value::as_array)
            .ok_or_else(|| refused("it has no list `components`"))?;
        if components.len() > MOST {
            return Err(refused("it has more than 5,000 components"));
        }
        let linked = components.iter().map(linked).collect::<Option<Vec<_>>>();
        let linked = linked.ok_or_else(|| refused("one of its components has no readable name"))?;
        Ok(Self { document, linked })
    }

    /// The linked libraries.
    #[must_use]
    pub fn linked(&self) -> &[Linked] {
        &self.linked
    }

    /// The addresses for help and for reports of weaknesses in the bill.
    #[must_use]
    pub fn links(&self) -> Links {
        let reference = |kind: &str| {
            let references = self.component()?.get("externalReferences")?.as_array()?;
            let found = references
                .iter()
                .find(|reference| reference.get("type").and_then(Value::as_str) == Some(kind))?;
            Some(found.get("url")?.as_str()?.to_owned())
        };
        let support = Links { support: reference("support"), ..Links::default() };
        let security = Links { security: reference("security-contact"), ..Links::default() };
        let entries = [support, security].into_iter().filter(|links| links.check().is_ok());
        entries.fold(Links::default(), Links::or)
    }

    /// The metadata of the component in the bill.
    #[must_use]
    pub fn metadata(&self) -> PublisherMetadata {
        let Some(component) = self.component() else { return PublisherMetadata::default() };
        let reference = |kind: &str| {
            let references = component.get("externalReferences")?.as_array()?;
            references
                .iter()
                .find(|reference| reference.get("type").and_then(Value::as_str) == Some(kind))?
                .get("url")?
                .as_str()
        };
        let entries = [
            PublisherMetadata {
                description: string(component, "description"),
                ..PublisherMetadata::default()
            },
            PublisherMetadata {
                authors: string(component, "author"),
                ..PublisherMetadata::default()
            },
            PublisherMetadata { licenses: licenses(component), ..PublisherMetadata::default() },
            PublisherMetadata {
                source: reference("vcs").map(ToOwned::to_owned),
                ..PublisherMetadata::default()
            },
            PublisherMetadata {
                homepage: reference("website").map(ToOwned::to_owned),
                ..PublisherMetadata::default()
            },
        ];
        // A bill has more forms of addresses than a component, such as `git+https://…`.
        entries
            .into_iter()
            .filter(|entry| entry.check().is_ok())
            .fold(PublisherMetadata::default(), PublisherMetadata::or)
    }

    /// The bill bound to this file: with its digest, a serial number derived from it, and the date,
    /// if there is one.
    ///
    /// # Errors
    /// `invalid-settings` if the bill belongs to another version.
    pub(super) fn bound_to(
        &self,
        version: &str,
        digest: &str,
        date: Option<Timestamp>,
    ) -> Result<Vec<u8>, Failure> {
        let stated =
            self.component().and_then(|component| component.get("version")).and_then(Value::as_str);
        if stated != Some(version) {
            let stated =
                stated.map_or("no version".into(), |stated| text::shortened(stated, LONGEST_NAME));
            return Err(refused(format!("it is of {stated}, and the connector is {version}")));
        }
        let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
        let mut document = self.document.clone();
        document.insert("serialNumber".into(), Value::from(serial_number(digest)));
        let metadata = document.get_mut("metadata").and_then(Value::as_object_mut);
        if let Some(metadata) = metadata {
            if let Some(date) = date {
                metadata.insert("timestamp".into(), Value::from(date.to_string()));
            }
            if let Some(component) = metadata.get_mut("component").and_then(Value::as_object_mut) {
                component.insert("hashes".into(), json!([{"alg": "SHA-256", "content": digest}]));
            }
        }
        let text = json::indented(&document)
            .map_err(|error| refused(format!("it cannot be written: {error}")))?;
        Ok(format!("{text}\n").into_bytes())
    }

    fn component(&self) -> Option<&Value> {
        self.document.get("metadata")?.get("component")
    }
}

fn linked(component: &Value) -> Option<Linked> {
    let name = string(component, "name")?;
    let group = string(component, "group").filter(|group| !group.is_empty());
    let name = group.map_or(name.clone(), |group| format!("{group}/{name}"));
    let linked =
        Linked { name, version: string(component, "version"), licenses: licenses(component) };
    let texts = [Some(&linked.name), linked.version.as_ref(), linked.licenses.as_ref()];
    let is_readable =
        |text: &String| !text.chars().any(text::is_active) && text.len() <= LONGEST_NAME;
    (!linked.name.is_empty() && texts.into_iter().flatten().all(is_readable)).then_some(linked)
}

fn licenses(component: &Value) -> Option<String> {
    let all = component.get("licenses")?.as_array()?.iter().map(|choice| {
        let of = |key: &str| choice.get("license").and_then(|license| string(license, key));
        string(choice, "expression").or_else(|| of("id")).or_else(|| of("name"))
    });
    let all: Vec<String> = all.collect::<Option<_>>()?;
    (!all.is_empty()).then(|| all.join(" AND "))
}

fn string(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// A serial number in the form of the standard, the same for the same file: a UUID of version 8,
/// whose bits the maker chooses.
fn serial_number(digest: &str) -> String {
    let mut digits: Vec<char> = digest.chars().chain(std::iter::repeat('0')).take(32).collect();
    for (place, digit) in [(12, '8'), (16, 'a')] {
        if let Some(slot) = digits.get_mut(place) {
            *slot = digit;
        }
    }
    let mut number = String::from("urn:uuid:");
    for (index, digit) in digits.into_iter().enumerate() {
        if [8, 12, 16, 20].contains(&index) {
            number.push('-');
        }
        number.push(digit);
    }
    number
}

fn refused(why: impl Into<String>) -> Failure {
    Failure::new(
        Code::InvalidSettings,
        format!("the bill of materials cannot be used: {}", why.into()),
    )
    .with_remedy(Remedy::CorrectInput { input: "sbom" })
    .with_hint(
        "Give the CycloneDX document, in JSON, that the build of this version made of its linked \
         libraries.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {"component": {
                "type": "library", "name": "example", "version": "1.2.3", "author": "Somebody",
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "externalReferences": [{"type": "vcs", "url": "https://example.test/source"}],
            }},
            "components": [
                {"type": "library", "name": "serde", "version": "1.0.0", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Own"}}]},
                {"type": "library", "group": "@scope", "name": "json"},
            ],
        })
    }

    fn parsed(document: &Value) -> Result<Bill, Failure> {
        Bill::parse(document.to_string().as_bytes())
    }

    fn said(document: &Value) -> String {
        parsed(document).unwrap_err().message.split_once(": ").unwrap().1.to_owned()
    }

    #[test]
    fn what_is_linked_in_is_read() {
        let bill = parsed(&document()).unwrap();
        assert_eq!(
            bill.linked(),
            [
                Linked {
                    name: "serde".into(),
                    version: Some("1.0.0".into()),
                    licenses: Some("MIT AND Own".into())
                },
                Linked { name: "@scope/json".into(), version: None, licenses: None },
            ]
        );
        let metadata = bill.metadata();
        assert_eq!(
            (metadata.authors.as_deref(), metadata.source.as_deref()),
            (Some("Somebody"), Some("https://example.test/source"))
        );
        assert_eq!(metadata.licenses.as_deref(), Some("MIT OR Apache-2.0"));
    }

    #[test]
    fn it_is_bound_to_the_file_and_binding_it_again_changes_nothing() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let date = Some(Timestamp::from_second(1_000_000_000).unwrap());
        let bound = parsed(&document()).unwrap().bound_to("1.2.3", &digest, date).unwrap();
        let value: Value = serde_json::from_slice(&bound).unwrap();
        assert_eq!(value["metadata"]["component"]["hashes"][0]["content"], "ab".repeat(32));
        assert_eq!(value["metadata"]["timestamp"], "2001-09-09T01:46:40Z");
        assert_eq!(value["serialNumber"], "urn:uuid:abababab-abab-8bab-abab-abababababab");
        assert_eq!(value["components"], document()["components"]);
        assert_eq!(Bill::parse(&bound).unwrap().bound_to("1.2.3", &digest, date).unwrap(), bound);
    }

    #[test]
    fn what_is_no_bill_of_this_version_is_refused() {
        let with = |key: &str, value: Value| {
            let mut document = document();
            document[key] = value;
            document
        };
        assert_eq!(said(&json!([])).split(':').next(), Some("it is not a JSON object"));
        assert_eq!(
            said(&with("bomFormat", json!("SPDX"))),
            "it is not a CycloneDX 1.5, 1.6 or 1.7 document"
        );
        assert_eq!(
            said(&with("specVersion", json!("1.2"))),
            "it is not a CycloneDX 1.5, 1.6 or 1.7 document"
        );
        assert_eq!(said(&with("components", Value::Null)), "it has no list `components`");
        assert!(said(&with("x", json!("path+file:///home/me"))).contains("`file://`"));
        assert!(
            said(&with("components", json!([{"name": "a\u{1b}b"}]))).contains("no readable name")
        );
        let message =
            parsed(&document()).unwrap().bound_to("2.0.0", "sha256:00", None).unwrap_err().message;
        assert_eq!(
            message,
            "the bill of materials cannot be used: it is of 1.2.3, and the connector is 2.0.0"
        );
    }
}
