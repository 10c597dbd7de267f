//! A lazy merge of many ascending streams into one.

/// What a stream that has ended compares as: after everything.
const ENDED: u128 = u128::MAX;

/// Merges streams of due times: gives (due, index of the stream), ascending, the earlier stream first among equals.
///
/// A loser tree: each inner node keeps the loser of the match between its two subtrees, so that the next winner takes
/// one comparison for each level on the way up from the last winner's leaf. Nothing is allocated on the way.
/// Source: Knuth, "The Art of Computer Programming", volume 3, section 5.4.1.
#[derive(Debug)]
pub(super) struct Merge<S> {
    streams: Vec<S>,
    /// The overall winner at 0, then the losers: node n has the children 2n and 2n + 1, the leaves follow the nodes.
    matches: Vec<u128>,
}

impl<S: Iterator<Item = u64>> Merge<S> {
    /// Merges `streams`, each ascending.
    pub(super) fn new(mut streams: Vec<S>) -> Self {
        let count = streams.len();
        let mut winners = vec![ENDED; count];
        winners.extend(streams.iter_mut().enumerate().map(|(index, stream)| head(stream, index)));
        let mut matches = vec![ENDED; count];
        for node in (1..count).rev() {
            let (left, right) = (winners[2 * node], winners[2 * node + 1]);
            winners[node] = left.min(right);
            matches[node] = left.max(right);
        }
        if let Some(winner) = matches.first_mut() {
            *winner = winners[1];
        }
        Self { streams, matches }
    }
}

impl<S: Iterator<Item = u64>> Iterator for Merge<S> {
    type Item = (u64, usize);

    fn next(&mut self) -> Option<(u64, usize)> {
        let winner = self.matches.first().copied().filter(|&winner| winner != ENDED)?;
        let (due, index) = unpack(winner);
        let mut climber = head(&mut self.streams[index], index);
        let mut node = (self.streams.len() + index) / 2;
        while node > 0 {
            let loser = self.matches[node];
            self.matches[node] = loser.max(climber);
            climber = loser.min(climber);
            node /= 2;
        }
        self.matches[0] = climber;
        Some((due, index))
    }
}

/// A stream's next due time and its index in one number, which compares as the two do in turn.
fn head<S: Iterator<Item = u64>>(stream: &mut S, index: usize) -> u128 {
    stream.next().map_or(ENDED, |due| (u128::from(due) << 64) | index as u128)
}

/// The halves that [`head`] put together.
fn unpack(head: u128) -> (u64, usize) {
    ((head >> 64) as u64, head as usize)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn nothing_merges_to_nothing() {
        assert_eq!(Merge::new(Vec::<std::vec::IntoIter<u64>>::new()).next(), None);
        assert_eq!(Merge::new(vec![std::iter::empty(), std::iter::empty()]).next(), None);
    }

    proptest! {
        #[test]
        fn it_gives_what_sorting_gives(mut streams in vec(vec(0_u64..50, 0..20), 0..20)) {
            streams.iter_mut().for_each(|stream| stream.sort_unstable());
            let pairs = streams.iter().enumerate();
            let mut expected: Vec<_> = pairs.flat_map(|(index, dues)| dues.iter().map(move |&due| (due, index))).collect();
            expected.sort_unstable();
            let merged: Vec<_> = Merge::new(streams.into_iter().map(Vec::into_iter).collect()).collect();
            prop_assert_eq!(merged, expected);
        }
    }
}
