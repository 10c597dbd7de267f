//! Protocols: how requests are built, and how answers are read.
//!
//! An [`Exchange`] is a protocol as one function speaks it: what all its requests share is prepared once, when the route is
//! made. Where the bytes go is the transport's affair. A protocol is a file here and its line in [`Protocol`].

mod common;
mod faas;
mod grpc;
mod hello;
mod http;

use std::sync::Arc;

use super::exchange::Exchange;
use crate::{
    endpoint::{Endpoint, HttpVersion},
    spec::{FunctionKind, FunctionProtocol, HttpRequest},
};

/// The protocol by which a function is invoked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Protocol {
    /// gRPC `faas.Executor`, whose requests carry run time and memory.
    #[default]
    Faas,
    /// gRPC `helloworld.Greeter`, whose requests carry nothing.
    Hello,
    /// Plain HTTP requests.
    Http {
        /// The version of HTTP.
        version: HttpVersion,
        /// What a request looks like.
        request: Arc<HttpRequest>,
        /// The function's name, for requests that hold it.
        function: String,
    },
}

impl Protocol {
    /// What a function of this kind and name speaks, where the spec requests `protocol`.
    pub fn of(kind: FunctionKind, protocol: &FunctionProtocol, function: &str) -> Self {
        match protocol {
            FunctionProtocol::Http(version, request) => {
                Self::Http { version: *version, request: Arc::clone(request), function: function.to_owned() }
            }
            FunctionProtocol::Grpc if kind == FunctionKind::Hello => Self::Hello,
            FunctionProtocol::Grpc => Self::Faas,
        }
    }

    /// Prepares what all calls to a function at `endpoint` share.
    pub(super) fn prepare(self, endpoint: &Endpoint) -> Result<Arc<dyn Exchange>, ::http::Error> {
        Ok(match self {
            Self::Faas => Arc::new(grpc::Grpc::new(faas::Faas, endpoint)?),
            Self::Hello => Arc::new(grpc::Grpc::new(hello::Hello, endpoint)?),
            Self::Http { version, request, function } => {
                Arc::new(http::Http::new(version, &request, &function, endpoint)?)
            }
        })
    }
}
