//! Places for connections: a bound for a listener, and one for each of those who connect, so that none keeps the others out. On the
//! Unix socket some are kept free for the superuser and the daemon's own user.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most connections of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of all who connect.
    pub all: usize,
    /// Of each address, or of each user on a Unix socket.
    pub each: usize,
    /// Beyond the others, for the superuser and the daemon's own user on a Unix socket.
    pub reserve: usize,
}

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// From an address; of version 6, from a network of 64 bits, which is what one machine may have.
    Address(IpAddr),
    /// A user of this machine; absent when the kernel does not report it.
    User(Option<u32>),
    /// A user of the reserve.
    Operator,
}

impl Who {
    pub(super) fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
        })
    }

    pub(super) fn user(uid: Option<u32>) -> Self {
        let own = nix::unistd::getuid().as_raw();
        if uid.is_some_and(|uid| uid == 0 || uid == own) { Self::Operator } else { Self::User(uid) }
    }
}

/// The places of a listener. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    bounds: Bounds,
    taken: Arc<Mutex<HashMap<Who, usize>>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    who: Who,
    places: Places,
}

impl Places {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, taken: Arc::default() }
    }

    /// Takes a place; none when all are taken, or as many as one may have.
    pub(super) fn take(&self, who: Who) -> Option<Place> {
        let Bounds { all, each, reserve } = self.bounds;
        let mut taken = self.taken();
        let (own, total) = (taken.get(&who).copied().unwrap_or_default(), taken.values().sum::<usize>());
        let operators = taken.get(&Who::Operator).copied().unwrap_or_default();
        let others = total - operators;
        let free = match who {
            // The first connections of operators count against the reserve.
            Who::Operator => own < each && (own < reserve || total < all + reserve),
            Who::Address(_) | Who::User(_) => own < each && others + operators.saturating_sub(reserve) < all,
        };
        free.then(|| {
            *taken.entry(who).or_default() += 1;
            Place { who, places: self.clone() }
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Who, usize>> {
        // Each change is whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(own) = taken.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(last: u16, host: u16) -> Who {
        Who::at(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, last, 0, 0, 0, host)))
    }

    #[test]
    fn no_address_takes_what_others_need() {
        let places = Places::new(Bounds { all: 4, each: 2, reserve: 0 });
        let mut taken: Vec<_> = (1..=2).map(|host| places.take(v6(1, host)).expect("is free")).collect();
        assert!(places.take(v6(1, 3)).is_none(), "a network counts as one");
        taken.extend((1..=2).map(|network| places.take(v6(2, network)).expect("is free")));
        assert!(places.take(v6(3, 1)).is_none(), "all are taken");
        taken.clear();
        assert!(places.take(v6(3, 1)).is_some() && places.taken().is_empty());
    }

    #[test]
    fn operators_get_in_when_all_else_is_taken() {
        let places = Places::new(Bounds { all: 3, each: 3, reserve: 2 });
        assert_eq!([Some(0), Some(nix::unistd::getuid().as_raw())].map(Who::user), [Who::Operator; 2]);
        let (alice, operator) = (Who::User(Some(u32::MAX)), Who::user(Some(0)));
        let taken: Vec<_> = (0..3).map(|_| places.take(alice).expect("is free")).collect();
        assert!(places.take(Who::User(None)).is_none());
        let operators: Vec<_> = (0..2).map(|_| places.take(operator).expect("is kept free")).collect();
        assert!(places.take(operator).is_none());
        // The reserve takes nothing from the others.
        drop(taken);
        let taken: Vec<_> = (0..3).map(|_| places.take(alice).expect("is free")).collect();
        drop((taken, operators));
    }
}
