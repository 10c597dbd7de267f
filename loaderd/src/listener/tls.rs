//! The daemon's certificate and its CA for clients: read from files at the start and on reload.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};

use crate::secret;

/// The paths of the PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The daemon's certificate, with its chain.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The CA of client certificates; without it none are requested.
    pub client_ca: Option<PathBuf>,
}

/// The protocol within TLS, announced in the handshake (ALPN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/2, for gRPC.
    Http2,
    /// HTTP/1.1, for metrics.
    Http1,
}

/// TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that can't be read or has no usable content.
    #[error("tls.{key}: {}: {reason}", path.display())]
    File {
        /// Its key in the configuration.
        key: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// Why the file can't be used.
        reason: String,
    },
    /// The certificate and the key do not match.
    #[error("tls.certificate and tls.key: {0}")]
    Pair(rustls::Error),
    /// The file is not a CA.
    #[error("tls.client_ca: {0}")]
    Authority(String),
}

/// The certificates of listeners. Clones share them.
#[derive(Clone)]
pub struct Certificates {
    files: Files,
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Certificates {
    /// Reads the certificate, the key and the CA from `files`.
    ///
    /// # Errors
    /// A file that can't be read or used.
    pub fn load(files: Files) -> Result<Self, TlsError> {
        let config = Arc::new(RwLock::new(read(&files)?));
        Ok(Self { files, config })
    }

    /// Reads the files again, for later connections; when one is unusable, nothing changes.
    ///
    /// # Errors
    /// A file that can't be read or used.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.files)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(super) fn acceptor(&self, alpn: Alpn) -> TlsAcceptor {
        let in_force = self.config.read().unwrap_or_else(PoisonError::into_inner);
        let mut config = ServerConfig::clone(&in_force);
        config.alpn_protocols = vec![match alpn {
            Alpn::Http2 => b"h2".to_vec(),
            Alpn::Http1 => b"http/1.1".to_vec(),
        }];
        TlsAcceptor::from(Arc::new(config))
    }
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |reason: String| TlsError::File { key, path: path.to_owned(), reason };
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let read = read.map_err(|error| failed(error.to_string()))?;
    if read.is_empty() { Err(failed("has no certificate".to_owned())) } else { Ok(read) }
}

fn read(files: &Files) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates("certificate", &files.certificate)?;
    let failed = |reason: String| TlsError::File { key: "key", path: files.key.clone(), reason };
    let key = secret::read(&files.key).map_err(|error| failed(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| failed(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(TlsError::Pair)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates("client_ca", path)?);
            // Clients without a certificate can have a token.
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| TlsError::Authority(error.to_string()))?)
        }
    };
    Ok(Arc::new(builder.with_single_cert(chain, key).map_err(TlsError::Pair)?))
}
