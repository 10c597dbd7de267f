//! Environment variables, read so that all faults are reported at once. Empty ones count as not set.

use std::fmt;

/// An invalid environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableFault {
    variable: &'static str,
    value: String,
    reason: String,
}

/// The invalid environment variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct VariableErrors(pub(super) Vec<VariableFault>);

impl fmt::Display for VariableErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, VariableFault { variable, value, reason }) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}environment variable {variable}={value:?}: {reason}")?;
        }
        Ok(())
    }
}

/// The variables of an environment.
pub(super) struct Variables<E> {
    environment: E,
    faults: Vec<VariableFault>,
}

impl<E: Fn(&'static str) -> Option<String>> Variables<E> {
    pub(super) fn new(environment: E) -> Self {
        Self { environment, faults: Vec::new() }
    }

    /// The value of the first of `names` that is set.
    pub(super) fn text(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names.iter().find_map(|&name| {
            let value = (self.environment)(name).filter(|value| !value.is_empty())?;
            Some((name, value))
        })
    }

    /// `given`, or the value of the first of `names` that is set.
    pub(super) fn or<T, R: ToString>(
        &mut self,
        given: Option<T>,
        names: &[&'static str],
        parse: impl FnOnce(&str) -> Result<T, R>,
    ) -> Option<T> {
        if given.is_some() {
            return given;
        }
        let (variable, value) = self.text(names)?;
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                self.faults.push(VariableFault { variable, value, reason: reason.to_string() });
                None
            }
        }
    }

    /// `config`, unless there were faults.
    pub(super) fn finish<T>(self, config: T) -> Result<T, VariableErrors> {
        if self.faults.is_empty() { Ok(config) } else { Err(VariableErrors(self.faults)) }
    }
}
