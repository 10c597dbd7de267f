//! Work that falls into independent parts, on as many threads as there are processors.

use std::ops::Range;
use std::thread;

/// More threads are not used: the parts share the memory's bandwidth.
const MOST: usize = 8;

/// Cuts `0..length` into parts, works on each, and gives the results in the order of the parts. What `work` gives for a
/// part must not depend on where it begins and ends, so that results do not depend on the machine.
pub(super) fn parts<T: Send>(length: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST).min(length).max(1);
    let border = |part: usize| length * part / threads;
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> =
            (1..threads).map(|part| scope.spawn(move || work(border(part)..border(part + 1)))).collect();
        let mut results = vec![work(0..border(1))];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole_in_order() {
        for length in [0, 1, 2, 7, 100] {
            let all: Vec<usize> = parts(length, |part| part.collect::<Vec<_>>()).concat();
            assert_eq!(all, (0..length).collect::<Vec<_>>());
        }
    }
}
