//! How the functions of a deployment are called.

use std::sync::Arc;

use crate::{
    endpoint::Endpoint,
    invoke::{BadEndpoint, Protocol, Route},
};

/// A route to each endpoint, by the protocol of the function with its name; none without an endpoint, where failures are allowed.
///
/// # Errors
/// An endpoint that is not valid.
pub(super) fn routes(
    names: &[String],
    endpoints: &[Result<Endpoint, String>],
    protocol: impl Fn(&str) -> Protocol,
) -> Result<Arc<[Option<Route>]>, BadEndpoint> {
    let route = |(name, endpoint): (&String, &Result<Endpoint, String>)| match endpoint {
        Ok(endpoint) => Route::new(endpoint, protocol(name)).map(Some),
        Err(_) => Ok(None),
    };
    names.iter().zip(endpoints).map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{FunctionKind, FunctionProtocol};

    #[test]
    fn a_function_that_failed_has_no_route_and_a_bad_endpoint_is_an_error() {
        let failed = Err("no room".to_owned());
        let names = ["f", "g"].map(str::to_owned);
        let grpc = |name: &str| Protocol::of(FunctionKind::Trace, &FunctionProtocol::Grpc, name);
        let found = routes(&names, &[Ok(Endpoint::plain("127.0.0.1:1", "f")), failed], grpc).unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        let error = routes(&names, &[Ok(Endpoint::plain("127.0.0.1:1", "no host"))], grpc).err().unwrap();
        assert!(error.to_string().starts_with("\"no host\" is not a valid host name"), "{error}");
    }
}
