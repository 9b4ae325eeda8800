//! The centre's pages: `/` for people, `/stations` as JSON, `/metrics` for Prometheus, `/healthz`. Read-only, and nothing
//! personal on any of them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::sync::watch;

use super::view::View;
use super::{metrics, page};

type Shown = watch::Receiver<Arc<View>>;

pub(super) fn router(shown: Shown) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/stations", get(stations))
        .route("/metrics", get(figures))
        // Alive: the program answers.
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(shown)
}

async fn front(State(shown): State<Shown>) -> Response {
    let html = page::html(&shown.borrow());
    // The page needs its own style and nothing else.
    let policy = (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    );
    ([policy], Html(html)).into_response()
}

async fn stations(State(shown): State<Shown>) -> Json<View> {
    Json(View::clone(&shown.borrow()))
}

async fn figures(State(shown): State<Shown>) -> Response {
    match metrics::text(&shown.borrow()) {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
