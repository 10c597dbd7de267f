//! A verdict on a run, and what several come to.

/// What a verdict means for the figures. In this order one outweighs the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Nothing speaks against them.
    Good,
    /// It was not, or could not be, judged.
    Open,
    /// They are to be read with this in mind.
    Care,
    /// They do not say what they seem to.
    Bad,
}

impl Weight {
    /// The class of its style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Open => "open",
            Self::Care => "care",
            Self::Bad => "bad",
        }
    }

    /// For those who don't see the sign before it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "Good",
            Self::Open => "Not judged",
            Self::Care => "Caution",
            Self::Bad => "Bad",
        }
    }
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) weight: Weight,
    pub(super) title: String,
    pub(super) text: String,
}

/// Makes one.
pub(super) fn verdict(weight: Weight, title: impl Into<String>, text: impl Into<String>) -> Verdict {
    Verdict { weight, title: title.into(), text: text.into() }
}

/// What all of them come to, in a sentence.
pub(super) fn lead(verdicts: &[Verdict]) -> Verdict {
    let worst = verdicts.iter().map(|it| it.weight).max().unwrap_or(Weight::Open);
    let reasons: Vec<_> = verdicts.iter().filter(|it| it.weight == worst).map(|it| it.title.as_str()).collect();
    let reasons = reasons.join("; ");
    match worst {
        Weight::Good => {
            verdict(worst, "These figures can be relied on", "Nothing that is checked speaks against them.")
        }
        Weight::Open => verdict(
            Weight::Good,
            "These figures can be relied on",
            format!("Nothing that was checked speaks against them. Not judged: {reasons}."),
        ),
        Weight::Care => verdict(worst, "Read these figures with care", format!("{reasons}.")),
        Weight::Bad => verdict(worst, "Do not rely on these figures", format!("{reasons}.")),
    }
}

/// A sentence that begins with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
