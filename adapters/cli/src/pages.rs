//! `/metrics`, `/healthz`, `/readyz`. Read-only, and nothing personal on any of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use adapters::link::Figures;
use anyhow::Context as _;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use schemas::ids::DeviceId;
use tokio::net::TcpListener;

use crate::metrics;

type Links = Arc<BTreeMap<DeviceId, Figures>>;

/// Listens; the future serves the pages.
pub(crate) async fn open(
    listen: SocketAddr,
    links: BTreeMap<DeviceId, Figures>,
) -> anyhow::Result<impl Future<Output = std::io::Result<()>> + use<>> {
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("the metrics cannot listen on {listen}"))?;
    let router = Router::new()
        .route("/metrics", get(figures))
        // Alive: the program answers. Whether it serves is another question.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Arc::new(links));
    Ok(async move { axum::serve(listener, router).await })
}

async fn figures(State(links): State<Links>) -> Response {
    match metrics::text(&links) {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// 200 when every device is there and at the broker, else 503; the JSON names those that are not.
async fn ready(State(links): State<Links>) -> Response {
    let those = |is: fn(&Figures) -> bool| -> Vec<&str> {
        let not = links.iter().filter(|(_, figures)| !is(figures));
        not.map(|(device, _)| device.as_str()).collect()
    };
    let disconnected = those(|figures| figures.read().is_connected);
    let absent = those(|figures| figures.read().is_present);
    let is_ready = disconnected.is_empty() && absent.is_empty();
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::json!({
        "ready": is_ready,
        "not_at_the_broker": disconnected,
        "device_absent": absent,
    });
    (status, Json(body)).into_response()
}
