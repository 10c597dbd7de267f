//! Where an invocation goes: what a platform returns and an invoker takes, so that neither knows the other.

use std::{io, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// The address and the name under which a function is reached, HTTP/2 with prior knowledge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port` to connect to.
    pub address: String,
    /// The request's `:authority`.
    pub authority: String,
    /// How the connection is secured; absent: it is not.
    pub tls: Option<Tls>,
}

impl Endpoint {
    /// One that is reached without TLS.
    pub fn plain(address: impl Into<String>, authority: impl Into<String>) -> Self {
        Self { address: address.into(), authority: authority.into(), tls: None }
    }
}

/// How connections are secured: whom we believe. Copies are the same.
#[derive(Clone)]
pub struct Tls(pub Arc<ClientConfig>);

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tls {}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Believes whom the certificates in the file (PEM) speak for; without a file, whom this machine believes.
    ///
    /// # Errors
    /// A file that can't be read, or has no certificate.
    pub fn trusting(file: Option<&Path>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificates: Vec<CertificateDer<'static>> = match file {
            Some(file) => CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let (added, _ignored) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            let whose = file.map_or("this machine".to_owned(), |file| file.display().to_string());
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{whose} has no certificate of an authority"),
            ));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}
