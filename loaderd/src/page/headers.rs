//! The headers of every answer of the page.

use std::sync::LazyLock;

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue, header};
use loader_report::{live, page};

/// What is the same for all; an answer that has its own keeps it.
const FIXED: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Without its own origin in it, a form would be refused like another site's.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (OPENER, HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The policy of the page itself.
static OF_PAGE: LazyLock<Option<HeaderValue>> = LazyLock::new(|| HeaderValue::try_from(live::policy()).ok());

/// The policy of reports: they hold names from outside, so that they are an origin of their own, which has no access to this one.
static OF_REPORTS: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    HeaderValue::try_from(format!("{}; frame-ancestors 'none'; sandbox allow-scripts", page::policy())).ok()
});

/// Middleware: adds the headers.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.entry(name).or_insert(value);
    }
    if let Some(policy) = &*OF_PAGE {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| policy.clone());
    }
    response
}

/// Marks an answer as a report.
pub(super) fn sandbox(response: &mut Response) {
    let headers = response.headers_mut();
    if let Some(policy) = &*OF_REPORTS {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    // Browsers refuse to show a sandboxed page that asks for more.
    headers.insert(OPENER, HeaderValue::from_static("unsafe-none"));
}
