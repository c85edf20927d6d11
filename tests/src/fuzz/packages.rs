//! Target `packages`: untrusted files of a release, which are metadata, sums, manifests,
//! references, trust files, keys and payloads.
//!
//! The first letter of an input is the type of the rest: `w` a component, `s` sums, `m` a manifest,
//! `l` a list, `r` a reference, `t` a trust file, `k` a key, `p` a payload.
//!
//! Property: each is read or refused with its own code. An id makes a plain file name, and no
//! section occurs twice. Sums name plain files, in the form of `sha256sum`. A manifest is within
//! bounds, and the same after writing. A reference makes a URL with the host and path that it
//! shows. A public key has one spelling. A payload covers only what is in it.

use std::fmt::Write as _;

use smp_distribution::metadata::Metadata;
use smp_distribution::package::{MOST_FILES, Sums};
use smp_distribution::registry::manifest::{Index, Manifest};
use smp_distribution::registry::reference::Reference;
use smp_distribution::signature::key::{KeyPair, PublicKey};
use smp_distribution::signature::payload;
use smp_distribution::trust::TrustPolicy;
use smp_host::failure::Code;
use url::Url;

/// Texts with a meaning for one of the readers.
pub const DICTIONARY: &[&str] = &[
    "w",
    "s",
    "m",
    "l",
    "r",
    "t",
    "k",
    "p",
    "\0asm\x0d\0\x01\0",
    "\0\x08\x07version",
    "component-name",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "  a.wasm\n",
    " *",
    "../",
    "SHA256SUMS",
    "\"schemaVersion\":2",
    "\"layers\":[]",
    "sha256:",
    "@",
    "localhost",
    "[::1]",
    "%2e",
    "[[publisher]]\n",
    "connectors = {}\n",
    "-----BEGIN PUBLIC KEY-----\n",
    "-----END PUBLIC KEY-----\n",
    "\"critical\":",
];

/// Runs the target.
pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind {
        b'w' => component(rest),
        b's' => sums(rest),
        b'm' => manifest(rest),
        b'l' => {
            if let Ok(index) = Index::read(rest) {
                let bytes = index.to_bytes().expect("a list is written");
                assert_eq!(Index::read(&bytes).expect("a list that was written"), index);
            }
        }
        b'r' => reference(&String::from_utf8_lossy(rest)),
        b't' => {
            if let Err(failure) = TrustPolicy::read(rest) {
                assert!(
                    failure.code == Code::InvalidSettings && failure.hint.is_some(),
                    "{failure}"
                );
                assert!(!failure.message.chars().any(smp_host::text::is_active), "{failure}");
            }
        }
        b'k' => {
            if let Ok(key) = PublicKey::from_pem(&String::from_utf8_lossy(rest)) {
                assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key));
            }
            // A sealed key is not opened, because that is slow on purpose.
            let _ = KeyPair::from_pem(rest, || None);
        }
        _ => {
            if let Some(digest) = payload::signed(rest) {
                let plain: serde_json::Value =
                    serde_json::from_slice(rest).expect("a payload is JSON");
                assert!(plain.to_string().contains(&digest.to_string()));
            }
        }
    }
}

fn component(bytes: &[u8]) {
    let metadata = match Metadata::read(bytes) {
        Ok(metadata) => metadata,
        Err(failure) => return assert_eq!(failure.code, Code::Component, "{failure}"),
    };
    if let Ok(identity) = metadata.identity() {
        let name = format!("{}-{}", identity.id, identity.version);
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte))
                && !name.starts_with('.'),
            "{name:?}"
        );
        let twice = [bytes, b"\0\x0d\x07version9.9.9"].concat();
        assert_ne!(
            Metadata::read(&twice).ok().and_then(|metadata| metadata.version).as_deref(),
            Some("9.9.9")
        );
    }
}

fn sums(bytes: &[u8]) {
    let sums = match Sums::read(bytes.to_vec()) {
        Ok(sums) => sums,
        Err(failure) => {
            return assert!(failure.code == Code::Component && failure.hint.is_some(), "{failure}");
        }
    };
    assert!(sums.digests().len() <= MOST_FILES && sums.component().is_ok());
    let mut written = String::new();
    for (name, digest) in sums.digests() {
        let is_plain = !name.contains(['/', '\\', '\0', '\n'])
            && !name.starts_with('.')
            && !name.starts_with("SHA256SUMS");
        assert!(is_plain && !name.chars().any(smp_host::text::is_active), "{name:?}");
        writeln!(written, "{}  {name}", digest.hex()).expect("a text takes a line");
    }
    assert_eq!(
        Sums::read(written.into_bytes()).expect("sums that were written").digests(),
        sums.digests()
    );
}

fn manifest(bytes: &[u8]) {
    match Manifest::read(bytes) {
        Err(failure) => assert_eq!(failure.code, Code::UnexpectedResponse, "{failure}"),
        Ok(manifest) => {
            assert!(manifest.layers.len() <= 200 && manifest.annotations.len() <= 200);
            let bytes = manifest.to_bytes().expect("a manifest is written");
            assert_eq!(Manifest::read(&bytes).expect("a manifest that was written"), manifest);
        }
    }
}

fn reference(text: &str) {
    let Ok(reference) = Reference::parse(text) else { return };
    assert_eq!(reference.to_string(), text);
    assert_eq!(Reference::parse(&reference.to_string()), Ok(reference.clone()));
    let tag = reference.tag().unwrap_or("none");
    let path = format!("/v2/{}/manifests/{tag}", reference.name());
    let url = Url::parse(&format!("https://{}{path}", reference.host()))
        .expect("a reference makes a URL");
    assert_eq!((url.path(), url.query(), url.fragment()), (path.as_str(), None, None));
    assert!(url.username().is_empty() && url.password().is_none() && url.host().is_some(), "{url}");
}
