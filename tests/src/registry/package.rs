//! Releases of a connector as package folders, and the trust file that permits them.

#![expect(clippy::expect_used, reason = "a test that cannot run says so by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A release: a component, and the files that belong to it.
#[derive(Clone, Debug)]
pub struct Release {
    component: Vec<u8>,
    id: String,
    version: String,
    listing: String,
}

impl Release {
    /// A release of this component, with the metadata added.
    #[must_use]
    pub fn new(component: &[u8], id: &str, version: &str) -> Self {
        let component = with_metadata(component, id, version);
        Self {
            component,
            id: id.to_owned(),
            version: version.to_owned(),
            listing: format!("{{\"id\":\"{id}\"}}\n"),
        }
    }

    /// The release with another listing.
    #[must_use]
    pub fn listing(self, text: &str) -> Self {
        Self { listing: text.to_owned(), ..self }
    }

    /// Writes the package folder, and gives its path.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn write(&self, within: &Path) -> PathBuf {
        let folder = within.join(format!("{}-{}", self.id, self.version));
        fs::create_dir_all(&folder).expect("the folder is made");
        let component = format!("{}.wasm", self.id);
        let files: [(&str, &[u8]); 5] = [
            ("CHANGELOG.md", b"### Added\n\n- All of it.\n"),
            (&component, &self.component),
            ("listing.json", self.listing.as_bytes()),
            ("listing.md", b"# Example\n"),
            ("sbom.cdx.json", b"{\"bomFormat\":\"CycloneDX\"}\n"),
        ];
        let mut sums = String::new();
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).expect("the file is written");
            writeln!(sums, "{}  {name}", hex(&Sha256::digest(bytes))).expect("a text takes a line");
        }
        fs::write(folder.join("SHA256SUMS"), sums).expect("the file is written");
        folder
    }
}

/// A component with a name and a version in its metadata.
#[must_use]
pub fn with_metadata(component: &[u8], id: &str, version: &str) -> Vec<u8> {
    let short = |text: &str| u8::try_from(text.len()).unwrap_or(u8::MAX);
    let name = [&[0, short(id) + 1, short(id)], id.as_bytes()].concat();
    [
        component,
        &section("component-name", &name),
        &section("version", version.as_bytes()),
        &section("revision", b"abcdef"),
    ]
    .concat()
}

/// A trust file of one publisher with the public key in a file.
///
/// # Panics
/// When a file cannot be read or written.
#[must_use]
pub fn policy(within: &Path, key: &Path, connectors: &str) -> PathBuf {
    let path = within.join("trust.toml");
    let pem = fs::read_to_string(key).expect("the key is there");
    let text = format!(
        "[[publisher]]\nname = \"Example Ltd\"\nkeys = ['''{pem}''']\nconnectors = {connectors}\n"
    );
    fs::write(&path, text).expect("the file is written");
    path
}

/// A custom section. Every length in it is below 128, so it takes one byte.
fn section(name: &str, data: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
    let content = [&[length(name.len())], name.as_bytes(), data].concat();
    [&[0, length(content.len())], content.as_slice()].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
