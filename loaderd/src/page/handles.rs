//! What the page is made of.

use std::sync::Arc;

use super::{
    Entrance, Hosts,
    live::{Live, Ticker},
    outlooks::Outlooks,
    reports::Reports,
};
use crate::{
    access::{Guard, Sessions},
    clock::Clock,
    platform::Platforms,
    registry::Registry,
    store::Store,
};

/// The parts of the daemon that the page uses.
pub struct PageHandles {
    /// Who may read.
    pub guard: Guard,
    /// The sessions of browsers.
    pub sessions: Sessions,
    /// The names by which the page may be asked for.
    pub hosts: Hosts,
    /// The registry of all runs.
    pub registry: Registry,
    /// The directories of the runs.
    pub store: Store,
    /// Platforms by name, for their status.
    pub platforms: Platforms,
    /// The name of the daemon's host.
    pub host: String,
    /// When sessions end, and when something was seen.
    pub clock: Clock,
}

/// The page. Clones share it.
#[derive(Clone)]
pub struct Page(pub(super) Arc<Inner>);

/// What the page's requests use.
pub(super) struct Inner {
    pub(super) guard: Guard,
    pub(super) sessions: Sessions,
    pub(super) hosts: Hosts,
    pub(super) registry: Registry,
    pub(super) store: Store,
    pub(super) host: String,
    pub(super) clock: Clock,
    pub(super) live: Live,
    pub(super) reports: Reports,
    pub(super) outlooks: Outlooks,
}

impl Page {
    /// The page, what looks at the daemon for it, and how it is entered at its address.
    pub fn open(handles: PageHandles, address: String) -> ((Self, Ticker), Entrance) {
        let PageHandles { guard, sessions, hosts, registry, store, platforms, host, clock } = handles;
        let entrance = Entrance { address, guard: guard.clone(), sessions: sessions.clone() };
        let (live, ticker) = Ticker::new(registry.clone(), platforms, clock);
        let (reports, outlooks) = (Reports::default(), Outlooks::default());
        let inner = Inner { guard, sessions, hosts, registry, store, host, clock, live, reports, outlooks };
        ((Self(Arc::new(inner)), ticker), entrance)
    }
}
