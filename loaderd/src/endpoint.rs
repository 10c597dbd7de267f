//! Where an invocation goes: what a platform returns and an invoker takes, so that neither knows the other.

use std::{fs, io, path::Path, sync::Arc};

use http::Uri;
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// A version of HTTP that functions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, with prior knowledge, or agreed upon by ALPN over TLS.
    Http2,
}

impl HttpVersion {
    /// Its name in ALPN.
    const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// The address and the name under which a function is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port` to connect to.
    pub address: String,
    /// The request's `:authority`, or `host` in HTTP/1.1.
    pub authority: String,
    /// How the connection is secured; absent: it is not.
    pub tls: Option<Tls>,
}

impl Endpoint {
    /// One that is reached without TLS.
    pub fn plain(address: impl Into<String>, authority: impl Into<String>) -> Self {
        Self { address: address.into(), authority: authority.into(), tls: None }
    }

    /// The URI of a path there.
    ///
    /// # Errors
    /// An authority or a path that no URI can hold.
    pub fn uri(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Uri::builder().scheme(scheme).authority(self.authority.as_str()).path_and_query(path_and_query).build()
    }
}

/// How connections are secured: the trusted authorities. Clones share the configuration.
#[derive(Clone)]
pub struct Tls {
    /// As the library takes them.
    pub config: Arc<ClientConfig>,
    /// The file of the trusted authorities (PEM), for other processes; absent: those of this machine.
    pub roots_pem: Option<Arc<[u8]>>,
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config)
    }
}

impl Eq for Tls {}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Trusts the authorities in the file (PEM); without a file, those of this machine.
    ///
    /// # Errors
    /// A file that cannot be read, or has no certificate.
    pub fn trusting(file: Option<&Path>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let roots_pem: Option<Arc<[u8]>> = file.map(fs::read).transpose()?.map(Arc::from);
        let certificates: Vec<CertificateDer<'static>> = match &roots_pem {
            Some(pem) => CertificateDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
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
        config.alpn_protocols = vec![HttpVersion::Http2.alpn().to_vec()];
        Ok(Self { config: Arc::new(config), roots_pem })
    }

    /// The same for connections that speak `version`.
    #[must_use]
    pub fn speaking(&self, version: HttpVersion) -> Self {
        let alpn = [version.alpn().to_vec()];
        if self.config.alpn_protocols == alpn {
            return self.clone();
        }
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = alpn.into();
        Self { config: Arc::new(config), roots_pem: self.roots_pem.clone() }
    }
}
