//! Where ticks are, and how numbers read.

/// The least round number (1, 2 or 5 times a power of ten) that is not below `least`.
pub(super) fn step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * power)
}

/// The same of seconds, in steps of clocks.
pub(super) fn time_step(least: f64) -> f64 {
    const STEPS: [f64; 14] =
        [10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0];
    if least <= 5.0 {
        return step(least);
    }
    STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(|| step(least / 86_400.0) * 86_400.0)
}

/// Multiples of `step` from `begin` to `end`, as text with as many digits as the step needs.
pub(super) fn linear(begin: f64, end: f64, step: f64) -> Vec<(f64, String)> {
    let digits = if step >= 1.0 && (step - step.round()).abs() < 1e-9 {
        0
    } else {
        crate::number::place((-step.log10()).ceil().max(0.0))
    };
    let digits = if digits == 0 && (step - step.round()).abs() > 1e-9 { 1 } else { digits };
    let first = (begin / step - 1e-9).ceil();
    let count = ((end - first * step) / step + 1e-9).floor().max(0.0);
    let ticks = (0..=crate::number::place(count).min(100)).map(|number| (first + number as f64) * step);
    ticks.map(|at| (at, format!("{:.digits$}", at + 0.0))).collect()
}

/// Powers of ten from `begin` to `end`, at most `most` of them; with 2 and 5 where there are few.
pub(super) fn log(begin: f64, end: f64, most: usize) -> Vec<f64> {
    let within = |at: f64| at >= begin * (1.0 - 1e-9) && at <= end * (1.0 + 1e-9);
    let (first, last) = ((begin.log10() + 1e-9).floor(), (end.log10() + 1e-9).floor());
    if end / begin < 10.0 {
        let step = step((end - begin) / most.max(2) as f64);
        return linear(begin, end, step).into_iter().map(|(at, _)| at).collect();
    }
    let decades = crate::number::place(last - first) + 1;
    let powers = |every: usize| (0..decades).step_by(every).map(move |number| 10_f64.powf(first + number as f64));
    let factors: &[f64] = match decades * 3 {
        ticks if ticks <= most + 3 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let every = decades.div_ceil(most.max(1)).max(1);
    let ticks = powers(every).flat_map(|power| factors.iter().map(move |factor| factor * power));
    ticks.filter(|at| within(*at)).collect()
}

/// Where a logarithmic axis begins and ends: at ticks.
pub(super) fn log_range(low: f64, high: f64, most: usize) -> (f64, f64) {
    if high / low < 10.0 {
        let high = high.max(low * 1.5);
        let step = step((high - low) / most.max(2) as f64);
        // Where not even one step lies below, some room does.
        let tick = (low / step + 1e-9).floor() * step;
        let begin = if tick > 0.0 { tick } else { low * 0.9 };
        return (begin, ((high / step - 1e-9).ceil() * step).max(begin + step));
    }
    (rounded_down(low), step(high))
}

/// The greatest of 1, 2 and 5 times a power of ten that is not above `value`, which is above zero.
fn rounded_down(value: f64) -> f64 {
    let power = 10_f64.powf((value.log10() + 1e-9).floor());
    [5.0, 2.0].into_iter().map(|factor| factor * power).find(|it| *it <= value * (1.0 + 1e-9)).unwrap_or(power)
}

/// A number with as many digits as it needs, at most four.
pub(super) fn plain(number: f64) -> String {
    let size = number.abs();
    if size >= 1e6 || (size > 0.0 && size < 1e-3) {
        return format!("{number:e}").replace('e', "e").chars().take(12).collect();
    }
    let digits: usize = match size {
        100.0.. => 0,
        10.0.. => 2,
        1.0.. => 3,
        _ => 4,
    };
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn steps_are_round() {
        for (least, expected) in
            [(0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (2.1, 5.0), (70.0, 100.0), (0.0, 1.0), (f64::NAN, 1.0)]
        {
            assert!((step(least) - expected).abs() < 1e-9, "{least}");
        }
        assert_eq!([3.0, 12.0, 70.0, 100_000.0].map(time_step), [5.0, 20.0, 120.0, 172_800.0]);
    }

    #[test]
    fn numbers_have_the_digits_they_need() {
        let texts = [0.0, 1.0, 1.5, 99.9, 1234.5, 0.001, 2e6, 0.25].map(plain);
        assert_eq!(texts, ["0", "1", "1.5", "99.9", "1234", "0.001", "2e6", "0.25"]);
    }

    #[test]
    fn powers_of_ten_are_thinned_out_and_filled_up() {
        assert_eq!(log(1.0, 10.0, 6), [1.0, 2.0, 5.0, 10.0]);
        assert_eq!(log(1.0, 1e4, 6).len(), 5);
        assert_eq!(log(100.0, 200.0, 5), [100.0, 120.0, 140.0, 160.0, 180.0, 200.0]);
        assert_eq!(log(1.0, 1e9, 5).len(), 5);
    }
}
