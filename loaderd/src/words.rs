//! Errors in words.

use std::{error::Error, iter};

/// An error and its causes in one line. Most errors here tell their cause themselves; it is not told twice.
pub fn of(error: &(dyn Error + 'static)) -> String {
    iter::successors(error.source(), |cause| (*cause).source()).fold(error.to_string(), |words, cause| {
        let cause = cause.to_string();
        if words.ends_with(&cause) { words } else { format!("{words}: {cause}") }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open it: {0}")]
    struct Open(#[source] std::io::Error);

    #[test]
    fn a_cause_is_told_once() {
        let cause = || std::io::Error::other("no such thing");
        assert_eq!(of(&Open(cause())), "cannot open it: no such thing");
        assert_eq!(
            of(anyhow::Error::new(Open(cause())).context("starting").as_ref()),
            "starting: cannot open it: no such thing"
        );
        assert_eq!(of(anyhow!(cause()).context("starting").as_ref()), "starting: no such thing");
    }
}
