//! Axes: what they count, their scale, where their ticks are, and how these read.

use super::ticks;

/// What an axis counts, in the unit of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A number without unit.
    Number,
    /// Microseconds; shown as µs, ms or s.
    Micros,
    /// Seconds; shown as s, min or h.
    Seconds,
    /// A share from 0 to 1; shown in percent.
    Share,
    /// Something per second.
    PerSecond,
    /// MiB.
    Mib,
    /// Thousandths of a processor; shown as processors.
    Millicores,
    /// 1/(1 − share), shown as the percentile.
    Percentile,
}

/// How values become places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// In proportion.
    Linear,
    /// By their logarithms. What is not above zero lies at the axis' begin.
    Log,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it shows, such as `response time`; the unit is added.
    pub label: String,
    /// What it counts.
    pub quantity: Quantity,
    /// Its scale.
    pub scale: Scale,
    /// Where it begins and ends; what is `None` follows the data.
    pub range: (Option<f64>, Option<f64>),
    /// Whether there is nothing between whole numbers, so that no tick is.
    pub is_whole: bool,
    /// What lies at 1, at 2, and so on, where places have names and no order; empty of an axis of numbers.
    pub names: Vec<String>,
}

impl Axis {
    /// An axis whose range follows the data; a linear one has zero on it.
    pub fn new(label: &str, quantity: Quantity, scale: Scale) -> Self {
        let begin = (scale == Scale::Linear).then_some(0.0);
        Self { label: label.to_owned(), quantity, scale, range: (begin, None), is_whole: false, names: Vec::new() }
    }

    /// The same, of whole numbers.
    #[must_use]
    pub fn of_whole(mut self) -> Self {
        self.is_whole = true;
        self
    }

    /// An axis of x whose places have names: 1 is the first one.
    pub fn of_names(label: &str, names: Vec<String>) -> Self {
        let range = (Some(0.5), Some(names.len() as f64 + 0.5));
        Self { label: label.to_owned(), quantity: Quantity::Number, scale: Scale::Linear, range, is_whole: true, names }
    }

    /// The name of a place.
    pub(super) fn name(&self, at: f64) -> Option<&String> {
        let place = crate::number::place(at.round()).checked_sub(1)?;
        self.names.get(place)
    }

    /// The same, from one value to another; without either, around the data.
    #[must_use]
    pub fn ranging(mut self, begin: Option<f64>, end: Option<f64>) -> Self {
        self.range = (begin, end);
        self
    }

    /// The axis for values that reach from `low` to `high`, where it has at most `most` ticks.
    pub(super) fn fit(&self, low: f64, high: f64, most: usize) -> Fitted {
        if !self.names.is_empty() {
            return self.of_places();
        }
        let mut fitted = match self.scale {
            Scale::Linear => self.linear(low, high, most),
            Scale::Log => self.log(low, high, most),
        };
        if self.is_whole {
            fitted.ticks.retain(|(at, _)| (at - at.round()).abs() < 1e-9);
            fitted.ticks.iter_mut().for_each(|(at, text)| *text = ticks::plain(*at));
        }
        fitted
    }

    /// The axis of names, which stand below its ticks.
    fn of_places(&self) -> Fitted {
        let count = self.names.len();
        let ticks = (1..=count).map(|place| (place as f64, String::new())).collect();
        Fitted { scale: Scale::Linear, begin: 0.5, end: count as f64 + 0.5, ticks, unit: String::new() }
    }

    fn linear(&self, low: f64, high: f64, most: usize) -> Fitted {
        let (low, high) = if self.range == (None, None) { widened(low, high) } else { (low, high) };
        let mut begin = self.range.0.unwrap_or(low).min(low);
        let mut end = self.range.1.unwrap_or(high);
        if end <= begin {
            end = begin + 1.0;
        }
        let (factor, unit) = self.quantity.shown(begin.abs().max(end.abs()));
        let step = match self.quantity {
            Quantity::Seconds => ticks::time_step((end - begin) / most as f64) / factor,
            Quantity::Number
            | Quantity::Micros
            | Quantity::Share
            | Quantity::PerSecond
            | Quantity::Mib
            | Quantity::Millicores
            | Quantity::Percentile => ticks::step((end - begin) / factor / most as f64),
        };
        // Without a given end the axis goes on to its next tick.
        if self.range.1.is_none() && self.quantity != Quantity::Seconds {
            end = (end / factor / step - 1e-9).ceil() * step * factor;
        }
        if self.range.0.is_none() && self.quantity != Quantity::Seconds {
            begin = (begin / factor / step + 1e-9).floor() * step * factor;
        }
        let labels = ticks::linear(begin / factor, end / factor, step);
        let ticks = labels.into_iter().map(|(at, text)| (at * factor, text)).collect();
        Fitted { scale: Scale::Linear, begin, end, ticks, unit: unit.to_owned() }
    }

    fn log(&self, low: f64, high: f64, most: usize) -> Fitted {
        let low = self.range.0.unwrap_or(low);
        let low = if low > 0.0 { low } else { 1.0 };
        let high = self.range.1.unwrap_or(high).max(low);
        let (begin, end) = ticks::log_range(low, high, most);
        let unit = match self.quantity {
            // Each tick says its own.
            Quantity::Micros | Quantity::Seconds | Quantity::Percentile | Quantity::Share => "",
            Quantity::Number | Quantity::PerSecond | Quantity::Mib | Quantity::Millicores => self.quantity.shown(end).1,
        };
        let text = |at: f64| match unit {
            "" => self.quantity.text(at),
            _ => ticks::plain(at / self.quantity.shown(end).0),
        };
        let ticks = ticks::log(begin, end, most).into_iter().map(|at| (at, text(at))).collect();
        Fitted { scale: Scale::Log, begin, end, ticks, unit: unit.to_owned() }
    }
}

