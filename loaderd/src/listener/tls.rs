//! The daemon's certificate and its CA for clients: read from files at the start and on reload.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier,
        crypto::CryptoProvider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};
use tokio_util::sync::CancellationToken;

use super::validity::{Standing, Validity};
use crate::{
    clock::{Clock, UnixMicros},
    secret,
};

/// After which time a certificate is looked at again whose validity can't be read.
const UNREADABLE: Duration = Duration::from_hours(24);

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
    in_force: Arc<RwLock<InForce>>,
    replaced: Arc<Notify>,
}

/// What the files had when they were read.
#[derive(Clone)]
struct InForce {
    config: Arc<ServerConfig>,
    /// That of the daemon's certificate; absent where it can't be read.
    validity: Option<Validity>,
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
        let in_force = Arc::new(RwLock::new(read(&files)?));
        Ok(Self { files, in_force, replaced: Arc::default() })
    }

    /// Of a certificate that was made here, with its key. It has no files, so a reload fails.
    ///
    /// # Errors
    /// A certificate and a key that do not match.
    pub fn made(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let validity = chain.first().and_then(|certificate| Validity::of(certificate));
        let config = builder(&provider())?.with_no_client_auth().with_single_cert(chain, key);
        let in_force = InForce { config: Arc::new(config.map_err(TlsError::Pair)?), validity };
        let files = Files { certificate: PathBuf::new(), key: PathBuf::new(), client_ca: None };
        Ok(Self { files, in_force: Arc::new(RwLock::new(in_force)), replaced: Arc::default() })
    }

    /// Reads the files again, for later connections; when one is unusable, or the certificate is not valid now, nothing changes.
    ///
    /// # Errors
    /// A file that can't be read or used, a certificate that has expired or is not valid yet.
    pub fn reload(&self, now: UnixMicros) -> Result<(), TlsError> {
        let read = read(&self.files)?;
        if let Some(standing) = read.validity.map(|it| it.standing(now)).filter(|standing| !standing.is_valid()) {
            return Err(self.not_valid(standing));
        }
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = read;
        self.replaced.notify_one();
        Ok(())
    }

    /// Warns while the certificate expires soon, and where it is not valid, until `end`.
    pub async fn watch_validity(&self, clock: Clock, end: CancellationToken) {
        loop {
            let validity = self.in_force().validity;
            match validity.map(|it| it.standing(clock.unix())) {
                None | Some(Standing::Valid) => {}
                Some(standing @ Standing::Ends { .. }) => {
                    log::warn!("{}: renew it, and reload the daemon", self.not_valid(standing));
                }
                Some(standing) => log::error!("{}: clients refuse it", self.not_valid(standing)),
            }
            tokio::select! {
                () = end.cancelled() => return,
                () = self.replaced.notified() => {}
                () = sleep(validity.map_or(UNREADABLE, Validity::interval)) => {}
            }
        }
    }

    fn not_valid(&self, standing: Standing) -> TlsError {
        TlsError::File { key: "certificate", path: self.files.certificate.clone(), reason: standing.to_string() }
    }

    fn in_force(&self) -> InForce {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn acceptor(&self, alpn: Alpn) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.in_force().config);
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

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder(provider: &Arc<CryptoProvider>) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider));
    builder.with_safe_default_protocol_versions().map_err(TlsError::Pair)
}

fn read(files: &Files) -> Result<InForce, TlsError> {
    let chain = certificates("certificate", &files.certificate)?;
    // The daemon's own comes first.
    let validity = chain.first().and_then(|certificate| Validity::of(certificate));
    let failed = |reason: String| TlsError::File { key: "key", path: files.key.clone(), reason };
    let key = secret::read(&files.key).map_err(|error| failed(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| failed(error.to_string()))?;
    let provider = provider();
    let builder = builder(&provider)?;
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
    Ok(InForce { config: Arc::new(builder.with_single_cert(chain, key).map_err(TlsError::Pair)?), validity })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// Writes a certificate that is valid in these years, and its key.
    fn write(files: &Files, years: [i32; 2]) {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        [parameters.not_before, parameters.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().expect("a key");
        fs::write(&files.certificate, parameters.self_signed(&key).expect("signs").pem()).expect("writes");
        fs::write(&files.key, key.serialize_pem()).expect("writes");
        // As a secret has to be.
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).expect("is the owner");
    }

    #[test]
    fn only_a_certificate_that_clients_accept_replaces_the_old_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let files = Files { certificate: path("server.pem"), key: path("server.key"), client_ca: None };
        write(&files, [2020, 2030]);
        let certificates = Certificates::load(files.clone()).expect("loads");
        let now = UnixMicros(date_time_ymd(2026, 1, 1).unix_timestamp() * 1_000_000);
        let in_force = || Arc::as_ptr(&certificates.in_force().config);
        let first = in_force();
        for (years, reason) in [
            ([2020, 2025], "has expired at 2025-01-01T00:00:00Z"),
            ([2027, 2030], "is not valid before 2027-01-01T00:00:00Z"),
        ] {
            write(&files, years);
            let refused = certificates.reload(now).expect_err("is refused").to_string();
            assert_eq!(refused, format!("tls.certificate: {}: {reason}", files.certificate.display()));
        }
        // The key of another certificate.
        let other = fs::read(&files.key).expect("reads");
        write(&files, [2020, 2030]);
        fs::write(&files.key, other).expect("writes");
        let refused = certificates.reload(now).expect_err("is refused").to_string();
        assert!(refused.starts_with("tls.certificate and tls.key: "), "{refused}");
        assert_eq!(in_force(), first);
        write(&files, [2020, 2030]);
        certificates.reload(now).expect("is taken");
        assert_ne!(in_force(), first);
    }
}
