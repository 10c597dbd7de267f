//! A series of bounded length.

/// Most values that are held.
const MOST: usize = 1 << 16;

/// Values in the order in which they came: all of them while they are few, else every n-th.
#[derive(Debug, Clone)]
pub struct Thinned {
    values: Vec<f64>,
    /// One of so many values is kept.
    every: usize,
    /// How many came in all.
    count: usize,
}

impl Default for Thinned {
    fn default() -> Self {
        Self { values: Vec::new(), every: 1, count: 0 }
    }
}

impl Thinned {
    /// Takes the next value.
    pub fn push(&mut self, value: f64) {
        if self.count.is_multiple_of(self.every) {
            if self.values.len() == MOST {
                let mut place = 0;
                self.values.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.every *= 2;
            }
            self.values.push(value);
        }
        self.count += 1;
    }

    /// How many values came in all.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The values that are held.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_all_held_and_many_at_equal_distances() {
        let mut series = Thinned::default();
        (0..MOST).for_each(|at| series.push(at as f64));
        assert_eq!((series.count(), series.values().len()), (MOST, MOST));
        (MOST..5 * MOST).for_each(|at| series.push(at as f64));
        assert_eq!(series.count(), 5 * MOST);
        assert!(series.values().len() > MOST / 2 && series.values().len() <= MOST, "{}", series.values().len());
        assert!(series.values().windows(2).all(|pair| (pair[1] - pair[0] - 8.0).abs() < 1e-9));
    }
}
