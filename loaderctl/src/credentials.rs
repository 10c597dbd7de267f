//! The user's credentials, and the certificate authority by which the daemon's certificate is verified.

use std::{fs, path::PathBuf};

use clap::Args;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{Certificate, ClientTlsConfig, Identity},
};

use crate::{Failure, address::Address};

/// Flags of all commands.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Credentials {
    /// The authority (PEM) that vouches for the daemon [those that this machine believes]
    #[arg(long, global = true, env = "LOADERD_CA", value_name = "FILE", help_heading = "Access")]
    ca: Option<PathBuf>,
    /// Your certificate (PEM)
    #[arg(long, global = true, env = "LOADERD_CERT", value_name = "FILE", help_heading = "Access")]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, global = true, env = "LOADERD_KEY", value_name = "FILE", help_heading = "Access")]
    key: Option<PathBuf>,
    /// A file with your bearer token, as loaderctl token makes it
    #[arg(long, global = true, env = "LOADERD_TOKEN_FILE", value_name = "FILE", help_heading = "Access")]
    token_file: Option<PathBuf>,
}

impl Credentials {
    /// How the connection is secured.
    ///
    /// # Errors
    /// A file that can't be read; a certificate without its key.
    pub(crate) fn tls(&self) -> Result<ClientTlsConfig, Failure> {
        let mut tls = match &self.ca {
            Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("--ca", path)?)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                tls = tls.identity(Identity::from_pem(read("--cert", cert)?, read("--key", key)?));
            }
            (None, None) => {}
            _ => return Err(Failure::Input("--cert and --key belong together: one of them is missing".to_owned())),
        }
        Ok(tls)
    }

    /// The token, for an address whose connection is encrypted or local.
    ///
    /// # Errors
    /// A file that can't be read, or that has no token in it; an address that would give the token away.
    pub(crate) fn bearer(&self, address: &Address) -> Result<Bearer, Failure> {
        let Some(path) = &self.token_file else { return Ok(Bearer(None)) };
        if address.is_open() {
            return Err(Failure::Input(format!("--token-file: {address} would show the token to others: use https")));
        }
        let text = read("--token-file", path)?;
        let value = format!("Bearer {}", text.trim());
        match value.parse() {
            Ok(value) if !text.trim().is_empty() => Ok(Bearer(Some(value))),
            _ => Err(Failure::Input(format!("--token-file: {} has no token in it", path.display()))),
        }
    }
}

fn read(flag: &str, path: &std::path::Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::Input(format!("{flag}: {}: {error}", path.display())))
}

/// Shows the token with each request.
#[derive(Debug, Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}
