//! Commissioning over the socket (V2). Each request is answered when what it asked for is durable; an exercise when it has ended.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use gateway_core::{Input, MachineStanding, Trial};
use schemas::envelope;
use schemas::event::Event;
use schemas::event::commission::{CommissionStep, Commissioned, ExerciseEnded};
use schemas::ids::{DeviceId, MachineId, OperatorId, SessionId};
use schemas::message::Pin;
use schemas::words::RefusalReason;
use serde::{Deserialize, Serialize};

use super::{Admin, Refused, internal};
use crate::pipeline::{CommissionAsk, LoopEnded};

/// Longest an exercise is waited for: a person's time, and a dispenser that is asked again and again.
const EXERCISE_MAX: Duration = Duration::from_mins(10);
/// Pause between two looks into the log.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Where a PIN was given, in the record of one that does not fit. No device may be called so: the broker knows none.
pub(super) const AT: &str = "admin-socket";

/// Who begins.
#[derive(Deserialize)]
pub(super) struct By {
    operator: OperatorId,
    pin: Pin,
}

/// `POST /commission/{machine}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The session of the commissioning.
    pub session: Option<SessionId>,
    /// Why there is none.
    pub refused: Option<RefusalReason>,
}

/// `POST /commission/sessions/{session}/{trial}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercised {
    /// Why it was not begun.
    pub refused: Option<RefusalReason>,
    /// What came of it; none where it was not begun, or the machine had to be blocked.
    pub ended: Option<ExerciseEnded>,
}

/// The body of `POST /commission/sessions/{session}/report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The machine.
    pub machine: MachineId,
    /// Who.
    pub operator: OperatorId,
    /// The steps in order.
    pub steps: Vec<CommissionStep>,
}

/// `POST /commission/sessions/{session}/report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The event.
    pub index: u64,
    /// What it says.
    pub event: Commissioned,
}

pub(super) async fn stands(
    State(admin): State<Admin>,
    UrlPath(machine): UrlPath<String>,
) -> Result<Json<MachineStanding>, Refused> {
    let machine = named(MachineId::new(machine))?;
    let standing = admin.acts.standing(machine.clone()).await.map_err(ended)?;
    standing.map(Json).ok_or_else(|| {
        let why = format!("there is no machine {machine} in the configuration");
        Refused(StatusCode::NOT_FOUND, why)
    })
}

pub(super) async fn begin(
    State(admin): State<Admin>,
    UrlPath(machine): UrlPath<String>,
    Json(by): Json<By>,
) -> Result<Json<Begun>, Refused> {
    let machine = named(MachineId::new(machine))?;
    let at = named(DeviceId::new(AT))?;
    let check = admin.pins.check(by.operator, by.pin).await;
    let begin = CommissionAsk::Begin { check, machine, at };
    let told = admin.acts.commission(begin).await.map_err(ended)?;
    Ok(Json(match told {
        Ok(session) => Begun {
            session,
            refused: None,
        },
        Err(reason) => Begun {
            session: None,
            refused: Some(reason),
        },
    }))
}

pub(super) async fn exercise(
    State(admin): State<Admin>,
    UrlPath((session, trial)): UrlPath<(String, String)>,
) -> Result<Json<Exercised>, Refused> {
    let session = named(SessionId::new(session))?;
    let trial = match trial.as_str() {
        "inventory" => Trial::Inventory,
        "carry" => Trial::Carry,
        "intake-card" => Trial::IntakeCard,
        "finger" => Trial::Finger,
        "photo" => Trial::Photo,
        _ => {
            let why = "exercises are inventory, carry, intake-card, finger and photo".to_owned();
            return Err(Refused(StatusCode::NOT_FOUND, why));
        }
    };
    let from = admin.log.size();
    let input = Input::Exercise {
        session: session.clone(),
        trial,
    };
    let told = admin.acts.commission(CommissionAsk::Go(input)).await;
    if let Err(reason) = told.map_err(ended)? {
        return Ok(Json(Exercised {
            refused: Some(reason),
            ended: None,
        }));
    }
    let found = tokio::time::timeout(EXERCISE_MAX, end_of(&admin, &session, from)).await;
    let found = found.map_err(|_elapsed| {
        let why = "the exercise did not end: see what the station logs";
        Refused(StatusCode::SERVICE_UNAVAILABLE, why.to_owned())
    })??;
    Ok(Json(Exercised {
        refused: None,
        ended: found,
    }))
}

/// The end of the exercise that the log asks for behind `from`; none where the session ended instead.
async fn end_of(
    admin: &Admin,
    session: &SessionId,
    from: u64,
) -> Result<Option<ExerciseEnded>, Refused> {
    let (mut next, mut asked) = (from, None);
    loop {
        for (index, event) in events(admin, next).await? {
            next = index + 1;
            if let Event::ExerciseAsked(body) = &event
                && body.session == *session
            {
                asked = asked.or(Some(index));
            } else if let Event::ActEnded(body) = &event
                && body.session == *session
            {
                return Ok(None);
            } else if let Event::ExerciseEnded(body) = event
                && asked == Some(body.asked)
            {
                return Ok(Some(body));
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

pub(super) async fn report(
    State(admin): State<Admin>,
    UrlPath(session): UrlPath<String>,
    Json(report): Json<Report>,
) -> Result<Json<Recorded>, Refused> {
    let session = named(SessionId::new(session))?;
    let from = admin.log.size();
    let event = Commissioned {
        session,
        machine: report.machine,
        operator: report.operator,
        steps: report.steps,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        configuration_sha256: admin.configuration_sha256.to_string(),
    };
    let input = Input::Commissioned(Box::new(event.clone()));
    let told = admin.acts.commission(CommissionAsk::Go(input)).await;
    if told.map_err(ended)?.is_err() {
        let why = "this is not the end of a commissioning that is open, or was ended by a block";
        return Err(Refused(StatusCode::CONFLICT, why.to_owned()));
    }
    let mut recorded = events(&admin, from).await?.into_iter();
    let index = recorded.find_map(|(index, recorded)| {
        let is_it = matches!(&recorded, Event::Commissioned(body) if *body == event);
        is_it.then_some(index)
    });
    let index = index.ok_or_else(|| internal("the record cannot be found"))?;
    Ok(Json(Recorded { index, event }))
}

/// The durable events from `from` on.
async fn events(admin: &Admin, from: u64) -> Result<Vec<(u64, Event)>, Refused> {
    let log = admin.log.clone();
    let read = panics::off_runtime(move || {
        let stored = log.read(from..u64::MAX);
        stored
            .map(|stored| {
                let (index, signed) = stored?;
                Ok((index, envelope::read(&signed)?.event))
            })
            .collect::<anyhow::Result<Vec<_>>>()
    });
    read.await
        .map_err(|error| internal(&error.to_string()))?
        .map_err(|error| internal(&format!("{error:#}")))
}

pub(super) fn named<T>(made: Result<T, schemas::text::Invalid>) -> Result<T, Refused> {
    made.map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

fn ended(error: LoopEnded) -> Refused {
    Refused(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
