//! How many requests a caller may make.

use std::{num::NonZeroU32, sync::Arc};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// How many callers are remembered before those are forgotten that have been silent.
const MOST_CALLERS: usize = 1024;

/// A bound on requests a second, for each caller; twice as many may come at once. Clones count together.
#[derive(Clone)]
pub(super) struct Rate(Arc<DefaultKeyedRateLimiter<String>>);

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rate")
    }
}

impl Rate {
    /// So many a second.
    pub(super) fn new(requests_per_second: NonZeroU32) -> Self {
        let quota = Quota::per_second(requests_per_second).allow_burst(requests_per_second.saturating_mul(TWO));
        Self(Arc::new(RateLimiter::keyed(quota)))
    }

    /// Whether the caller may make one more now.
    pub(super) fn allows(&self, caller: &str) -> bool {
        if self.0.len() > MOST_CALLERS {
            self.0.retain_recent();
        }
        self.0.check_key(&caller.to_owned()).is_ok()
    }
}

const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_bound_of_its_own() {
        let rate = Rate::new(NonZeroU32::MIN);
        let allowed = |caller| (0..20).filter(|_| rate.allows(caller)).count();
        // A slow machine may see a second or two go by.
        assert!((2..10).contains(&allowed("a")));
        assert!((2..10).contains(&allowed("b")));
    }
}
