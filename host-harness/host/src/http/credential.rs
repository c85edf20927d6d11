//! The secret of a run, and how it is attached to requests. Only a transport reads it.

use zeroize::Zeroizing;

use crate::contract::Attachment;
use crate::secret::Secret;

/// The secret of a run, and how it is attached to its requests.
#[derive(Clone, Debug)]
pub struct Credential {
    attachment: Attachment,
    secret: Secret,
}

impl Credential {
    /// A secret, attached this way.
    #[must_use]
    pub fn new(attachment: Attachment, secret: Secret) -> Self {
        Self { attachment, secret }
    }

    /// The value of the header `authorization`, for a transport.
    #[must_use]
    pub fn authorization(&self) -> Zeroizing<String> {
        match self.attachment {
            Attachment::Bearer => Zeroizing::new(format!("Bearer {}", self.secret.expose())),
        }
    }

    /// The secret itself, for a transport that redacts it from answers.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}
