//! The pages of the station's IT: `/metrics`, `/healthz`, `/readyz`, and `/` which says where to look. Read-only, and
//! nothing personal on any of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::metrics::Metrics;
use crate::service::Service;

/// What the pages show. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Figures.
    pub metrics: Metrics,
    /// Standing.
    pub service: Service,
    /// The text of `/`.
    pub front: Arc<str>,
}

/// The pages as a router.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route(
            "/",
            get(|State(pages): State<Pages>| async move { text(&pages.front) }),
        )
        .route("/metrics", get(metrics))
        // Alive: the program answers. Whether it serves is another question.
        .route("/healthz", get(|| async { text("ok\n") }))
        .route("/readyz", get(ready))
        .with_state(pages)
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, pages.metrics.text()).into_response()
}

/// 200 when the log is open and new sessions are taken, else 503; the same JSON in both.
async fn ready(State(pages): State<Pages>) -> Response {
    let standing = pages.service.standing();
    let status = if standing.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::json!({
        "ready": standing.is_ready(),
        "log": standing.log,
        "in_service": standing.in_service,
        "hears_devices": !standing.deaf,
        "reasons": standing.reasons,
        "devices": standing.devices,
        "maintenance": standing.maintenance,
    });
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        format!("{body}\n"),
    )
        .into_response()
}

fn text(body: &str) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        body.to_owned(),
    )
        .into_response()
}
