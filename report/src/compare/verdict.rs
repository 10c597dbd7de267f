//! What is said of a figure of two groups.

/// What is said of a figure of B, against that of A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// B is better: the difference is significant, and the interval of the ratio does not hold 1.
    Better,
    /// B is worse.
    Worse,
    /// The interval of the ratio lies within the margin.
    Same,
    /// Neither a difference nor equality is shown.
    NotShown,
}

impl Verdict {
    /// The word, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same_within_margin",
            Self::NotShown => "not_shown",
        }
    }

    /// The words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same within the margin",
            Self::NotShown => "not shown",
        }
    }
}
