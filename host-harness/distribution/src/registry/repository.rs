//! A repository: content by its digest, manifests by digest or tag. All content is checked against
//! the digest by which it was requested.

use reqwest::Method;
use url::form_urlencoded::byte_serialize;

pub use super::client::Options;
use super::client::{Answer, Ask, Client, SMALL};
use super::kind;
use super::manifest::{Descriptor, INDEX, LARGEST, MANIFEST};
use super::reference::Reference;
use crate::digest::Digest;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;

/// A repository in a registry.
pub struct Repository {
    reference: Reference,
    client: Client,
}

/// A manifest that was found, of any kind.
pub(super) struct Found {
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
}

impl Repository {
    /// The repository of this reference. It sends nothing yet.
    ///
    /// # Errors
    /// `invalid-settings` if the options do not match it.
    pub fn new(reference: Reference, options: &Options) -> Result<Self, Failure> {
        let client = Client::new(&reference, options)?;
        Ok(Self { reference, client })
    }

    /// The reference.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Whether the login was not accepted, and everything was served without one.
    #[must_use]
    pub fn login_is_stale(&self) -> bool {
        self.client.login_is_stale()
    }

    /// Why the stored login could not be read, where nothing required one.
    #[must_use]
    pub fn unread_login(&self) -> Option<&Failure> {
        self.client.no_login()
    }

    /// Tells that something will be written: then the login is required.
    pub(super) fn will_write(&self) {
        self.client.will_write();
    }

    /// The manifest with this tag. `None` if there is none.
    pub(super) async fn resolve(&self, tag: &str) -> Result<Option<Found>, Failure> {
        self.manifest(tag).await
    }

    /// The manifest with this digest. `None` if there is none.
    pub(super) async fn pull_manifest(&self, digest: &Digest) -> Result<Option<Found>, Failure> {
        match self.manifest(&digest.to_string()).await? {
            Some(found) if found.digest != *digest => Err(other_content("a manifest", digest)),
            found => Ok(found),
        }
    }

    async fn manifest(&self, place: &str) -> Result<Option<Found>, Failure> {
        // Other kinds are asked for too: a registry hides what a client does not accept.
        let accept = format!("{MANIFEST}, {INDEX}, {}", kind::OTHERS);
        let answer = self.get(&format!("manifests/{place}"), &accept, LARGEST).await?;
        match answer.status {
            200 => {
                let digest = Digest::of(&answer.body);
                let told = answer.header("docker-content-digest").and_then(Digest::parse);
                match told.filter(|told| *told != digest) {
                    Some(told) => Err(other_content("a manifest", &told)),
                    None => Ok(Some(Found { digest, bytes: answer.body })),
                }
            }
            404 => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    /// Content by its digest. `None` if there is none.
    pub(super) async fn pull_blob(
        &self,
        digest: &Digest,
        most: u64,
        what: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.get(&format!("blobs/{digest}"), "*/*", most).await.map_err(
            |failure| match failure.code {
                Code::Limit => Failure {
                    message: format!("{what} in the registry is larger than {most} bytes"),
                    ..failure
                },
                _ => failure,
            },
        )?;
        match answer.status {
            200 if Digest::of(&answer.body) == *digest => Ok(Some(answer.body)),
            200 => Err(other_content(what, digest)),
            404 => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    /// Pushes content, unless the registry has it already.
    pub(super) async fn push_blob(
        &self,
        content: &Descriptor,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let path = self.path(&format!("blobs/{}", content.digest));
        let there = self
            .client
            .send(&Ask { method: Method::HEAD, path, accept: "*/*", body: None, most: SMALL })
            .await?;
        // Some registries redirect to the content instead of confirming it.
        if matches!(there.status, 200..=399) {
            return Ok(());
        }
        if there.status != 404 {
            return Err(self.refused(&there));
        }
        let ask = Ask {
            method: Method::POST,
            path: self.path("blobs/uploads/"),
            accept: "*/*",
            body: None,
            most: SMALL,
        };
        let begun = self.client.send(&ask).await?;
        if begun.status != 202 {
            return Err(self.refused(&begun));
        }
        let place = self.client.upload_place(&begun)?;
        let sign = if place.contains('?') { '&' } else { '?' };
        let digest: String = byte_serialize(content.digest.to_string().as_bytes()).collect();
        let body = Some(("application/octet-stream", bytes));
        let ask = Ask {
            method: Method::PUT,
            path: format!("{place}{sign}digest={digest}"),
            accept: "*/*",
            body,
            most: SMALL,
        };
        let done = self.client.send(&ask).await?;
        if done.status == 201 { Ok(()) } else { Err(self.refused(&done)) }
    }

    /// Pushes a manifest under a tag or a digest. Returns whether the registry lists it as a
    /// referrer of its subject.
    pub(super) async fn push_manifest(
        &self,
        place: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<bool, Failure> {
        let path = self.path(&format!("manifests/{place}"));
        let answer = self
            .client
            .send(&Ask {
                method: Method::PUT,
                path,
                accept: "*/*",
                body: Some((media_type, bytes)),
                most: SMALL,
            })
            .await?;
        if answer.status != 201 {
            return Err(self.refused(&answer));
        }
        let told = answer.header("docker-content-digest").and_then(Digest::parse);
        match told.filter(|told| *told != Digest::of(bytes)) {
            Some(told) => Err(other_content("the manifest that it was given", &told)),
            None => Ok(answer.header("oci-subject").is_some()),
        }
    }

    /// One page of an artifact's referrers, and the path of the next. `None` if the registry does
    /// not support referrers.
    pub(super) async fn referrers_page(
        &self,
        path: &str,
    ) -> Result<Option<(Vec<u8>, Option<String>)>, Failure> {
        let path = if path.starts_with('/') { path.to_owned() } else { self.path(path) };
        let answer = self
            .client
            .send(&Ask { method: Method::GET, path, accept: INDEX, body: None, most: LARGEST })
            .await?;
        match answer.status {
            200 => {
                let next = self.client.next_page(&answer)?;
                Ok(Some((answer.body, next)))
            }
            // Registries that do not know the request give these statuses.
            400 | 404 | 405 => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    async fn get(&self, path: &str, accept: &str, most: u64) -> Result<Answer, Failure> {
        self.client
            .send(&Ask { method: Method::GET, path: self.path(path), accept, body: None, most })
            .await
    }

    fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.reference.name())
    }

    fn refused(&self, answer: &Answer) -> Failure {
        self.client.refused(answer)
    }
}

/// The failure of content that does not match its digest.
fn other_content(what: &str, digest: &Digest) -> Failure {
    Failure::new(
        Code::Untrusted,
        format!("the registry serves other content in place of {what} with the digest {digest}"),
    )
    .with_remedy(Remedy::ContactSupport)
    .with_hint(
        "Do not use it: somebody changed it in the registry or on the way. Report it to the \
         operator of the registry.",
    )
}
