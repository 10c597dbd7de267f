//! Samples over time, of which a bounded number is kept.

/// Most samples that are kept.
const MOST: usize = 7200;

/// Some values at each instant. Of the samples of one second the last is kept; of a long run's of two seconds, of four, and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Track<const N: usize> {
    width_us: i64,
    points: Vec<(i64, [Option<f64>; N])>,
}

impl<const N: usize> Default for Track<N> {
    fn default() -> Self {
        Self { width_us: 1_000_000, points: Vec::new() }
    }
}

impl<const N: usize> Track<N> {
    /// Takes the values of an instant, Unix microseconds. One that was learned late, behind later ones, counts as of the last.
    pub fn put(&mut self, unix_us: i64, values: [Option<f64>; N]) {
        let width = self.width_us;
        let unix_us = self.points.last().map_or(unix_us, |(last, _)| unix_us.max(*last));
        match self.points.last_mut() {
            Some(last) if last.0.div_euclid(width) == unix_us.div_euclid(width) => {
                let known = last.1;
                *last = (unix_us, std::array::from_fn(|place| values[place].or(known[place])));
            }
            _ => self.points.push((unix_us, values)),
        }
        if self.points.len() > MOST {
            self.width_us *= 2;
            let all = std::mem::take(&mut self.points);
            all.into_iter().for_each(|(at, values)| self.put(at, values));
        }
    }

    /// One of the values over time.
    pub fn of(&self, place: usize) -> impl Iterator<Item = (i64, Option<f64>)> {
        self.points.iter().map(move |(at, values)| (*at, values.get(place).copied().flatten()))
    }

    /// Whether there is any such value.
    pub fn has(&self, place: usize) -> bool {
        self.of(place).any(|(_, value)| value.is_some())
    }

    /// The greatest of such values.
    pub fn max(&self, place: usize) -> Option<f64> {
        self.of(place).filter_map(|(_, value)| value).max_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sample_of_each_second_is_kept_and_a_bounded_number() {
        let mut track = Track::<1>::default();
        for at in [0, 400_000, 900_000, 1_000_000] {
            track.put(at, [Some(at as f64)]);
        }
        assert_eq!(track.of(0).collect::<Vec<_>>(), [(900_000, Some(900_000.0)), (1_000_000, Some(1e6))]);
        track.put(500_000, [Some(1e6)]);
        assert_eq!(track.of(0).count(), 2);
        (2..100_000).for_each(|second| track.put(second * 1_000_000, [None]));
        assert!(track.points.len() <= MOST && track.points.len() > MOST / 2 - 2);
        assert!(track.has(0) && track.max(0) == Some(1e6) && !Track::<2>::default().has(1));
    }
}
