//! Which function an `:authority` names.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use http::Uri;

use super::lease::Calls;
use crate::id::RunId;

/// The authority of a run's function.
pub(super) fn authority(function: &str, run: &RunId) -> String {
    format!("{function}.{run}.local")
}

/// The gateway's table: the channel of each function's calls, by authority.
#[derive(Debug, Default)]
pub(super) struct Routes(RwLock<HashMap<String, Calls>>);

impl Routes {
    /// The handle of the function that a request's URI names, with or without a port.
    pub(super) fn find(&self, uri: &Uri) -> Option<Calls> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(uri.host()?).cloned()
    }

    pub(super) fn insert(&self, authority: String, calls: Calls) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(authority, calls);
    }

    pub(super) fn remove(&self, authorities: &[String]) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for authority in authorities {
            routes.remove(authority);
        }
    }
}
