//! The kubelets of the nodes, on HTTPS: what they answer to a client that asks them directly.
//!
//! It authenticates and authorises as a kubelet with webhook mode does: the token is the API server's, and a path needs `get` on the
//! node's subresource that it belongs to. Its pages follow `kubelet-stats-summary.under-load.json` and
//! `kubelet-resource.under-load.prom`. Refusals were not recorded: they are as its source (pkg/kubelet/server) words them.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, body::Incoming, header::AUTHORIZATION, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};

use super::{Asked, Shared, lock, rbac::Attributes};

/// An authority that signs kubelets' certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("signs"))
    }

    /// Its certificate, as PEM.
    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a kubelet at an address needs.
    fn kubelet(&self, address: IpAddr) -> TlsAcceptor {
        let parameters = CertificateParams::new([address.to_string()]).expect("an address");
        let key = KeyPair::generate().expect("a key");
        let chain = vec![CertificateDer::from(parameters.signed_by(&key, &self.0).expect("signs").der().to_vec())];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(chain, key.into())
            .expect("they belong together");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Serves as the kubelet of a node, with a certificate of an authority, until its task is ended.
pub(super) async fn serve(node: Arc<str>, listener: TcpListener, authority: Arc<Authority>, shared: Arc<Shared>) {
    let acceptor = authority.kubelet(listener.local_addr().expect("it is bound").ip());
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared, node) = (acceptor.clone(), Arc::clone(&shared), Arc::clone(&node));
        tokio::spawn(async move {
            // A client that does not trust it ends the handshake.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let answer = answer(&shared, &node, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            // The peer may go at any time.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The key of a page of a node's kubelet among all pages: no path of the API server.
pub(super) fn page(node: &str, path: &str) -> String {
    format!("kubelet:{node}:{path}")
}

/// The subresource of nodes that a path belongs to.
fn subresource(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("stats") => "stats",
        Some("metrics") => "metrics",
        Some("logs") => "log",
        _ => "proxy",
    }
}

fn answer(shared: &Shared, node: &str, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let text = |status, text: String| {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        response
    };
    let path = request.uri().path();
    let subresource = subresource(path);
    lock(&shared.asked).push(Asked { verb: "get", resource: format!("kubelet/{subresource}"), name: node.to_owned() });
    let faults = lock(&shared.faults);
    let shown = request.headers().get(AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if shown != format!("Bearer {}", faults.token) {
        return text(StatusCode::UNAUTHORIZED, "Unauthorized".to_owned());
    }
    let asked = Attributes { verb: "get", resource: "nodes", subresource, name: node, ..Attributes::default() };
    if !faults.permissions.allow(&asked) {
        let user = "system:serviceaccount:loader:loaderd";
        let refusal = format!("Forbidden (user={user}, verb=get, resource=nodes, subresource(s)=[{subresource}])\n");
        return text(StatusCode::FORBIDDEN, refusal);
    }
    drop(faults);
    let known = lock(&shared.pages).get(&page(node, path)).cloned();
    known.map_or_else(|| text(StatusCode::NOT_FOUND, "404 page not found\n".to_owned()), |it| text(StatusCode::OK, it))
}

/// The address of a kubelet in its node's status, as in `node.json`.
pub(super) fn status(address: SocketAddr) -> serde_json::Value {
    serde_json::json!({"kubeletEndpoint": {"Port": address.port()}})
}
