//! A face matcher as `ops/docs/face-matcher.md` specifies it. It knows a face by the mark that invented people's pictures bear, and
//! takes one without a mark for a photo of whoever stands there; of real faces it knows nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemas::face_matcher::{COMPARE_PATH, CompareAnswer, CompareRequest, Refused, Scored};
use schemas::matcher::{HEALTH_PATH, Score};
use schemas::message::face::{ComparedPicture, FaceRefusal, PICTURE_BYTES_MAX, Picture};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::device::Power;
use crate::faces::{face_of, likeness};
use crate::faults::Faults;
use crate::powered::{hush, listening};
use crate::simulation::SimulationError;
use crate::world::World;

/// Score of one person whose picture is old or badly lit: for an officer to judge.
const DOUBTFUL: u8 = 72;
/// Longest request: two pictures as base64, and the rest.
const REQUEST_BYTES_MAX: usize = 3 * PICTURE_BYTES_MAX;

/// A fault of a face matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaceFault {
    /// It answers with an error.
    Error,
    /// It answers with a score that there is not.
    WrongAnswer,
    /// It answers after a minute.
    Slow,
    /// It finds no face.
    NoFace,
    /// It finds several.
    SeveralFaces,
    /// It finds every picture too poor.
    TooPoor,
    /// It finds every picture too dark.
    PoorLight,
    /// It finds the historical portrait too poor.
    PoorReference,
    /// It can read no picture.
    Unsupported,
    /// It is in doubt whether the two are one person.
    LowScore,
}

/// The face that a photo of the citizen shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Whose: their place in the manifest.
    pub person: usize,
    /// The score that it gets whatever it is compared with, where a test has said so.
    pub score: Option<Score>,
}

/// What a face matcher is.
#[derive(Debug, Clone)]
pub struct FaceMatcherOptions {
    /// How long it takes to compare, in ms.
    pub compare_ms: u64,
    /// How it fails.
    pub faults: Faults<FaceFault>,
}

type Looks = Arc<dyn Fn() -> Look + Send + Sync>;
type Running = State<(FaceMatcherOptions, Looks, watch::Receiver<Power>)>;

/// Serves on `listener`, and on its address again after each time without power, until the power is [`Power::Closed`] or its sender
/// is gone. A silent one takes requests and never answers. `look` says who stands there.
pub async fn serve(
    options: FaceMatcherOptions,
    look: impl Fn() -> Look + Send + Sync + 'static,
    listener: TcpListener,
    power: watch::Receiver<Power>,
) {
    let look: Looks = Arc::new(look);
    let app = Router::new()
        .route(COMPARE_PATH, post(compare))
        .route(HEALTH_PATH, get(health))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state((options, look, power.clone()));
    let serving = |listener| {
        let app = app.clone();
        async {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the face matcher stopped");
            }
        }
    };
    listening("face matcher", listener, power, serving).await;
}

async fn health(State((_, _, power)): Running) {
    hush(power).await;
}

async fn compare(
    State((options, look, power)): Running,
    Json(request): Json<CompareRequest>,
) -> Response {
    hush(power).await;
    let faults = &options.faults;
    if faults.take(FaceFault::Slow) {
        sleep(Duration::from_mins(1)).await;
    }
    sleep(Duration::from_millis(options.compare_ms)).await;
    if faults.take(FaceFault::Error) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if faults.take(FaceFault::WrongAnswer) {
        return r#"{"score":101}"#.into_response();
    }
    let reference = Some(ComparedPicture::Reference);
    let refusals = [
        (FaceFault::NoFace, FaceRefusal::NoFace, None),
        (FaceFault::SeveralFaces, FaceRefusal::SeveralFaces, None),
        (FaceFault::TooPoor, FaceRefusal::TooPoor, None),
        (FaceFault::PoorLight, FaceRefusal::PoorLight, None),
        (FaceFault::PoorReference, FaceRefusal::TooPoor, reference),
        (FaceFault::Unsupported, FaceRefusal::Unsupported, None),
    ];
    let refused = refusals.into_iter().find(|(fault, ..)| faults.take(*fault));
    Json(match refused {
        Some((_, refusal, which)) => CompareAnswer::Refused(Refused { refusal, which }),
        None => scored(&request, look(), faults.take(FaceFault::LowScore)),
    })
    .into_response()
}

fn scored(request: &CompareRequest, look: Look, is_doubtful: bool) -> CompareAnswer {
    let shown = |picture: &Picture| face_of(picture.bytes.expose()).unwrap_or(look.person);
    let score = if is_doubtful {
        DOUBTFUL
    } else {
        likeness(shown(&request.reference), shown(&request.probe))
    };
    let ordered = look.score.or_else(|| Score::new(score).ok());
    let unreadable = Refused {
        refusal: FaceRefusal::Unsupported,
        which: None,
    };
    ordered.map_or(CompareAnswer::Refused(unreadable), |score| {
        CompareAnswer::Scored(Scored { score })
    })
}

/// Starts the one of this world on `address`; port 0 for any free one. Returns where it listens.
pub(crate) async fn start(
    address: SocketAddr,
    world: &Arc<World>,
    match_ms: u64,
    power: watch::Receiver<Power>,
) -> Result<(SocketAddr, JoinHandle<()>), SimulationError> {
    let not_listening = |error| SimulationError::Listen {
        what: "the face matcher",
        address,
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(not_listening)?;
    let address = listener.local_addr().map_err(not_listening)?;
    let options = FaceMatcherOptions {
        compare_ms: match_ms,
        faults: world.faces.clone(),
    };
    let seen = Arc::clone(world);
    let serving = serve(options, move || seen.look(), listener, power);
    Ok((address, tokio::spawn(serving)))
}
