use loader_proto::worker::WireFunction;

use crate::endpoint::{Endpoint, Tls};

/// The message of how a function is called; without an endpoint, of one that was not deployed.
pub fn function(name: &str, endpoint: Option<&Endpoint>) -> WireFunction {
    let name = name.to_owned();
    match endpoint {
        Some(Endpoint { address, authority, tls }) => {
            WireFunction { name, address: address.clone(), authority: authority.clone(), tls: tls.is_some() }
        }
        None => WireFunction { name, ..WireFunction::default() },
    }
}

/// How a function is called; absent where it was not deployed. `tls` is how connections are secured, where they are.
pub fn endpoint(function: &WireFunction, tls: Option<&Tls>) -> Option<Endpoint> {
    let WireFunction { name: _, address, authority, tls: is_secured } = function;
    let tls = tls.filter(|_| *is_secured).cloned();
    let is_deployed = !address.is_empty();
    is_deployed.then(|| Endpoint { address: address.clone(), authority: authority.clone(), tls })
}
