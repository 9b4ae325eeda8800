//! A matcher service as `ops/docs/matcher.md` specifies it. It compares drawn fingers with invented templates; of skin
//! it knows nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters::scanner::image::Image;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemas::matcher::{
    Bits, HEALTH_PATH, QUALITY_PATH, QualityAnswer, QualityRequest, Refusal, Score, VERIFY_PATH,
    VerifyAnswer, VerifyRequest,
};
use schemas::message::Template;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::device::Power;
use crate::faults::Faults;
use crate::people::similarity;
use crate::powered::{hush, listening};
use crate::scanner::read;
use crate::simulation::SimulationError;
use crate::world::World;

/// What a template begins with (GA/T 1012).
const TEMPLATE_MARK: u8 = 0x43;

/// A fault of a matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatcherFault {
    /// It answers with an error.
    Error,
    /// It answers with a score that there is not.
    WrongAnswer,
    /// It answers after a minute.
    Slow,
    /// It finds every image too poor.
    ImagePoor,
    /// It can read no template.
    TemplateUnreadable,
}

/// What a matcher is.
#[derive(Debug, Clone)]
pub struct MatcherOptions {
    /// How long it takes to compare, in ms.
    pub match_ms: u64,
    /// How it fails.
    pub faults: Faults<MatcherFault>,
}

/// Serves on `listener`, and on its address again after each time without power, until the power is
/// [`Power::Closed`] or its sender is gone. A silent matcher takes requests and never answers.
pub async fn serve(options: MatcherOptions, listener: TcpListener, power: watch::Receiver<Power>) {
    let app = Router::new()
        .route(VERIFY_PATH, post(verify))
        .route(QUALITY_PATH, post(quality))
        .route(HEALTH_PATH, get(health))
        .with_state((options, power.clone()));
    let serving = |listener| {
        let app = app.clone();
        async {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the matcher stopped");
            }
        }
    };
    listening("matcher", listener, power, serving).await;
}

type Running = State<(MatcherOptions, watch::Receiver<Power>)>;

async fn health(State((_, power)): Running) {
    hush(power).await;
}

async fn verify(State((options, power)): Running, Json(request): Json<VerifyRequest>) -> Response {
    hush(power).await;
    let faults = &options.faults;
    if faults.take(MatcherFault::Slow) {
        sleep(Duration::from_mins(1)).await;
    }
    sleep(Duration::from_millis(options.match_ms)).await;
    if faults.take(MatcherFault::Error) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if faults.take(MatcherFault::WrongAnswer) {
        return r#"{"score":101}"#.into_response();
    }
    let answer = if faults.take(MatcherFault::ImagePoor) {
        VerifyAnswer::Refusal(Refusal::ImagePoor)
    } else if faults.take(MatcherFault::TemplateUnreadable) {
        VerifyAnswer::Refusal(Refusal::TemplateUnreadable)
    } else {
        compare(&request)
    };
    Json(answer).into_response()
}

async fn quality(
    State((options, power)): Running,
    Json(request): Json<QualityRequest>,
) -> Response {
    hush(power).await;
    if options.faults.take(MatcherFault::Slow) {
        sleep(Duration::from_mins(1)).await;
    }
    if options.faults.take(MatcherFault::WrongAnswer) {
        return r#"{"quality":101}"#.into_response();
    }
    let measured = drawn(&request.image).map(|image| image.quality());
    match measured.map(Score::new) {
        Some(Ok(quality)) => Json(QualityAnswer { quality }).into_response(),
        Some(Err(_)) | None => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

/// An image of a ZFM sensor; none of another size or depth.
fn drawn(image: &schemas::matcher::Image) -> Option<Image> {
    let pixels = Zeroizing::new(image.pixels.expose().to_vec());
    let fits = (image.width, image.height, image.bits) == (256, 288, Bits::Four);
    Image::new(pixels).filter(|_| fits)
}

fn compare(request: &VerifyRequest) -> VerifyAnswer {
    let Some(image) = drawn(&request.image) else {
        return VerifyAnswer::Refusal(Refusal::ImageUnsupported);
    };
    if !image.is_usable() {
        return VerifyAnswer::Refusal(Refusal::ImagePoor);
    }
    let sample = read(&image);
    let templates = request.templates.iter().map(Template::expose);
    let readable = templates.filter(|template| template.first() == Some(&TEMPLATE_MARK));
    let best = readable.map(|template| similarity(&sample, template)).max();
    let score = best.and_then(|best| Score::new(u8::try_from(best).ok()?).ok());
    score.map_or(
        VerifyAnswer::Refusal(Refusal::TemplateUnreadable),
        VerifyAnswer::Score,
    )
}

/// Starts the one of this world on `address`; port 0 for any free one. Returns where it listens.
pub(crate) async fn start(
    address: SocketAddr,
    world: &Arc<World>,
    match_ms: u64,
    power: watch::Receiver<Power>,
) -> Result<(SocketAddr, JoinHandle<()>), SimulationError> {
    let not_listening = |error| SimulationError::Listen {
        what: "the matcher",
        address,
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(not_listening)?;
    let address = listener.local_addr().map_err(not_listening)?;
    let options = MatcherOptions {
        match_ms,
        faults: world.matcher.clone(),
    };
    let serving = serve(options, listener, power);
    Ok((address, tokio::spawn(serving)))
}
