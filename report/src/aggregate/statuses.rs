//! How often each status occurs.

/// Kinds that are told apart; further ones count as [`OTHER`].
const MOST: usize = 24;

/// What further kinds are called.
const OTHER: &str = "other";

/// Statuses by number, in the order in which they are met.
#[derive(Debug, Clone, Default)]
pub struct Statuses {
    names: Vec<String>,
    counts: Vec<u64>,
}

impl Statuses {
    /// The number of a status.
    pub(super) fn number(&mut self, status: &[u8]) -> usize {
        if let Some(number) = self.names.iter().position(|name| name.as_bytes() == status) {
            return number;
        }
        let name =
            if self.names.len() < MOST { String::from_utf8_lossy(status).into_owned() } else { OTHER.to_owned() };
        if let Some(number) = self.names.iter().position(|known| *known == name) {
            return number;
        }
        self.names.push(name);
        self.counts.push(0);
        self.names.len() - 1
    }

    /// Counts an invocation of the measured phase.
    pub(super) fn count(&mut self, number: usize) {
        if let Some(count) = self.counts.get_mut(number) {
            *count += 1;
        }
    }

    /// The names, by number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names and counts of the measured phase, by name.
    pub fn counts(&self) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = self.names.iter().map(String::as_str).zip(self.counts.iter().copied()).collect();
        counts.sort_unstable();
        counts
    }
}
