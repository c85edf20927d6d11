//! The reference of an artifact: `HOST[:PORT]/NAME[:TAG][@DIGEST]`.

use std::fmt;

use crate::digest::Digest;

/// Longest name of a repository that registries accept.
const LONGEST_NAME: usize = 255;
/// Longest tag in the specification.
const LONGEST_TAG: usize = 128;

/// Names an artifact in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    name: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The host is missing. There is no default registry.
    #[error(
        "it must begin with the host of a registry: HOST/NAME:TAG, for example \
         `ghcr.io/example/atlassian-cloud:0.1.0`"
    )]
    Registry,
    /// The name is malformed.
    #[error(
        "the name after the host is made of a-z, 0-9 and single `.`, `_`, `-` and `/` between them"
    )]
    Name,
    /// The tag is malformed.
    #[error(
        "a tag is made of letters, digits, `.`, `_` and `-`, at most 128 of them, and begins with \
         a letter, a digit or `_`"
    )]
    Tag,
    /// The digest is malformed.
    #[error("a digest is `sha256:` and 64 digits, a to f in lower case")]
    Digest,
}

impl Reference {
    /// Parses a reference. Registry and tag have no defaults.
    ///
    /// # Errors
    /// If the text is not a reference.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(Digest::parse(digest).ok_or(ReferenceError::Digest)?))
            }
            None => (text, None),
        };
        let (registry, rest) = rest.split_once('/').ok_or(ReferenceError::Registry)?;
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        if !is_host(registry) {
            return Err(ReferenceError::Registry);
        }
        if name.len() > LONGEST_NAME || !name.split('/').all(is_name_part) {
            return Err(ReferenceError::Name);
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag);
        }
        Ok(Self {
            registry: registry.to_owned(),
            name: name.to_owned(),
            tag: tag.map(ToOwned::to_owned),
            digest,
        })
    }

    /// The registry's host, with the port if there is one.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository's name within the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registry and name.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository, with this tag.
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() }
    }

    /// The host to connect to. For Docker Hub it differs from the one that people write.
    #[must_use]
    pub fn host(&self) -> &str {
        if self.is_docker_hub() { "registry-1.docker.io" } else { &self.registry }
    }

    /// The name of the login in Docker's configuration.
    #[must_use]
    pub fn login_name(&self) -> &str {
        if self.is_docker_hub() { "https://index.docker.io/v1/" } else { &self.registry }
    }

    fn is_docker_hub(&self) -> bool {
        ["docker.io", "index.docker.io"].contains(&self.registry.as_str())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.name)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

/// As usual for registries: a first part without a dot, a colon or this machine's name is not a
/// host.
fn is_host(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte));
    let meant = text == "localhost" || text.contains(['.', ':']);
    plain && meant && url::Url::parse(&format!("https://{text}/")).is_ok()
}

fn is_name_part(part: &str) -> bool {
    let plain = part
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte));
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    plain && ends(part.as_bytes().first()) && ends(part.as_bytes().last()) && !part.contains("..")
}

fn is_tag(tag: &str) -> bool {
    let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    plain
        && tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_and_shown_as_it_was_written() {
        let digest = Digest::of(b"x");
        for text in [
            "ghcr.io/example/atlassian-cloud:0.1.0".to_owned(),
            "127.0.0.1:5000/a".into(),
            "[::1]:5000/a/b__c:latest".into(),
            "localhost/a:1".into(),
            format!("registry.example.test/a/b@{digest}"),
            format!("registry.example.test/a/b:1.0@{digest}"),
        ] {
            assert_eq!(Reference::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_none_is_told_why() {
        for (text, error) in [
            ("", ReferenceError::Registry),
            ("atlassian-cloud", ReferenceError::Registry),
            ("example/atlassian-cloud:1", ReferenceError::Registry),
            ("https://ghcr.io/a", ReferenceError::Name),
            ("me:secret@ghcr.io/a", ReferenceError::Digest),
            ("ghcr.io:x/a", ReferenceError::Registry),
            ("ghcr.io?x/a", ReferenceError::Registry),
            ("ghcr.io/", ReferenceError::Name),
            ("ghcr.io/A", ReferenceError::Name),
            ("ghcr.io/a/../b", ReferenceError::Name),
            ("ghcr.io/a//b", ReferenceError::Name),
            ("ghcr.io/a/:1", ReferenceError::Name),
            ("ghcr.io/a:", ReferenceError::Tag),
            ("ghcr.io/a:.x", ReferenceError::Tag),
            ("ghcr.io/a:1/2", ReferenceError::Tag),
            ("ghcr.io/a@sha256:12", ReferenceError::Digest),
        ] {
            assert_eq!(Reference::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn docker_hub_is_spoken_to_under_its_own_name() {
        let hub = Reference::parse("docker.io/example/a:1").unwrap();
        assert_eq!(
            (hub.host(), hub.login_name()),
            ("registry-1.docker.io", "https://index.docker.io/v1/")
        );
        let other = Reference::parse("ghcr.io/example/a:1").unwrap();
        assert_eq!((other.host(), other.login_name()), ("ghcr.io", "ghcr.io"));
    }
}
