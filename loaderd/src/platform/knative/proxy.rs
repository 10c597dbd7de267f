//! The way to the API server: straight, or through a proxy.
//!
//! A kubeconfig's `proxy-url` is always used. Else a server with TLS is reached through HTTPS_PROXY, unless NO_PROXY has its host. The
//! library's own way is not used, as it holds NO_PROXY against the proxy's address instead of the server's.

use std::{env, net::Ipv6Addr};

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::{
    client::{
        legacy::{
            Client as HttpClient,
            connect::{
                Connection, HttpConnector,
                proxy::{SocksV5, Tunnel},
            },
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioExecutor,
};
use kube::{
    Client, Config, Error,
    client::{Body, ConfigExt as _},
};
use tower::{BoxError, Service, ServiceBuilder};

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    /// A proxy of a kind that can't be used.
    #[error("the proxy {proxy} can't be used, http:// and socks5:// can; NO_PROXY={server} goes without")]
    Unsupported { proxy: String, server: String },
    /// The configuration can't be used.
    #[error(transparent)]
    Client(Box<Error>),
}

/// The variables that name a proxy, and those that name servers which are reached without.
const PROXIES: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy, for messages: without its password.
fn address(proxy: &Intercept) -> String {
    let uri = proxy.uri();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", uri.scheme_str().unwrap_or("http"), uri.host().unwrap_or_default())
}

/// A client of the server of `config`, and the proxy through which it reaches it.
///
/// # Errors
/// A configuration that can't be used.
pub(super) fn client(config: Config) -> Result<(Client, Option<String>), ProxyError> {
    client_with(config, |name| env::var(name).ok())
}

fn client_with(
    mut config: Config,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(Client, Option<String>), ProxyError> {
    let proxy = proxy(&config, variable);
    config.proxy_url = None;
    let made = |error| ProxyError::Client(Box::new(error));
    let Some(proxy) = proxy else { return Ok((Client::try_from(config).map_err(made)?, None)) };
    let mut straight = HttpConnector::new();
    straight.enforce_http(false);
    straight.set_connect_timeout(config.connect_timeout);
    let uri = proxy.uri().clone();
    let client = match uri.scheme_str() {
        Some("http") => {
            let tunnel = Tunnel::new(uri, straight);
            over(proxy.basic_auth().cloned().into_iter().fold(tunnel, Tunnel::with_auth), config)
        }
        Some("socks5" | "socks5h") => {
            let socks = SocksV5::new(uri, straight);
            let named = |socks: SocksV5<_>, (user, password): (&str, &str)| {
                socks.with_auth(user.to_owned(), password.to_owned())
            };
            over(proxy.raw_auth().into_iter().fold(socks, named), config)
        }
        _ => {
            let server = config.cluster_url.host().unwrap_or_default().to_owned();
            return Err(ProxyError::Unsupported { proxy: address(&proxy), server });
        }
    };
    Ok((client.map_err(made)?, Some(address(&proxy))))
}

/// The proxy between here and the server; none: it is reached straight.
fn proxy(config: &Config, variable: impl Fn(&str) -> Option<String>) -> Option<Intercept> {
    let set = |name: &&str| variable(name).filter(|value| !value.trim().is_empty());
    // The library has put the environment's there where the kubeconfig has none.
    let of_environment = |uri: &&Uri| {
        let same = |value: String| value.parse::<Uri>().is_ok_and(|value| value == **uri);
        PROXIES.iter().filter_map(set).any(same)
    };
    let matcher = match config.proxy_url.as_ref().filter(|uri| !of_environment(uri)) {
        Some(given) => Matcher::builder().all(given.to_string()).build(),
        None => {
            let first = |names: &[&str]| names.iter().find_map(set).unwrap_or_default();
            let port = config.cluster_url.port_u16().unwrap_or(443);
            let exceptions = first(&EXCEPTIONS);
            let hosts: Vec<_> = exceptions.split(',').filter_map(|entry| host(entry, port)).collect();
            // The matcher takes this for names alone, not for addresses.
            if hosts.iter().any(|host| host == "*") {
                return None;
            }
            Matcher::builder().https(first(&PROXIES)).no(hosts.join(",")).build()
        }
    };
    matcher.intercept(&config.cluster_url)
}

/// The host of an entry of NO_PROXY, which may have a port: none where it has another than `port`.
fn host(entry: &str, port: u16) -> Option<String> {
    let entry = entry.trim().to_ascii_lowercase();
    let is_address = entry.parse::<Ipv6Addr>().is_ok();
    let (host, given) = match entry.rsplit_once(':') {
        Some((host, given)) if !is_address && given.bytes().all(|it| it.is_ascii_digit()) => (host, Some(given)),
        _ => (entry.as_str(), None),
    };
    if given.is_some_and(|given| given.parse() != Ok(port)) {
        return None;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    // "*.name" is what others write for ".name".
    Some(if host.starts_with("*.") { &host[1..] } else { host }.to_owned())
}

/// A client whose connections `connector` opens.
fn over<C>(connector: C, config: Config) -> Result<Client, Error>
where
    C: Service<Uri, Response: Connection + Read + Write + Send + Unpin + 'static> + Clone + Send + Sync + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let namespace = config.default_namespace.clone();
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let client: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(client);
    Ok(Client::new(service, namespace))
}

#[cfg(test)]
mod tests;
