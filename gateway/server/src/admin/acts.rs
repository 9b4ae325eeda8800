//! What changes something. Each act is answered when it is durable and complete.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Admin, Refused};
use crate::keys::KeysError;
use crate::pipeline::Job;

/// `POST /keys/rotate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The event of the change: the last one that the old key signed.
    pub index: u64,
    /// The verifier key from there on.
    pub vkey: String,
}

pub(super) async fn rotate(State(admin): State<Admin>) -> Result<Json<Rotated>, Refused> {
    let ring = admin.ring.clone();
    let next = tokio::task::spawn_blocking(move || ring.prepare_next()).await;
    let next = next
        .map_err(|error| failed(&error))?
        .map_err(|error| match error {
            KeysError::RotationUnderWay => Refused(StatusCode::CONFLICT, error.to_string()),
            other => failed(&other),
        })?;
    let (done, completed) = oneshot::channel();
    submit(&admin, Job::RotateKey { next, done }).await?;
    let index = completed.await.map_err(|_gone| {
        failed(&"the change of the key did not complete; the station's own log says why")
    })?;
    let vkey = admin.ring.vkeys().pop().unwrap_or_default();
    Ok(Json(Rotated { index, vkey }))
}

async fn submit(admin: &Admin, job: Job) -> Result<(), Refused> {
    let sent = admin.jobs.send(job).await;
    sent.map_err(|_closed| {
        Refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "the station is stopping".to_owned(),
        )
    })
}

fn failed(error: &dyn std::fmt::Display) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
