//! How often a function is invoked in each unit of a trace, kept small.

/// Invocation counts of one function, one for each unit of the trace.
///
/// A function's counts are stored in the narrowest of 8, 16 and 32 bits that holds its largest. Nearly all functions of
/// a production trace stay below 256 a minute, so the 72 000 × 1440 minutes of an Azure 2019 day take little more than
/// a byte a cell, about 105 MiB, where 32 bits throughout would take 400. A run-length or sparse coding saves more on the
/// empty cells, but reading one minute of every function, which is what a plan does, would need a cursor for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts(Cells);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Cells {
    Narrow(Box<[u8]>),
    Middle(Box<[u16]>),
    Wide(Box<[u32]>),
}

impl Counts {
    /// Stores `counts`, one for each unit.
    pub fn new(counts: &[u32]) -> Self {
        let cells = if let Some(narrow) = narrowed(counts) {
            Cells::Narrow(narrow)
        } else if let Some(middle) = narrowed(counts) {
            Cells::Middle(middle)
        } else {
            Cells::Wide(counts.into())
        };
        Self(cells)
    }

    /// How many units there are.
    pub fn units(&self) -> usize {
        match &self.0 {
            Cells::Narrow(cells) => cells.len(),
            Cells::Middle(cells) => cells.len(),
            Cells::Wide(cells) => cells.len(),
        }
    }

    /// Invocations in unit number `unit`, from 0; none beyond the end.
    pub fn get(&self, unit: usize) -> u32 {
        match &self.0 {
            Cells::Narrow(cells) => cells.get(unit).copied().map_or(0, u32::from),
            Cells::Middle(cells) => cells.get(unit).copied().map_or(0, u32::from),
            Cells::Wide(cells) => cells.get(unit).copied().unwrap_or(0),
        }
    }

    /// The counts in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> {
        (0..self.units()).map(|unit| self.get(unit))
    }

    /// Hands each unit with invocations to `each`, in order, with their number.
    pub fn each_active(&self, each: impl FnMut(usize, u32)) {
        match &self.0 {
            Cells::Narrow(cells) => active(cells, each),
            Cells::Middle(cells) => active(cells, each),
            Cells::Wide(cells) => active(cells, each),
        }
    }

    /// Invocations in all units.
    pub fn total(&self) -> u64 {
        self.iter().map(u64::from).sum()
    }
}

fn active<T: Copy + Into<u32>>(cells: &[T], mut each: impl FnMut(usize, u32)) {
    for (unit, &count) in cells.iter().enumerate() {
        let count = count.into();
        if count > 0 {
            each(unit, count);
        }
    }
}

/// `counts` as `T`s, if all fit.
fn narrowed<T: TryFrom<u32>>(counts: &[u32]) -> Option<Box<[T]>> {
    counts.iter().map(|&count| T::try_from(count).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_counts_in_the_narrowest_width_that_holds_them() {
        for (largest, bytes) in [(255, 1), (256, 2), (65_535, 2), (65_536, 4), (u32::MAX, 4)] {
            let counts = Counts::new(&[0, largest, 7]);
            assert_eq!(counts.iter().collect::<Vec<_>>(), [0, largest, 7]);
            assert_eq!(counts.units(), 3);
            assert_eq!(counts.total(), u64::from(largest) + 7);
            let mut active = Vec::new();
            counts.each_active(|unit, count| active.push((unit, count)));
            assert_eq!(active, [(1, largest), (2, 7)]);
            let width = match counts.0 {
                Cells::Narrow(_) => 1,
                Cells::Middle(_) => 2,
                Cells::Wide(_) => 4,
            };
            assert_eq!(width, bytes, "for {largest}");
        }
    }

    #[test]
    fn has_nothing_beyond_its_end() {
        for counts in [Counts::new(&[1]), Counts::new(&[300]), Counts::new(&[70_000])] {
            assert_eq!(counts.get(1), 0);
        }
    }
}
