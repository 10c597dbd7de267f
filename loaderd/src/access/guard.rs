//! Admits or refuses callers by the policy in force, which can be replaced while the daemon runs.

use std::{
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Caller, Peer, Policy, Refusal, Role, rate::Rate};

#[derive(Debug)]
struct InForce {
    policy: Policy,
    requests_per_second: NonZeroU32,
    rate: Rate,
}

/// Admits or refuses callers. Clones share the policy.
#[derive(Debug, Clone)]
pub struct Guard(Arc<RwLock<Arc<InForce>>>);

impl Guard {
    /// A guard with this policy and limit of requests a second for each caller.
    pub fn new(policy: Policy, requests_per_second: NonZeroU32) -> Self {
        let rate = Rate::new(requests_per_second);
        Self(Arc::new(RwLock::new(Arc::new(InForce { policy, requests_per_second, rate }))))
    }

    /// Replaces the policy, from the next request on.
    pub fn replace(&self, policy: Policy, requests_per_second: NonZeroU32) {
        let before = self.in_force();
        let same = before.requests_per_second == requests_per_second;
        let rate = if same { before.rate.clone() } else { Rate::new(requests_per_second) };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(InForce { policy, requests_per_second, rate });
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The caller, if it is allowed to make the request.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub fn admit(&self, peer: &Peer, authorization: Option<&[u8]>, needed: Option<Role>) -> Result<Caller, Refusal> {
        let InForce { policy, rate, .. } = &*self.in_force();
        let caller = match (policy.caller(peer, authorization), needed) {
            // Health is not confidential, and load balancers and kubelets have no token.
            (Err(_), None) => Caller { name: "anonymous".to_owned(), role: None },
            (caller, _) => caller?,
        };
        // A caller with several addresses counts as one; anonymous callers are distinguished by address.
        let key = match (&caller.role, peer.address) {
            (None, Some(address)) => address.ip().to_string(),
            _ => caller.name.clone(),
        };
        if !rate.allows(&key) {
            return Err(Refusal::TooMany { caller: caller.name });
        }
        caller.check(needed)?;
        Ok(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::ListenerKind;

    #[test]
    fn a_new_policy_applies_from_the_next_request_on() {
        let guard = Guard::new(Policy::default(), NonZeroU32::MAX);
        let peer = Peer { listener: ListenerKind::Loopback, address: None, certificate: None };
        assert!(guard.admit(&peer, None, Some(Role::Admin)).is_ok());
        guard.replace(Policy { loopback: None, ..Policy::default() }, NonZeroU32::MAX);
        assert!(matches!(guard.admit(&peer, None, Some(Role::Read)), Err(Refusal::NotEnough { .. })));
        // Health stays open, but not without bound.
        assert!(guard.admit(&peer, None, None).is_ok());
        guard.replace(Policy::default(), NonZeroU32::MIN);
        let refused = (0..100).filter(|_| matches!(guard.admit(&peer, None, None), Err(Refusal::TooMany { .. })));
        assert!(refused.count() > 50);
    }
}
