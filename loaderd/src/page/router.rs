//! The routes of the page.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use super::{Page, gate, headers, login, stream, views};

/// Largest body of a request: a token or a code.
const MAX_BODY: usize = 4 << 10;

/// All routes. Those that show something are for readers; the others open and end sessions.
pub fn router(Page(page): Page) -> Router {
    let readers = Router::new()
        .route("/", get(views::index))
        .route("/live", get(stream::live))
        .route("/runs/{run}", get(views::report))
        .route("/compare", get(views::comparison))
        .layer(middleware::from_fn_with_state(Arc::clone(&page), gate::reader));
    let sessions = Router::new()
        .route("/session", post(login::begin))
        .route("/session/end", post(login::end))
        .layer(DefaultBodyLimit::max(MAX_BODY));
    readers
        .merge(sessions)
        .layer(middleware::from_fn_with_state(Arc::clone(&page), gate::origin))
        .layer(middleware::from_fn(headers::add))
        .with_state(page)
}
