//! Queries a Prometheus server.

use std::{collections::BTreeMap, time::Duration};

use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde::Deserialize;

/// Maximum size of a response, in bytes.
const MAX_RESPONSE: usize = 64 << 20;

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The URL is invalid.
    #[error("prometheus.url {url}: {reason}")]
    Url {
        /// The URL of the server.
        url: String,
        /// Why the URL is invalid.
        reason: String,
    },
    /// The server does not answer.
    #[error("Prometheus at {url} does not answer: {reason}")]
    Unreachable {
        /// The URL of the server.
        url: String,
        /// Why the server could not be reached.
        reason: String,
    },
    /// The server refuses the query.
    #[error("Prometheus refuses the query: {0}")]
    Refused(String),
}

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its labels; none for a scalar.
    pub labels: BTreeMap<String, String>,
    /// Its timestamp, Unix seconds.
    pub unix_seconds: f64,
    /// The value, as Prometheus writes it.
    pub value: String,
}

/// A client of a Prometheus server.
#[derive(Clone)]
pub struct Prometheus {
    /// The URL of the server, for messages.
    shown: String,
    client: Client,
    timeout: Duration,
}

impl Prometheus {
    /// A client of the server at `url`, with a timeout for each query. Sends nothing yet. Must be called within a runtime.
    ///
    /// # Errors
    /// A URL that is not valid.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, QueryError> {
        let shown = without_credentials(url);
        let refuse = |reason: String| QueryError::Url { url: shown.clone(), reason };
        let address: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| refuse(error.to_string()))?;
        if !matches!(address.scheme_str(), Some("http" | "https")) || address.authority().is_none() {
            return Err(refuse("must be http://host:port or https://host:port".to_owned()));
        }
        let mut config = kube::Config::new(address);
        // The next sample asks again.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| refuse(crate::error_chain::of(&error)))?;
        Ok(Self { shown, client, timeout })
    }

    /// The URL of the server, without credentials.
    pub fn url(&self) -> &str {
        &self.shown
    }

    /// Evaluates an expression of PromQL now.
    ///
    /// # Errors
    /// The server does not answer, or refuses the query.
    pub async fn query(&self, expression: &str) -> Result<Vec<Value>, QueryError> {
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("query", expression).finish();
        let request = http::Request::post("/api/v1/query")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.into_bytes()))
            .map_err(|error| QueryError::Refused(error.to_string()))?;
        let answered = tokio::time::timeout(self.timeout, self.send(request)).await;
        let text = answered.unwrap_or_else(|_| {
            Err(self.unreachable(&format!("no answer within {}", humantime::format_duration(self.timeout))))
        })?;
        read(&text).map_err(QueryError::Refused)
    }

    async fn send(&self, request: http::Request<Body>) -> Result<Vec<u8>, QueryError> {
        let response =
            self.client.send(request).await.map_err(|error| self.unreachable(&crate::error_chain::of(&error)))?;
        let body = http_body_util::Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
        body.map(|body| body.to_bytes().to_vec()).map_err(|error| self.unreachable(&error.to_string()))
    }

    fn unreachable(&self, reason: &str) -> QueryError {
        QueryError::Unreachable { url: self.shown.clone(), reason: reason.to_owned() }
    }

    /// The first value of the result as a number; `None` if the result is empty or not a finite number.
    ///
    /// # Errors
    /// As for [`Prometheus::query`].
    pub async fn number(&self, expression: &str) -> Result<Option<f64>, QueryError> {
        let values = self.query(expression).await?;
        Ok(values.first().and_then(|value| value.value.parse::<f64>().ok()).filter(|number| number.is_finite()))
    }
}

/// A URL without user, password and query, which may be secrets.
fn without_credentials(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") }
}

/// The response envelope: <https://prometheus.io/docs/prometheus/latest/querying/api/>.
#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    String((f64, String)),
    Matrix(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

fn read(text: &[u8]) -> Result<Vec<Value>, String> {
    let answer: Answer = serde_json::from_slice(text).map_err(|_| {
        let shown: String = String::from_utf8_lossy(text).chars().take(200).collect();
        format!("not a response of Prometheus: {shown:?}")
    })?;
    match answer {
        Answer { status, data: Some(data), .. } if status == "success" => match data {
            Data::Vector(series) => Ok(series
                .into_iter()
                .map(|Series { metric, value: (at, value) }| Value { labels: metric, unix_seconds: at, value })
                .collect()),
            Data::Scalar((at, value)) | Data::String((at, value)) => {
                Ok(vec![Value { labels: BTreeMap::new(), unix_seconds: at, value }])
            }
            Data::Matrix(_) => {
                Err("the expression evaluates to a range vector; only instant values are supported".to_owned())
            }
        },
        Answer { error, .. } => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// promql-samples.json.
    #[test]
    fn answers_are_read() {
        let vector = br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"le":"1"},"value":[1795418428.63,"3"]}]}}"#;
        let labels = BTreeMap::from([("le".to_owned(), "1".to_owned())]);
        assert_eq!(read(vector), Ok(vec![Value { labels, unix_seconds: 1_795_418_428.63, value: "3".to_owned() }]));
        let scalar = br#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"NaN"]}}"#;
        assert_eq!(read(scalar).unwrap()[0].value, "NaN");
        let error =
            br#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:3: parse error"}"#;
        assert!(read(error).unwrap_err().contains("parse error"));
        assert!(read(b"<html>").unwrap_err().contains("not a response of Prometheus"));
    }

    #[tokio::test]
    async fn no_message_shows_the_credentials() {
        // Nobody listens there any more.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://scraper:hunter2@{free}/?token=hunter2");
        let prometheus = Prometheus::new(&url, Duration::from_secs(5)).unwrap();
        assert_eq!(prometheus.url(), format!("http://{free}/"));
        let error = prometheus.query("up").await.unwrap_err().to_string();
        assert!(error.contains(&free.to_string()) && !error.contains("hunter2"), "{error}");
        for url in ["ftp://scraper:hunter2@x", "scraper:hunter2@x:9090", "http://a:hunter2@ x"] {
            let Err(error) = Prometheus::new(url, Duration::from_secs(1)) else { panic!("{url} is taken") };
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_invalid_url_is_refused() {
        for url in ["localhost:9090", "ftp://x", "http://", "x y"] {
            assert!(Prometheus::new(url, Duration::from_secs(1)).is_err(), "{url}");
        }
    }
}
