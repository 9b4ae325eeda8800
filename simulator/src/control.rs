//! The control interface over HTTP, loopback only: the hands of the citizen, of the operator, and of whoever
//! breaks things. It shows card serials and positions, nothing personal.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemas::ids::CardSerial;
use schemas::matcher::Score;
use schemas::slot::SlotAddress;
use schemas::words::Hand;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::camera::CameraFault;
use crate::device::Power;
use crate::dispenser::{Fault, Machine};
use crate::face_matcher::FaceFault;
use crate::matcher::MatcherFault;
use crate::people::Quality;
use crate::reader::{Place, ReaderFault};
use crate::scanner::ScannerFault;
use crate::simulation::Powers;
use crate::world::{Behaviour, Finger, World};

#[derive(Clone)]
struct Control {
    world: Arc<World>,
    powers: Arc<Powers>,
}

/// An answer, or what is wrong with the request.
type Answer = Result<Json<Value>, (StatusCode, String)>;

pub(crate) fn router(world: Arc<World>, powers: Arc<Powers>) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/dispenser", get(dispenser))
        .route("/citizen/arrive", post(arrive))
        .route("/citizen/take-card", post(take_card))
        .route("/citizen/finger/{hand}", post(finger))
        .route("/citizen/old-card", post(old_card))
        .route("/citizen/present-card", post(present_card))
        .route("/citizen/lift-card", post(lift_card))
        .route("/citizen/look", post(look))
        .route("/citizen/auto", post(auto))
        .route("/operator/hopper", post(hopper))
        .route("/operator/clear-transport", post(clear_transport))
        .route("/operator/swap", post(swap))
        .route("/fault/clear", post(clear))
        .route("/fault/line/{line}", post(line_fault))
        .route("/fault/reader/{reader}/{fault}", post(reader_fault))
        .route("/fault/scanner/{fault}", post(scanner_fault))
        .route("/fault/matcher/{fault}", post(matcher_fault))
        .route("/fault/face-matcher/{fault}", post(face_fault))
        .route("/fault/camera/{fault}", post(camera_fault))
        .route("/fault/device/{device}/{power}", post(device_fault))
        .route("/fault/{fault}", post(fault))
        .with_state(Control { world, powers })
}

pub(crate) async fn serve(listener: TcpListener, app: Router) {
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "the control interface stopped");
    }
}

fn bad(why: impl Into<String>) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, why.into() + "\n")
}

fn conflict(why: &str) -> (StatusCode, String) {
    (StatusCode::CONFLICT, format!("{why}\n"))
}

fn done() -> Json<Value> {
    Json(json!({ "done": true }))
}

async fn dispenser(State(control): State<Control>) -> Json<Value> {
    Json(control.world.dispenser.look(|machine| {
        let memory = machine.memory();
        json!({
            "moving": machine.is_moving(),
            "carried": memory.carried(),
            "slots": memory.slots(),
            "sequence": memory.last_sequence(),
            "motions": memory.history(),
        })
    }))
}

#[derive(Deserialize)]
struct Arrive {
    /// Place in the manifest, from 0; none: the owner of the card that the machine holds.
    person: Option<usize>,
}

async fn arrive(State(control): State<Control>, Query(who): Query<Arrive>) -> Answer {
    let len = control.world.people.people.len();
    if who.person.is_some_and(|at| at >= len) {
        return Err(bad(format!("there are {len} people")));
    }
    control.world.set_visitor(who.person);
    Ok(done())
}

async fn take_card(State(control): State<Control>) -> Answer {
    let card = control.world.dispenser.act(Machine::take_from_outlet);
    card.map(|card| Json(json!({ "card": card })))
        .ok_or_else(|| conflict("no card at the outlet"))
}

#[derive(Deserialize)]
struct FingerQuery {
    quality: Option<Quality>,
}

async fn finger(
    State(control): State<Control>,
    Path(hand): Path<Hand>,
    Query(query): Query<FingerQuery>,
) -> Answer {
    let quality = query.quality.unwrap_or(Quality::Good);
    let finger = (quality != Quality::None).then_some(Finger { hand, quality });
    control.world.finger.send_replace(finger);
    Ok(done())
}

async fn old_card(State(control): State<Control>) -> Answer {
    if control.world.lay_old_card() {
        Ok(done())
    } else {
        Err(conflict("nobody with an old card stands here"))
    }
}

async fn present_card(State(control): State<Control>) -> Answer {
    if control.world.lay_present_card() {
        Ok(done())
    } else {
        Err(conflict(
            "nobody stands here: /citizen/arrive?person=0 first",
        ))
    }
}

async fn lift_card(State(control): State<Control>) -> Answer {
    let world = &control.world;
    world.dispenser.act(|machine| machine.lay_on_intake(None));
    Ok(done())
}

#[derive(Deserialize)]
struct LookQuery {
    /// Whose face is to be seen, from 0; none: the visitor's.
    person: Option<usize>,
    /// The score it gets; none: by whose face it is.
    score: Option<Score>,
}

async fn look(State(control): State<Control>, Query(look): Query<LookQuery>) -> Answer {
    let len = control.world.people.people.len();
    if look.person.is_some_and(|at| at >= len) {
        return Err(bad(format!("there are {len} people")));
    }
    control.world.set_look(look.person, look.score);
    Ok(done())
}

#[derive(Deserialize)]
struct Auto {
    behaviour: Behaviour,
}

async fn auto(State(control): State<Control>, Query(auto): Query<Auto>) -> Answer {
    control.world.behaviour.send_replace(auto.behaviour);
    Ok(done())
}

