//! Sessions of browsers, and the one-time codes that open them.
//!
//! A browser sends no token with its requests. It exchanges one, or a code that `loaderctl` was given, for a cookie. The daemon keeps
//! the digests of both, and what their caller was known by. They are gone when it ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::Credentials;

/// How long a session lasts.
pub const SESSION_LIFE: Duration = Duration::from_hours(12);

/// How long a one-time code can be exchanged.
pub const CODE_LIFE: Duration = Duration::from_mins(2);

/// Most sessions, and as many codes: of all callers, and of each.
const MOST: (usize, usize) = (256, 16);

/// There are as many sessions as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {} sessions: try again when one has ended", MOST.0)]
pub struct TooMany;

/// The digest of a cookie or a code.
type Key = [u8; 32];

/// Sessions and codes. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    codes: HashMap<Key, Held>,
    sessions: HashMap<Key, Held>,
}

/// A session or a code.
#[derive(Debug)]
struct Held {
    credentials: Credentials,
    /// The name of the caller.
    caller: String,
    ends: Instant,
}

impl Sessions {
    /// A code that opens one session, of a caller with these credentials.
    ///
    /// # Errors
    /// Too many codes.
    pub fn code(&self, credentials: Credentials, caller: &str, now: Instant) -> Result<String, TooMany> {
        keep(&mut self.tables().codes, Held { credentials, caller: caller.to_owned(), ends: now + CODE_LIFE }, now)
    }

    /// What the caller of a code is known by; the code is used up.
    pub fn redeem(&self, code: &[u8], now: Instant) -> Option<Credentials> {
        let held = self.tables().codes.remove(&key(code))?;
        (held.ends > now).then_some(held.credentials)
    }

    /// Opens a session; the value of its cookie.
    ///
    /// # Errors
    /// Too many sessions.
    pub fn open(&self, credentials: Credentials, caller: &str, now: Instant) -> Result<String, TooMany> {
        keep(
            &mut self.tables().sessions,
            Held { credentials, caller: caller.to_owned(), ends: now + SESSION_LIFE },
            now,
        )
    }

    /// What the caller of a session is known by.
    pub fn find(&self, cookie: &[u8], now: Instant) -> Option<Credentials> {
        let tables = self.tables();
        let held = tables.sessions.get(&key(cookie)).filter(|held| held.ends > now)?;
        Some(held.credentials.clone())
    }

    /// Ends a session.
    pub fn end(&self, cookie: &[u8]) {
        self.tables().sessions.remove(&key(cookie));
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Each change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Secrets are random and long, so that a slow hash would add nothing, and looking their digests up tells nothing of them.
fn key(secret: &[u8]) -> Key {
    Sha256::digest(secret).into()
}

/// Keeps it under a new secret. Where its caller has as many as it may, its oldest one goes.
fn keep(table: &mut HashMap<Key, Held>, held: Held, now: Instant) -> Result<String, TooMany> {
    let (all, each) = MOST;
    table.retain(|_, other| other.ends > now);
    let own = table.iter().filter(|(_, other)| other.caller == held.caller);
    let (count, oldest) = (own.clone().count(), own.min_by_key(|(_, other)| other.ends).map(|(key, _)| *key));
    if let Some(oldest) = oldest.filter(|_| count >= each) {
        table.remove(&oldest);
    }
    if table.len() >= all {
        return Err(TooMany);
    }
    let secret = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    table.insert(key(secret.as_bytes()), held);
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Digest, ListenerKind, Peer};

    fn credentials(token: &str) -> Credentials {
        let peer = Peer { listener: ListenerKind::Loopback, address: None, certificate: None };
        Credentials { peer, token: Some(Digest::of(token.as_bytes())) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_exchanged_once_and_in_time() {
        let (sessions, now) = (Sessions::default(), crate::clock::Clock.now());
        let code = sessions.code(credentials("ann"), "ann", now).expect("is free");
        assert_eq!(code.len(), 64);
        assert_eq!(sessions.redeem(b"other", now), None);
        assert_eq!(sessions.find(code.as_bytes(), now), None, "a code is no session");
        assert_eq!(sessions.redeem(code.as_bytes(), now + CODE_LIFE / 2), Some(credentials("ann")));
        assert_eq!(sessions.redeem(code.as_bytes(), now), None);
        let late = sessions.code(credentials("ann"), "ann", now).expect("is free");
        assert_eq!(sessions.redeem(late.as_bytes(), now + CODE_LIFE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lasts_until_it_is_ended_or_old() {
        let (sessions, now) = (Sessions::default(), crate::clock::Clock.now());
        let (one, other) =
            (sessions.open(credentials("ann"), "ann", now), sessions.open(credentials("bob"), "bob", now));
        let (one, other) = (one.expect("is free"), other.expect("is free"));
        assert_eq!(sessions.find(one.as_bytes(), now + SESSION_LIFE / 2), Some(credentials("ann")));
        assert_eq!(sessions.find(one.as_bytes(), now + SESSION_LIFE), None);
        sessions.end(one.as_bytes());
        assert_eq!(sessions.find(one.as_bytes(), now), None);
        assert_eq!(sessions.find(other.as_bytes(), now), Some(credentials("bob")));
    }

    #[tokio::test(start_paused = true)]
    async fn no_caller_takes_what_others_need() {
        let (sessions, now) = (Sessions::default(), crate::clock::Clock.now());
        let open =
            |caller: &str, after: u64| sessions.open(credentials(caller), caller, now + Duration::from_secs(after));
        let first = open("ann", 0).expect("is free");
        for number in 1..100 {
            open("ann", number).expect("its own oldest goes");
        }
        assert_eq!(sessions.find(first.as_bytes(), now), None);
        let others = (0..1000).map(|number| open(&format!("caller {number}"), 0)).filter(Result::is_ok).count();
        assert_eq!(others, MOST.0 - MOST.1);
        assert_eq!(open("ann", 0).map(|secret| secret.len()), Ok(64), "in place of its own");
        assert_eq!(open("eve", 0), Err(TooMany));
        let later = SESSION_LIFE.as_secs() + 200;
        open("eve", later).expect("the old ones are over");
    }
}
