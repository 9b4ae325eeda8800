//! `GET /link`: how the link to the centre stands.

use axum::Json;
use axum::extract::State;
use gateway_sync::LinkFigures;
use serde::{Deserialize, Serialize};

use super::{Admin, Refused, internal};
use crate::centre::acknowledgement;

/// How the link to the centre stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    /// Whether there is somebody to link to.
    pub configured: bool,
    /// `current`, `draining`, `connecting`, `resting`, `forked`, or what is wrong.
    pub standing: String,
    /// Durable events here.
    pub size: u64,
    /// Events that the centre's stream is known to have.
    pub sent: u64,
    /// Events that the centre acknowledged.
    pub acknowledged: Option<u64>,
}

pub(super) async fn link(State(admin): State<Admin>) -> Result<Json<LinkReport>, Refused> {
    let log = admin.log.clone();
    let read = panics::off_runtime(move || acknowledgement(&log)).await;
    let acknowledged = read
        .map_err(|error| internal(&error.to_string()))?
        .map_err(|error| internal(&error.to_string()))?;
    let figures = admin.link.as_ref().map(|figures| *figures.borrow());
    let configured = figures.is_some();
    let LinkFigures { standing, sent, .. } = figures.unwrap_or_default();
    Ok(Json(LinkReport {
        configured,
        standing: standing.word().to_owned(),
        size: admin.log.size(),
        sent,
        acknowledged: acknowledged.map(|acknowledged| acknowledged.size),
    }))
}
