//! File names that come over the wire or go over it.

/// Longest name, in characters.
const MAX_NAME: usize = 128;

/// Whether a name is one of a file without any folder, in characters that every system takes: A-Z, a-z, 0-9, '.', '_'
/// and '-', first not a dot. Nothing else is written to disk or uploaded.
pub(crate) fn is_plain(name: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_names_pass() {
        for name in ["a", "invocations.csv", "100_inv.csv", "x-1_duration_5.csv", "-"] {
            assert!(is_plain(name), "{name:?}");
        }
        let long = "a".repeat(129);
        for name in ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "..\\x", "a b", "a\0", "ä.csv", "a\n", &long] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