/// A range with some room on both sides, so that nothing lies on the frame.
fn widened(low: f64, high: f64) -> (f64, f64) {
    const ROOM: f64 = 0.05;
    let span = if high > low { high - low } else { low.abs() };
    let room = ROOM * if span > 0.0 { span } else { 1.0 };
    (low - room, high + room)
}

impl Quantity {
    /// By what values are divided to be shown, and the unit that they then have, where the greatest is `most`.
    fn shown(self, most: f64) -> (f64, &'static str) {
        match self {
            Self::Number | Self::Percentile => (1.0, ""),
            Self::Micros if most < 1e3 => (1.0, "µs"),
            Self::Micros if most < 1e6 => (1e3, "ms"),
            Self::Micros => (1e6, "s"),
            Self::Seconds if most <= 300.0 => (1.0, "s"),
            Self::Seconds if most <= 3.0 * 3600.0 => (60.0, "min"),
            Self::Seconds => (3600.0, "h"),
            Self::Share => (0.01, "%"),
            Self::PerSecond => (1.0, "1/s"),
            Self::Mib if most < 10_240.0 => (1.0, "MiB"),
            Self::Mib => (1024.0, "GiB"),
            Self::Millicores => (1000.0, "processors"),
        }
    }

    /// A value with its unit.
    pub fn text(self, value: f64) -> String {
        if self == Self::Percentile {
            return match value {
                ..=1.0 => "0 %".to_owned(),
                _ => format!("{} %", ticks::plain(100.0 - 100.0 / value)),
            };
        }
        let (factor, unit) = self.shown(value.abs());
        let number = ticks::plain(value / factor);
        if self == Self::PerSecond {
            return format!("{number}/s");
        }
        if unit.is_empty() { number } else { format!("{number} {unit}") }
    }
}

/// An axis with a range and ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    pub(super) scale: Scale,
    pub(super) begin: f64,
    pub(super) end: f64,
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) unit: String,
}

impl Fitted {
    /// The place of a value, from 0 to 1; what lies outside lies at the edge.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.begin) / (self.end - self.begin),
            Scale::Log if value <= self.begin => 0.0,
            Scale::Log => (value / self.begin).ln() / (self.end / self.begin).ln(),
        };
        place.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(axis: &Axis, low: f64, high: f64) -> (Vec<String>, String) {
        let fitted = axis.fit(low, high, 6);
        (fitted.ticks.into_iter().map(|(_, text)| text).collect(), fitted.unit)
    }

    #[test]
    fn ticks_are_round_and_have_a_unit_that_fits() {
        use Quantity::{Micros, Number, Percentile, Seconds, Share};
        let linear = |quantity| Axis::new("x", quantity, Scale::Linear);
        let log = |quantity| Axis::new("x", quantity, Scale::Log);
        for (axis, low, high, texts, unit) in [
            (linear(Number), 0.0, 7.3, "0 2 4 6 8", ""),
            (linear(Number), 0.0, 0.0, "0.0 0.2 0.4 0.6 0.8 1.0", ""),
            (linear(Micros), 100.0, 4_300.0, "0 1 2 3 4 5", "ms"),
            (linear(Seconds), 0.0, 100.0, "0 20 40 60 80 100", "s"),
            (linear(Seconds), 0.0, 1_900.0, "0 10 20 30", "min"),
            (linear(Seconds), 0.0, 86_400.0, "0 6 12 18 24", "h"),
            (linear(Number).ranging(None, None), 0.82, 1.083, "0.80 0.85 0.90 0.95 1.00 1.05 1.10", ""),
            (linear(Number).ranging(None, None), 1.0, 1.0, "0.94 0.96 0.98 1.00 1.02 1.04 1.06", ""),
            (linear(Share).ranging(Some(0.0), Some(1.0)), 0.3, 0.4, "0 20 40 60 80 100", "%"),
            (log(Micros), 90.0, 2_000_000.0, "100 µs|1 ms|10 ms|100 ms|1 s", ""),
            (log(Micros), 1_100.0, 4_000.0, "1 ms|1.5 ms|2 ms|2.5 ms|3 ms|3.5 ms|4 ms", ""),
            (log(Percentile).ranging(Some(1.0), Some(1000.0)), 1.0, 1000.0, "0 %|90 %|99 %|99.9 %", ""),
            (log(Number), 0.0, 0.0, "1 1.1 1.2 1.3 1.4 1.5", ""),
        ] {
            let separator = if texts.contains('|') { '|' } else { ' ' };
            let expected = texts.split(separator).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(ticks(&axis, low, high), (expected, unit.to_owned()), "{axis:?}");
        }
    }

    #[test]
    fn whole_numbers_have_no_ticks_between_them() {
        let cells = |scale| Axis::new("cells", Quantity::Number, scale).of_whole();
        assert_eq!(ticks(&cells(Scale::Log), 2.0, 6.0).0, ["2", "3", "4", "5", "6"]);
        assert_eq!(ticks(&cells(Scale::Linear), 0.0, 2.0).0, ["0", "1", "2"]);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn places_are_on_the_axis() {
        let log = Axis::new("x", Quantity::Number, Scale::Log).fit(1.0, 100.0, 5);
        assert_eq!(
            [0.0, 1.0, 10.0, 100.0, 1e9].map(|value| (log.place(value) * 2.0).round()),
            [0.0, 0.0, 1.0, 2.0, 2.0]
        );
        let linear = Axis::new("x", Quantity::Number, Scale::Linear).fit(2.0, 4.0, 5);
        assert_eq!([-1.0, 0.0, 2.0, 4.0].map(|value| linear.place(value) * 4.0), [0.0, 0.0, 2.0, 4.0]);
    }
}
