//! Text with placeholders that is filled in for each function and invocation.

/// The value of a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The name of the function.
    Function,
    /// The run time that the invocation requests, in milliseconds.
    RuntimeMs,
    /// The memory that the invocation requests, in MiB.
    MemoryMib,
}

impl Value {
    /// All values that a placeholder can stand for.
    pub const ALL: [Self; 3] = [Self::Function, Self::RuntimeMs, Self::MemoryMib];

    /// Its name between braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::RuntimeMs => "runtime_ms",
            Self::MemoryMib => "memory_mib",
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Value),
}

/// Text with placeholders.
///
/// A placeholder is a name of letters, digits and `_` between braces; `{{` is a literal `{`; other braces, as JSON has them, stand
/// for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Piece>);

/// A placeholder that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{{{0}}} is not a placeholder; placeholders are {{function}}, {{runtime_ms}} and {{memory_mib}}, and {{{{ is a literal {{"
)]
pub struct UnknownPlaceholder(String);

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// The first placeholder that is none.
    pub fn parse(text: &str) -> Result<Self, UnknownPlaceholder> {
        let mut template = Self::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            template.push_text(before);
            if let Some(after) = after.strip_prefix('{') {
                template.push_text("{");
                rest = after;
                continue;
            }
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            match after.split_once('}').filter(|(name, _)| !name.is_empty() && name.chars().all(is_part)) {
                Some((name, behind)) => {
                    let value = Value::ALL.into_iter().find(|value| value.as_str() == name);
                    template.0.push(Piece::Value(value.ok_or_else(|| UnknownPlaceholder(name.to_owned()))?));
                    rest = behind;
                }
                None => {
                    template.push_text("{");
                    rest = after;
                }
            }
        }
        template.push_text(rest);
        Ok(template)
    }

    /// The template with some values filled in.
    #[must_use]
    pub fn with(&self, value_of: impl Fn(Value) -> Option<String>) -> Self {
        let mut filled = Self::default();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_text(text),
                Piece::Value(value) => match value_of(*value) {
                    Some(text) => filled.push_text(&text),
                    None => filled.0.push(Piece::Value(*value)),
                },
            }
        }
        filled
    }

    /// Whether a placeholder stands for `value`.
    pub fn holds(&self, value: Value) -> bool {
        self.0.contains(&Piece::Value(value))
    }

    /// Whether invocations of one function have different texts.
    pub fn differs_by_call(&self) -> bool {
        self.holds(Value::RuntimeMs) || self.holds(Value::MemoryMib)
    }

    /// Bytes of the text, without those of values.
    pub fn bytes(&self) -> u64 {
        let bytes = |piece: &Piece| if let Piece::Text(text) = piece { text.len() as u64 } else { 0 };
        self.0.iter().map(bytes).sum()
    }

    /// The text, where no value is missing.
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            [..] => None,
        }
    }

    /// The text, every value filled in.
    pub fn fill(&self, value_of: impl Fn(Value) -> String) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value(value) => text.push_str(&value_of(*value)),
            }
        }
        text
    }

    /// A template that is `text`, without placeholders.
    pub(super) fn of_text(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// A template that is one placeholder.
    pub(super) fn of_value(value: Value) -> Self {
        Self(vec![Piece::Value(value)])
    }

    fn push_text(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(last)) => last.push_str(text),
            Some(Piece::Value(_)) | None => self.0.push(Piece::Text(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let template = Template::parse(text).map_err(|unknown| unknown.to_string())?;
        Ok(template.fill(|value| format!("<{}>", value.as_str())))
    }

    #[test]
    fn placeholders_are_distinguished_from_other_braces() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("{function}", "<function>"),
            ("a{runtime_ms}b{memory_mib}c", "a<runtime_ms>b<memory_mib>c"),
            (r#"{"ms": {runtime_ms}}"#, r#"{"ms": <runtime_ms>}"#),
            ("{} { a } {", "{} { a } {"),
            ("{{runtime_ms}", "{runtime_ms}"),
            ("{{{function}}", "{<function>}"),
            ("}{", "}{"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(
            filled("{runtime}").unwrap_err(),
            "{runtime} is not a placeholder; placeholders are {function}, {runtime_ms} and {memory_mib}, and {{ is a literal {"
        );
        assert!(filled("{Function}").is_err());
    }

    #[test]
    fn what_is_the_same_for_all_calls_is_filled_in_once() {
        let template = Template::parse("/{function}/{runtime_ms}").unwrap();
        assert_eq!(template.text(), None);
        let of_function = template.with(|value| (value == Value::Function).then(|| "f".to_owned()));
        assert_eq!(of_function.fill(|_| "7".to_owned()), "/f/7");
        let whole = of_function.with(|_| Some("7".to_owned()));
        assert_eq!(whole.text(), Some("/f/7"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_said(text: String) {
            prop_assert_eq!(filled(&text.replace('{', "{{")), Ok(text));
        }
    }
}
