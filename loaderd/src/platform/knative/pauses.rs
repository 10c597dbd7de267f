//! How long a watch waits before it is started again. The library's own pauses grow to half a minute, in which a short run would see
//! nothing of its pods after an API server was away for seconds.

use std::time::Duration;

use kube::runtime::utils::Backoff;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(3);

/// Pauses that double, up to a bound; anew once something was delivered.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let next = (self.0 * 2).min(LONGEST);
        Some(std::mem::replace(&mut self.0, next))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = FIRST;
    }
}

/// The pauses of a watch.
pub(super) fn of_watch() -> Pauses {
    Pauses(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let mut pauses = of_watch();
        let milliseconds: Vec<_> = pauses.by_ref().take(5).map(|pause| pause.as_millis()).collect();
        assert_eq!(milliseconds, [500, 1_000, 2_000, 3_000, 3_000]);
        pauses.reset();
        assert_eq!(pauses.next(), Some(FIRST));
    }
}
