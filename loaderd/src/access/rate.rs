//! Rate limits of requests.

use std::{num::NonZeroU32, sync::Arc};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Callers that are tracked before idle ones are dropped.
const MOST_CALLERS: usize = 1024;

/// A limit on requests a second for each caller, with bursts of twice as many. Clones share their counts.
#[derive(Clone)]
pub(super) struct Rate(Arc<DefaultKeyedRateLimiter<String>>);

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rate")
    }
}

impl Rate {
    /// A limit of `requests_per_second`.
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
    fn each_caller_has_its_own_limit() {
        let rate = Rate::new(NonZeroU32::MIN);
        let allowed = |caller| (0..20).filter(|_| rate.allows(caller)).count();
        // On a slow machine this can take a second or two.
        assert!((2..10).contains(&allowed("a")));
        assert!((2..10).contains(&allowed("b")));
    }
}
