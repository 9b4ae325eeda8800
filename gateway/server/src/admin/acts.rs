//! What changes something. Each act is answered when it is durable and complete.

use axum::Json;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use gateway_core::{Erasure, ErasureStanding};
use schemas::ids::{OperatorId, SessionId};
use schemas::key::{LookupKeyId, SealingKeyId};
use schemas::words::RefusalReason;
use serde::{Deserialize, Serialize};

use super::{Admin, Refused};
use crate::effects::{EraseAnswer, RotateAnswer};
use crate::keys::KeysError;
use crate::pipeline::LoopEnded;

/// `POST /keys/rotate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The event of the change: the last one that the old key signed.
    pub index: u64,
    /// The verifier key from there on.
    pub vkey: String,
}

/// `POST /keys/rotate-lookup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupRotated {
    /// The key that new records are tagged with.
    pub key: LookupKeyId,
    /// The key before it, which is tried as long as a record needs it.
    pub before: LookupKeyId,
}

/// `POST /sessions/{session}/erase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The session.
    pub session: SessionId,
    /// The sealing keys that were destroyed here, by this request.
    pub keys: Vec<SealingKeyId>,
    /// Whether the centre holds keys of it, and reads in the log that it is asked to destroy them.
    pub centre_asked: bool,
    /// What became of an earlier request; this one changed nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Erasure>,
}

pub(super) async fn rotate(State(admin): State<Admin>) -> Result<Json<Rotated>, Refused> {
    let ring = admin.ring.clone();
    let next = panics::off_runtime(move || ring.prepare_next()).await;
    let next = next
        .map_err(|error| failed(&error))?
        .map_err(not_prepared)?;
    let rotated = admin.acts.rotate_key(next).await.map_err(ended)?;
    let index = rotated.map_err(|not| Refused(StatusCode::CONFLICT, not.to_string()))?;
    let vkey = admin.ring.vkeys().pop().unwrap_or_default();
    Ok(Json(Rotated { index, vkey }))
}

pub(super) async fn rotate_lookup(
    State(admin): State<Admin>,
) -> Result<Json<LookupRotated>, Refused> {
    match admin.acts.rotate_lookup().await.map_err(ended)? {
        RotateAnswer::Done { key, before } => Ok(Json(LookupRotated { key, before })),
        RotateAnswer::Refused(why) => Err(Refused(StatusCode::CONFLICT, why.to_string())),
        RotateAnswer::UnderWay => {
            let why = "a change of the lookup key is under way: try again in a moment";
            Err(Refused(StatusCode::CONFLICT, why.to_owned()))
        }
    }
}

/// `POST /witness/dismiss`: the two who approved; whoever may open the socket has compared their PINs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissed {
    /// One.
    pub one: OperatorId,
    /// The other.
    pub other: OperatorId,
}

pub(super) async fn dismiss_witness(
    State(admin): State<Admin>,
    Query(by): Query<Dismissed>,
) -> Result<Json<Dismissed>, Refused> {
    if by.one == by.other {
        let why = "two different operators approve".to_owned();
        return Err(Refused(StatusCode::BAD_REQUEST, why));
    }
    let approvers = [by.one.clone(), by.other.clone()];
    if admin.acts.dismiss_witness(approvers).await.map_err(ended)? {
        Ok(Json(by))
    } else {
        let why = "no device holds a receipt ahead of the log: there is nothing to dismiss";
        Err(Refused(StatusCode::CONFLICT, why.to_owned()))
    }
}

pub(super) async fn erase(
    State(admin): State<Admin>,
    UrlPath(session): UrlPath<String>,
    Query(of): Query<OfLog>,
) -> Result<Json<Erased>, Refused> {
    of.check(admin.incarnation)?;
    let session = SessionId::new(session)
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    let (keys, of) = (admin.session_keys.clone(), session.clone());
    let has_keys = panics::off_runtime(move || keys.holds_any_of(&of)).await;
    let has_keys = has_keys
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))?;
    let asked = admin.acts.erase(session.clone(), has_keys).await;
    match asked.map_err(ended)? {
        EraseAnswer::Done { keys, centre_asked } => Ok(Json(Erased {
            session,
            keys,
            centre_asked,
            before: None,
        })),
        EraseAnswer::Before(before) => Ok(Json(Erased {
            session,
            keys: Vec::new(),
            centre_asked: before.standing != ErasureStanding::AtStation,
            before: Some(before),
        })),
        EraseAnswer::Refused(reason) => Err(refusal(&session, reason)),
        EraseAnswer::NotLookedUp(why) => {
            let why = format!(
                "{session}: whether the log has it cannot be read, so nothing was recorded or erased: {why}. Try again; if it goes on, see \
                 ops/docs/runbook/erase.md"
            );
            Err(Refused(StatusCode::SERVICE_UNAVAILABLE, why))
        }
        EraseAnswer::NotYet(why) => {
            let why = format!(
                "{session}: that it is to be erased is recorded, but it is not done: {why}. The station tries again until it is; \
                 ask again to hear of it"
            );
            Err(Refused(StatusCode::SERVICE_UNAVAILABLE, why))
        }
    }
}

/// Which log a session is of: their names begin anew with each.
#[derive(Debug, Deserialize)]
pub(super) struct OfLog {
    incarnation: Option<u32>,
}

impl OfLog {
    fn check(&self, present: u32) -> Result<(), Refused> {
        let why = match self.incarnation {
            Some(named) if named == present => return Ok(()),
            None if present == 1 => return Ok(()),
            None => format!(
                "this is log {present} of the station, and session names began anew with it: say which log is meant, with \
                 --incarnation"
            ),
            Some(named) => format!(
                "this is log {present} of the station; the keys of log {named} lie in the folder that was put aside: see \
                 ops/docs/runbook/erase.md"
            ),
        };
        Err(Refused(StatusCode::CONFLICT, why))
    }
}

fn refusal(session: &SessionId, reason: RefusalReason) -> Refused {
    if reason == RefusalReason::SessionOpen {
        let why = format!("{session} is still open: erase it when it has ended");
        return Refused(StatusCode::CONFLICT, why);
    }
    let why = texts::refusal(reason).en;
    Refused(StatusCode::NOT_FOUND, format!("{session}: {why}"))
}

fn not_prepared(error: KeysError) -> Refused {
    if matches!(error, KeysError::RotationUnderWay) {
        Refused(StatusCode::CONFLICT, error.to_string())
    } else {
        failed(&error)
    }
}

pub(super) fn ended(error: LoopEnded) -> Refused {
    Refused(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn failed(error: &dyn std::fmt::Display) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
