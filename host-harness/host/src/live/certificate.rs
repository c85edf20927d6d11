//! Certificates: the operator's file of authorities, and why a server's certificate is not trusted.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, OtherError};

use crate::http::transport::Distrust;

/// Why a file has no certificates to trust. No part of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is a certificate in the binary form.
    #[error("it is in DER form, not in PEM form")]
    Der,
    /// It is UTF-16 text.
    #[error("it is UTF-16 text, not UTF-8")]
    Utf16,
    /// It has a private key, and no certificate.
    #[error("it has a private key, and no certificate in PEM form")]
    PrivateKey,
    /// Its certificate is in a PKCS #7 or PKCS #12 file.
    #[error("it is a PKCS #7 file, not a certificate in PEM form")]
    Pkcs7,
    /// A certificate in it is cut short or malformed.
    #[error("a certificate in it cannot be read: it is not whole, or not in PEM form")]
    Malformed,
    /// It has none.
    #[error("it has no certificate in PEM form")]
    Missing,
}

impl CertificatesError {
    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Der => {
                "Convert it: `openssl x509 -inform der -in FILE -out FILE.pem`, and give the new \
                 file."
            }
            Self::Pkcs7 => {
                "Convert it: `openssl pkcs7 -print_certs -in FILE -out FILE.pem`, and give the new \
                 file."
            }
            Self::Utf16 => "Save it as UTF-8 or plain ASCII text.",
            Self::PrivateKey => {
                "Give the certificate of the authority, and never its private key. It begins with \
                 `-----BEGIN CERTIFICATE-----`."
            }
            Self::Empty | Self::Malformed | Self::Missing => {
                "Give a file with one or more certificates in PEM form: each from `-----BEGIN \
                 CERTIFICATE-----` to `-----END CERTIFICATE-----`."
            }
        }
    }
}

/// The certificates of a file in PEM form. A byte order mark before them is skipped.
///
/// # Errors
/// What the file is instead.
pub(super) fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificatesError> {
    let pem = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let has = |text: &str| memchr::memmem::find(pem, text.as_bytes()).is_some();
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(roots) if !roots.is_empty() => Ok(roots),
        _ if pem.trim_ascii().is_empty() => Err(CertificatesError::Empty),
        _ if has("BEGIN CERTIFICATE") => Err(CertificatesError::Malformed),
        _ if [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| pem.starts_with(*mark)) => {
            Err(CertificatesError::Utf16)
        }
        _ if has("PRIVATE KEY-----") => Err(CertificatesError::PrivateKey),
        _ if has("BEGIN PKCS7") => Err(CertificatesError::Pkcs7),
        // A sequence with a length of two bytes, as every certificate begins.
        _ if pem.starts_with(b"\x30\x82") => Err(CertificatesError::Der),
        _ => Err(CertificatesError::Missing),
    }
}

/// Why the certificate was not trusted, if that is what an error says.
pub(super) fn distrust(error: &(dyn std::error::Error + 'static)) -> Option<Distrust> {
    // An I/O error does not name the error in it as its source, and may be in another one.
    if let Some(outer) = error.downcast_ref::<std::io::Error>() {
        return distrust(outer.get_ref()?);
    }
    let rustls::Error::InvalidCertificate(reason) = error.downcast_ref()? else { return None };
    Some(match reason {
        CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Distrust::OtherName
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Distrust::NotYetValid
        }
        CertificateError::Other(OtherError(other)) => {
            // The library names this reason by its variant alone.
            match other.to_string().as_str() {
                "CaUsedAsEndEntity" => Distrust::AuthorityAsServer,
                text => Distrust::Other(text.to_owned()),
            }
        }
        other => Distrust::Other(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "-----BEGIN CERTIFICATE-----\nMIIBADCB\n-----END CERTIFICATE-----\n";

    #[test]
    fn a_file_of_certificates_is_read_with_or_without_its_mark() {
        for text in [WHOLE.to_owned(), format!("\u{feff}{WHOLE}"), format!("# our own\n{WHOLE}")] {
            assert_eq!(certificates(text.as_bytes()).unwrap().len(), 1, "{text}");
        }
        assert_eq!(certificates(WHOLE.repeat(2).as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn a_file_without_certificates_is_named_for_what_it_is() {
        for (file, named) in [
            (&b""[..], CertificatesError::Empty),
            (b" \n", CertificatesError::Empty),
            (b"hello", CertificatesError::Missing),
            (b"\x30\x82\x03\x01\x30\x82", CertificatesError::Der),
            (b"\xff\xfe-\0-\0", CertificatesError::Utf16),
            (
                b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                CertificatesError::PrivateKey,
            ),
            (b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", CertificatesError::Pkcs7),
            (
                b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
                CertificatesError::Malformed,
            ),
            (b"-----BEGIN CERTIFICATE-----\nMIIB", CertificatesError::Malformed),
        ] {
            assert_eq!(certificates(file).unwrap_err(), named, "{}", file.escape_ascii());
            assert!(!named.hint().is_empty());
        }
    }

    #[test]
    fn why_a_certificate_is_not_trusted_is_read_from_the_error() {
        let authority = std::io::Error::other("CaUsedAsEndEntity");
        for (reason, distrust_is) in [
            (CertificateError::UnknownIssuer, Distrust::UnknownIssuer),
            (CertificateError::NotValidForName, Distrust::OtherName),
            (CertificateError::Expired, Distrust::Expired),
            (CertificateError::NotValidYet, Distrust::NotYetValid),
            (
                CertificateError::Other(OtherError(std::sync::Arc::new(authority))),
                Distrust::AuthorityAsServer,
            ),
        ] {
            let error = rustls::Error::InvalidCertificate(reason);
            let wrapped = std::io::Error::new(std::io::ErrorKind::InvalidData, error.clone());
            assert_eq!(distrust(&error), Some(distrust_is.clone()));
            assert_eq!(distrust(&wrapped), Some(distrust_is.clone()));
            assert_eq!(distrust(&std::io::Error::other(wrapped)), Some(distrust_is));
        }
        assert_eq!(distrust(&rustls::Error::EncryptError), None);
        assert_eq!(distrust(&std::io::Error::other("x")), None);
    }
}
