//! A throw-away certificate authority and a certificate from it, for the loopback names and any
//! others.
//!
//! Both are new for every mock and are worthless elsewhere; the private keys never leave the
//! process.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a server needs for TLS, and what its clients must trust.
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    pub(super) ca_pem: String,
}

/// Makes an authority, and a certificate for `localhost`, `127.0.0.1` and these other names.
pub(super) fn identity(names: &[String]) -> io::Result<Identity> {
    let (ca_pem, issuer) = authority().map_err(io::Error::other)?;
    let (certificate, key) = certificate(names, &issuer).map_err(io::Error::other)?;
    served(ca_pem, &certificate, &key)
}

/// Makes an authority whose certificate is that of the server too, which is wrong.
pub(super) fn authority_as_server() -> io::Result<Identity> {
    let made = || {
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "localhost");
        let key = KeyPair::generate()?;
        Ok::<_, rcgen::Error>((params.self_signed(&key)?, key))
    };
    let (certificate, key) = made().map_err(io::Error::other)?;
    served(certificate.pem(), &certificate, &key)
}

fn served(ca_pem: String, certificate: &rcgen::Certificate, key: &KeyPair) -> io::Result<Identity> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem })
}

/// A certificate for the loopback names, for a server that reads files.
#[derive(Clone, Debug)]
pub struct ThrowAway {
    /// The certificate of the authority, PEM.
    pub authority: String,
    /// The server's certificate, PEM.
    pub certificate: String,
    /// The server's private key, PEM.
    pub key: String,
}

/// Makes an authority, and a certificate for `localhost` and `127.0.0.1`.
///
/// # Errors
/// When the machine gives no randomness.
pub fn throw_away_certificate() -> io::Result<ThrowAway> {
    let (authority, issuer) = authority().map_err(io::Error::other)?;
    let (certificate, key) = certificate(&[], &issuer).map_err(io::Error::other)?;
    Ok(ThrowAway { authority, certificate: certificate.pem(), key: key.serialize_pem() })
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "atlassian-mock throw-away authority");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(params, key)))
}

fn certificate(
    names: &[String],
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let loopback = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new([&loopback, names].concat())?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate, key))
}