#[derive(Deserialize)]
struct Hopper {
    card: CardSerial,
}

async fn hopper(State(control): State<Control>, Query(hopper): Query<Hopper>) -> Answer {
    control
        .world
        .dispenser
        .act(|machine| machine.put_in_hopper(hopper.card));
    Ok(done())
}

async fn clear_transport(State(control): State<Control>) -> Answer {
    let card = control.world.dispenser.act(Machine::take_from_transport);
    card.map(|card| Json(json!({ "card": card })))
        .ok_or_else(|| conflict("no card in the transport, or it moves"))
}

#[derive(Deserialize)]
struct Swap {
    /// `column/slot`.
    a: String,
    /// `column/slot`.
    b: String,
}

async fn swap(State(control): State<Control>, Query(swap): Query<Swap>) -> Answer {
    let slot = |text: &str| -> Option<SlotAddress> {
        let (column, slot) = text.split_once('/')?;
        SlotAddress::new(column.parse().ok()?, slot.parse().ok()?).ok()
    };
    let (Some(a), Some(b)) = (slot(&swap.a), slot(&swap.b)) else {
        return Err(bad("a and b are column/slot"));
    };
    control.world.dispenser.act(|machine| machine.swap(a, b));
    Ok(done())
}

async fn clear(State(control): State<Control>) -> Answer {
    control.world.dispenser.act(Machine::repair);
    control.world.dispenser.set_silent(false);
    control.world.reader.clear();
    control.world.intake.clear();
    control.world.scanner.clear();
    control.world.matcher.clear();
    control.world.faces.clear();
    control.world.camera.clear();
    Ok(done())
}

#[derive(Deserialize)]
struct FaultQuery {
    factor: Option<u16>,
}

async fn fault(
    State(control): State<Control>,
    Path(name): Path<String>,
    Query(query): Query<FaultQuery>,
) -> Answer {
    let fault = match name.as_str() {
        "jam" => Fault::Jam,
        "door-open" => Fault::DoorOpen,
        "tamper" => Fault::Tamper,
        "slow" => Fault::Slow {
            factor: query.factor.unwrap_or(10),
        },
        "done-but-stayed" => Fault::DoneButStayed,
        "failed-but-moved" => Fault::FailedButMoved,
        "frozen" => Fault::Frozen,
        _ => {
            return Err(bad(
                "faults: jam, door-open, tamper, slow, done-but-stayed, failed-but-moved, frozen, \
                 clear, line/{silent|drop-after-write|off|on}, device/{id}/{on|silent|off}, \
                 reader/{inner|intake}/{no-card|unreadable|wrong-chip|slow|half-frame|disconnect|bad-checksum}, \
                 scanner/{no-finger|busy|messy|few-points|smeared|partial|half-packet|disconnect|bad-sum|slow|wrong-password}, \
                 matcher/{error|wrong-answer|slow|image-poor|template-unreadable}, \
                 face-matcher/{error|wrong-answer|slow|no-face|several-faces|too-poor|poor-light|poor-reference|unsupported|low-score}, \
                 camera/{clock-apart|wrong-password|translated|no-profile|soap-fault|not-a-picture|half-picture|cut|endless|slow|\
                 same-picture|unavailable}",
            ));
        }
    };
    control.world.dispenser.act(|machine| machine.fail(fault));
    Ok(done())
}

async fn line_fault(State(control): State<Control>, Path(line): Path<String>) -> Response {
    let dispenser = &control.world.dispenser;
    match line.as_str() {
        "silent" => dispenser.set_silent(true),
        "drop-after-write" => dispenser.drop_after_next_write(),
        "off" => dispenser.power_off().await,
        "on" => {
            dispenser.set_silent(false);
            if let Err(error) = dispenser.power_on().await {
                return conflict(&error.to_string()).into_response();
            }
        }
        _ => return bad("lines: silent, drop-after-write, off, on").into_response(),
    }
    done().into_response()
}

#[derive(Deserialize)]
struct Times {
    times: Option<u16>,
}

async fn reader_fault(
    State(control): State<Control>,
    Path((reader, fault)): Path<(Place, ReaderFault)>,
    Query(query): Query<Times>,
) -> Answer {
    let times = query.times.unwrap_or(1);
    reader.faults(&control.world).set(fault, times);
    Ok(done())
}

async fn scanner_fault(
    State(control): State<Control>,
    Path(fault): Path<ScannerFault>,
    Query(query): Query<Times>,
) -> Answer {
    control.world.scanner.set(fault, query.times.unwrap_or(1));
    Ok(done())
}

async fn matcher_fault(
    State(control): State<Control>,
    Path(fault): Path<MatcherFault>,
    Query(query): Query<Times>,
) -> Answer {
    control.world.matcher.set(fault, query.times.unwrap_or(1));
    Ok(done())
}

async fn face_fault(
    State(control): State<Control>,
    Path(fault): Path<FaceFault>,
    Query(query): Query<Times>,
) -> Answer {
    control.world.faces.set(fault, query.times.unwrap_or(1));
    Ok(done())
}

async fn camera_fault(
    State(control): State<Control>,
    Path(fault): Path<CameraFault>,
    Query(query): Query<Times>,
) -> Answer {
    control.world.camera.set(fault, query.times.unwrap_or(1));
    Ok(done())
}

async fn device_fault(
    State(control): State<Control>,
    Path((device, power)): Path<(String, Power)>,
) -> Answer {
    if control.powers.set(&device, power) {
        Ok(done())
    } else {
        Err(bad("there is no such device"))
    }
}
