//! Admits or refuses callers by the policy in force, which can be replaced while the daemon runs.

use std::{num::NonZeroU32, sync::Arc};

use tokio::sync::watch;

use super::{Caller, Credentials, Peer, Policy, Refusal, Role, rate::Rate};

#[derive(Debug)]
struct InForce {
    policy: Policy,
    requests_per_second: NonZeroU32,
    rate: Rate,
}

/// Admits or refuses callers. Clones share the policy.
#[derive(Debug, Clone)]
pub struct Guard(watch::Sender<Arc<InForce>>);

impl Guard {
    /// A guard with this policy and limit of requests a second for each caller.
    pub fn new(policy: Policy, requests_per_second: NonZeroU32) -> Self {
        let rate = Rate::new(requests_per_second);
        Self(watch::Sender::new(Arc::new(InForce { policy, requests_per_second, rate })))
    }

    /// Replaces the policy, for later requests and for those in progress, see [`Guard::revoked`].
    pub fn replace(&self, policy: Policy, requests_per_second: NonZeroU32) {
        let before = self.in_force();
        let same = before.requests_per_second == requests_per_second;
        let rate = if same { before.rate.clone() } else { Rate::new(requests_per_second) };
        self.0.send_replace(Arc::new(InForce { policy, requests_per_second, rate }));
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.0.borrow())
    }

    /// The caller, if it is allowed to make the request.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub fn admit(&self, peer: &Peer, authorization: Option<&[u8]>, needed: Option<Role>) -> Result<Caller, Refusal> {
        self.admit_as(Credentials::of(peer, authorization), peer, needed)
    }

    /// The caller of a session with these credentials, if it is allowed to make a request by a connection of `peer`.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub fn admit_holder(&self, credentials: &Credentials, peer: &Peer, needed: Role) -> Result<Caller, Refusal> {
        self.admit_as(Ok(credentials.clone()), peer, Some(needed))
    }

    fn admit_as(
        &self,
        credentials: Result<Credentials, Refusal>,
        peer: &Peer,
        needed: Option<Role>,
    ) -> Result<Caller, Refusal> {
        let InForce { policy, rate, .. } = &*self.in_force();
        let caller = match (credentials.and_then(|it| policy.holder(&it)), needed) {
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

    /// Whether a caller with these credentials is allowed what needs a role; it counts as no request.
    pub fn allows(&self, credentials: &Credentials, needed: Role) -> bool {
        let caller = self.in_force().policy.holder(credentials);
        caller.and_then(|caller| caller.check(Some(needed))).is_ok()
    }

    /// Waits until a policy is in force that does not allow a request that was admitted, as when its token was revoked; the reason.
    pub fn revoked(
        &self,
        peer: &Peer,
        authorization: Option<&[u8]>,
        needed: Option<Role>,
    ) -> impl Future<Output = Refusal> + Send + use<> {
        self.revoked_as(Credentials::of(peer, authorization), needed)
    }

    /// The same of a request of a session.
    pub fn revoked_holder(
        &self,
        credentials: Credentials,
        needed: Role,
    ) -> impl Future<Output = Refusal> + Send + use<> {
        self.revoked_as(Ok(credentials), Some(needed))
    }

    fn revoked_as(
        &self,
        credentials: Result<Credentials, Refusal>,
        needed: Option<Role>,
    ) -> impl Future<Output = Refusal> + Send + use<> {
        let mut policies = self.0.subscribe();
        async move {
            // Health needs no caller.
            let Some(needed) = needed else { return std::future::pending().await };
            let credentials = match credentials {
                Ok(credentials) => credentials,
                Err(refusal) => return refusal,
            };
            loop {
                // Also the first, which may be newer than the one by which the request was admitted.
                let in_force = Arc::clone(&policies.borrow_and_update());
                let caller = in_force.policy.holder(&credentials);
                if let Err(refusal) = caller.and_then(|caller| caller.check(Some(needed))) {
                    return refusal;
                }
                if policies.changed().await.is_err() {
                    // The daemon ends, and with it every request.
                    return std::future::pending().await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::access::{Digest, ListenerKind, Token};

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

    #[tokio::test]
    async fn a_policy_that_does_not_allow_a_request_ends_it() {
        let of = |tokens: &[(&str, Role)]| {
            let token = |(name, role): &(&str, Role)| Token {
                name: (*name).to_owned(),
                role: *role,
                digest: Digest::of(name.as_bytes()),
            };
            Policy { tokens: tokens.iter().map(token).collect(), ..Policy::default() }
        };
        let guard = Guard::new(of(&[("ann", Role::Read), ("bob", Role::Submit)]), NonZeroU32::MAX);
        let peer = Peer { listener: ListenerKind::Tls, address: None, certificate: None };
        let follow = |authorization: &[u8], needed| Box::pin(guard.revoked(&peer, Some(authorization), needed));
        let (mut ann, mut bob) = (follow(b"Bearer ann", Some(Role::Read)), follow(b"Bearer bob", Some(Role::Submit)));
        let mut health = follow(b"Bearer eve", None);
        assert!(ann.as_mut().now_or_never().is_none() && bob.as_mut().now_or_never().is_none());
        // A reload that takes nothing from them; one that revokes a token; one that leaves less than the request needs.
        guard.replace(of(&[("ann", Role::Admin), ("bob", Role::Submit)]), NonZeroU32::MIN);
        assert!(ann.as_mut().now_or_never().is_none() && bob.as_mut().now_or_never().is_none());
        guard.replace(of(&[("bob", Role::Read)]), NonZeroU32::MAX);
        assert_eq!(ann.now_or_never(), Some(Refusal::Unknown("the token is not known")));
        assert!(matches!(bob.now_or_never(), Some(Refusal::NotEnough { needed: Role::Submit, .. })));
        assert!(health.as_mut().now_or_never().is_none());
        // Replaced between its admission and this.
        assert!(follow(b"Bearer ann", Some(Role::Read)).now_or_never().is_some());
    }
}
