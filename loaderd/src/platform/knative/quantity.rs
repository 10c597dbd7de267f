//! Amounts as Kubernetes writes them: `2`, `500m`, `1.5Gi`, `129e6`. Pure.

/// The suffixes and their factors.
const SUFFIXES: [(&str, f64); 14] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// An amount in its base unit: processors, bytes, pods.
pub(super) fn amount(text: &str) -> Option<f64> {
    let (number, factor) = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))?;
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

/// CPU in thousandths of a processor, rounded up as the scheduler does.
pub(super) fn millicores(text: &str) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
    let millicores = (amount(text)? * 1000.0 - 1e-6).ceil().max(0.0) as u64;
    Some(millicores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_all_their_forms() {
        for (text, expected) in [
            ("2", Some(2.0)),
            ("500m", Some(0.5)),
            ("8123456Ki", Some(8_318_418_944.0)),
            ("1.5Gi", Some(1_610_612_736.0)),
            ("129e6", Some(129e6)),
            ("128974848", Some(128_974_848.0)),
            ("25k", Some(25e3)),
            ("", None),
            ("lots", None),
            ("-1", None),
        ] {
            assert_eq!(amount(text), expected, "{text}");
        }
        assert_eq!(
            ["1930m", "2", "0.0001", "0", "x"].map(millicores),
            [Some(1930), Some(2000), Some(1), Some(0), None]
        );
    }
}
