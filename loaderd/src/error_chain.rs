//! The error chain: an error and its causes as one line of text.

use std::{error::Error, iter};

/// An error followed by its causes, from the outermost to the root. Most errors of this crate include their cause in their own text;
/// such a cause is not repeated.
pub fn of(error: &(dyn Error + 'static)) -> String {
    iter::successors(error.source(), |cause| (*cause).source()).fold(error.to_string(), |chain, cause| {
        let cause = cause.to_string();
        if chain.ends_with(&cause) { chain } else { format!("{chain}: {cause}") }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open FILE: {0}")]
    struct Open(#[source] std::io::Error);

    #[test]
    fn a_cause_is_not_repeated() {
        let cause = || std::io::Error::other("no such file");
        assert_eq!(of(&Open(cause())), "cannot open FILE: no such file");
        assert_eq!(
            of(anyhow::Error::new(Open(cause())).context("starting").as_ref()),
            "starting: cannot open FILE: no such file"
        );
        assert_eq!(of(anyhow!(cause()).context("starting").as_ref()), "starting: no such file");
    }
}
