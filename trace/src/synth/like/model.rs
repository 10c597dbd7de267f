//! What is fitted to a trace, and is kept as JSON.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the form.
const VERSION: u32 = 1;

/// Quantities of functions: invocations an hour, mean run time in ms, mean memory in MiB, inter-arrival CV.
pub const QUANTITIES: usize = 4;

/// A trace's statistics, from which others are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// Version of this form: 1.
    pub version: u32,
    /// How many functions the trace has.
    pub functions: u32,
    /// How many minutes it lasts, rounded up.
    pub minutes: u32,
    /// Invocations a second of all functions.
    pub mean_rate: f64,
    /// Invocations an hour: values at equal steps of the distribution over functions, ascending.
    pub hourly_rates: Vec<f64>,
    /// Mean run times in milliseconds, likewise.
    pub runtimes_ms: Vec<f64>,
    /// Mean memory in MiB, likewise; absent where the trace has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<Vec<f64>>,
    /// Inter-arrival CVs, likewise.
    pub variations: Vec<f64>,
    /// Rank correlations of these four, as those of a normal distribution; of what is unknown 0.
    pub correlations: [[f64; QUANTITIES]; QUANTITIES],
    /// Standard deviation of the logarithms of one function's run times: the median of functions.
    pub runtime_spread: f64,
    /// The same of its memory.
    pub memory_spread: f64,
    /// Triggers; empty where the trace has none.
    #[serde(default)]
    pub triggers: Vec<TriggerModel>,
    /// Functions of each app, ascending, at equal steps; empty where the trace has no apps.
    #[serde(default)]
    pub app_sizes: Vec<f64>,
    /// Load relative to its mean in equal parts of a day, or of the trace where that is shorter.
    pub shape: Vec<f64>,
    /// How long the shape lasts, in minutes.
    pub shape_minutes: u32,
}

/// A trigger's shares, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerModel {
    /// Its name.
    pub name: String,
    /// Of functions.
    pub functions: f64,
    /// Of invocations.
    pub invocations: f64,
}

/// Why text is no model, or a trace has none.
#[derive(Debug, Error)]
pub enum ModelError {
    /// It is no JSON of this form.
    #[error("not the parameters of a trace: {0}")]
    Form(#[from] serde_json::Error),
    /// Values that can't be: the field, and what it must be.
    #[error("parameters: {}", .0.join("; "))]
    Values(Vec<String>),
    /// A trace of which too little is known.
    #[error("the trace has no {0}, without which nothing can be fitted")]
    NoData(&'static str),
}

impl Model {
    /// Reads a model, and checks it.
    ///
    /// # Errors
    /// When it is none, with everything that is wrong.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_str(text)?;
        model.checked()
    }

    /// As text.
    ///
    /// # Errors
    /// Never for what was fitted.
    pub fn text(&self) -> Result<String, ModelError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn checked(self) -> Result<Self, ModelError> {
        let mut wrong = Vec::new();
        let mut check = |is_right: bool, field: &str, must: &str| {
            if !is_right {
                wrong.push(format!("{field} must be {must}"));
            }
        };
        check(self.version == VERSION, "version", "1");
        check(self.functions > 0, "functions", "at least 1");
        check(self.minutes > 0, "minutes", "at least 1");
        check(self.mean_rate.is_finite() && self.mean_rate > 0.0, "meanRate", "above 0");
        check(self.shape_minutes > 0, "shapeMinutes", "at least 1");
        let ascending = |values: &[f64], least: f64| {
            !values.is_empty() && values.is_sorted() && values.iter().all(|value| value.is_finite() && *value >= least)
        };
        let list = "ascending numbers of at least 0, one or more";
        check(ascending(&self.hourly_rates, 0.0), "hourlyRates", list);
        check(ascending(&self.runtimes_ms, 0.0), "runtimesMs", list);
        check(self.memory_mib.as_deref().is_none_or(|memory| ascending(memory, 0.0)), "memoryMib", list);
        check(ascending(&self.variations, 0.0), "variations", list);
        let no_apps = self.app_sizes.is_empty();
        check(no_apps || ascending(&self.app_sizes, 1.0), "appSizes", "ascending numbers of at least 1");
        let positive = |value: &f64| value.is_finite() && *value >= 0.0;
        let has_load = self.shape.iter().any(|part| *part > 0.0);
        check(has_load && self.shape.iter().all(positive), "shape", "numbers of at least 0, one of them above");
        check(positive(&self.runtime_spread), "runtimeSpread", "at least 0");
        check(positive(&self.memory_spread), "memorySpread", "at least 0");
        let shares = self.triggers.iter().all(|it| positive(&it.functions) && positive(&it.invocations));
        check(shares, "triggers", "shares of at least 0");
        let correlations = self.correlations.iter().flatten().all(|value| value.abs() <= 1.0);
        check(correlations, "correlations", "from -1 to 1");
        if wrong.is_empty() { Ok(self) } else { Err(ModelError::Values(wrong)) }
    }
}
