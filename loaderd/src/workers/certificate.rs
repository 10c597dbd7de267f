//! A certificate for the coordinator of one run, with a CA of its own, which the run's workers are given and trust alone.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{
    id::RunId,
    listener::{Certificates, TlsError},
};

/// The certificate can't be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// By the library that makes it.
    #[error("cannot make a certificate for the coordinator of workers: {0}")]
    Make(#[from] rcgen::Error),
    /// TLS can't be served with it.
    #[error(transparent)]
    Serve(#[from] TlsError),
}

/// A certificate of a run's coordinator, which is reached as `host`; and that of its CA (PEM).
///
/// # Errors
/// A host that is no name, or a library that fails.
pub(super) fn made(run: &RunId, host: &str) -> Result<(Certificates, String), CertificateError> {
    let named = |mut parameters: CertificateParams, name: String| {
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters
    };
    let mut authority = named(CertificateParams::new(Vec::new())?, format!("loader {run}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = KeyPair::generate()?;
    let root = authority.self_signed(&authority_key)?.pem();
    let key = KeyPair::generate()?;
    let own = named(CertificateParams::new(vec![host.to_owned()])?, run.to_string());
    let certificate: CertificateDer<'static> = own.signed_by(&key, &Issuer::new(authority, authority_key))?.into();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((Certificates::made(vec![certificate], key)?, root))
}
