//! The log format, `[scrape]`, `[prometheus]` and `[otlp]`.

use std::time::Duration;

use toml::de::DeValue;

use super::read::{FromToml, Section};

const SHORTEST_PERIOD: Duration = Duration::from_secs(1);
const LONGEST_PERIOD: Duration = Duration::from_hours(1);

/// The format of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// The journal, if standard error is connected to it; else text.
    #[default]
    Auto,
    /// Lines of text on standard error.
    Text,
    /// One JSON object for each line, on standard error.
    Json,
}

impl FromToml for LogFormat {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        match value.as_str() {
            Some("auto") => Ok(Self::Auto),
            Some("text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json),
            Some(_) | None => Err("\"auto\", \"text\" or \"json\""),
        }
    }
}

/// `[scrape]`: samples of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrape {
    /// Interval of samples of a source, and their timeout.
    pub period: Duration,
}

/// `[prometheus]`: a Prometheus that scrapes the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrometheusAccess {
    /// Its URL; `None`: the autoscaler's own endpoints are scraped, and queries are unavailable.
    pub url: Option<String>,
}

/// `[otlp]`: a collector of spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Otlp {
    /// Its URL; `None`: spans are not exported.
    pub endpoint: Option<String>,
    /// The share of invocations with a span, 0 to 1.
    pub sampled: f64,
}

impl Scrape {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("period", &mut self.period);
    }

    pub(super) fn check(&self) -> Option<String> {
        let allowed = (SHORTEST_PERIOD..=LONGEST_PERIOD).contains(&self.period);
        (!allowed).then(|| "scrape.period must be 1s to 1h".to_owned())
    }
}

impl Default for Scrape {
    fn default() -> Self {
        Self { period: Duration::from_secs(5) }
    }
}

impl PrometheusAccess {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("url", &mut self.url);
    }

    pub(super) fn check(&self) -> Option<String> {
        let is_http = |url: &&String| url.starts_with("http://") || url.starts_with("https://");
        let url = self.url.as_ref().filter(|url| !is_http(url))?;
        Some(format!("prometheus.url must be http://host:port or https://host:port, not {url:?}"))
    }
}

impl Otlp {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("endpoint", &mut self.endpoint);
        section.take_within("sampled", &mut self.sampled, 0.0..=1.0);
    }
}

impl Default for Otlp {
    fn default() -> Self {
        Self { endpoint: None, sampled: 0.01 }
    }
}
