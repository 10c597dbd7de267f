//! How the functions of a deployment are called.

use std::sync::Arc;

use crate::{
    endpoint::Endpoint,
    invoke::{BadEndpoint, Protocol, Route},
    spec::FunctionKind,
};

/// A route to each endpoint; none where there is no endpoint, which is allowed to some functions.
///
/// # Errors
/// An endpoint that can't be called.
pub(super) fn routes(
    endpoints: &[Result<Endpoint, String>],
    kind: FunctionKind,
) -> Result<Arc<[Option<Route>]>, BadEndpoint> {
    let protocol = if kind == FunctionKind::Hello { Protocol::Hello } else { Protocol::Faas };
    let route = |endpoint: &Result<Endpoint, String>| match endpoint {
        Ok(endpoint) => Route::new(endpoint, protocol).map(Some),
        Err(_) => Ok(None),
    };
    endpoints.iter().map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_failed_has_no_route_and_a_bad_endpoint_is_an_error() {
        let failed = Err("no room".to_owned());
        let found = routes(&[Ok(Endpoint::plain("127.0.0.1:1", "f")), failed], FunctionKind::Trace).unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        let error = routes(&[Ok(Endpoint::plain("127.0.0.1:1", "no host"))], FunctionKind::Trace).err().unwrap();
        assert!(error.to_string().starts_with("\"no host\" is no host name"), "{error}");
    }
}
