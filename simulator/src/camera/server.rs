//! The camera as a device of the network: its services and its still over HTTP.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use schemas::words::PhotoView;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use super::clock::wall_ms;
use super::gate::{Gate, Offer, Verdict};
use super::soap::{self, Knows, Request, Says, Tokens};
use super::{CameraFault, draw};
use crate::device::Power;
use crate::faults::Faults;
use crate::powered::{hush, listening};

/// The device service.
pub const SERVICE_PATH: &str = "/onvif/device_service";
/// The still.
pub const STILL_PATH: &str = "/snapshot.jpg";
const MEDIA_PATH: &str = "/onvif/media_service";
/// How far a clock is ahead that is wrong.
const APART_MS: u64 = 3 * 3_600 * 1_000;
/// The host behind address translation.
const TRANSLATED: &str = "192.168.77.64:8000";
/// A part of a still that has no end.
const PART_BYTES: usize = 16 * 1024;

/// What a camera is.
#[derive(Debug, Clone)]
pub struct CameraOptions {
    /// The user that it knows.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// How it asks for the password at its still; nothing: it shows it to everybody.
    pub offers: Vec<Offer>,
    /// How long it takes to take a still, in ms.
    pub capture_ms: u64,
    /// How it fails.
    pub faults: Faults<CameraFault>,
}

/// A camera. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NetworkCamera {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: CameraOptions,
    gate: Gate,
    tokens: Mutex<Tokens>,
    /// The last still, and the time that it shows.
    last: Mutex<(u64, Bytes)>,
}

type Running = State<(NetworkCamera, watch::Receiver<Power>)>;

impl NetworkCamera {
    /// A camera.
    pub fn new(options: CameraOptions) -> Self {
        let gate = Gate::new(options.offers.clone());
        Self {
            shared: Arc::new(Shared {
                options,
                gate,
                tokens: Mutex::default(),
                last: Mutex::default(),
            }),
        }
    }

    /// Serves on `listener`, and on its address again after each time without power, until the power is [`Power::Closed`] or its
    /// sender is gone. A silent camera takes requests and never answers.
    pub async fn serve(self, listener: TcpListener, power: watch::Receiver<Power>) {
        let app = Router::new()
            .route(SERVICE_PATH, post(service))
            .route(MEDIA_PATH, post(service))
            .route(STILL_PATH, get(still))
            .with_state((self, power.clone()));
        let serving = |listener| {
            let app = app.clone();
            async {
                if let Err(error) = axum::serve(listener, app).await {
                    tracing::error!(%error, "the camera stopped");
                }
            }
        };
        listening("camera", listener, power, serving).await;
    }

    fn fails(&self, fault: CameraFault) -> bool {
        self.shared.options.faults.take(fault)
    }

    fn is(&self, fault: CameraFault) -> bool {
        self.shared.options.faults.holds(fault)
    }

    fn password(&self) -> &str {
        if self.is(CameraFault::WrongPassword) {
            "another one"
        } else {
            &self.shared.options.password
        }
    }

    fn clock_ms(&self) -> u64 {
        let apart = u64::from(self.is(CameraFault::ClockApart));
        wall_ms().saturating_add(apart * APART_MS)
    }

    fn answer(&self, host: &str, xml: &str) -> (StatusCode, String) {
        let Some(request) = Request::read(xml) else {
            let unreadable = ["env:Sender", "ter:WellFormed", "this is no envelope"];
            return (StatusCode::BAD_REQUEST, soap::fault(unreadable));
        };
        let camera_ms = self.clock_ms();
        let knows = Knows {
            user: &self.shared.options.user,
            password: self.password(),
            camera_ms,
        };
        if !lock(&self.shared.tokens).admit(&request, knows) {
            let refused = ["env:Sender", "ter:NotAuthorized", "sender not authorized"];
            return (StatusCode::BAD_REQUEST, soap::fault(refused));
        }
        if self.fails(CameraFault::SoapFault) {
            let failed = ["env:Receiver", "ter:Action", "something failed"];
            return (StatusCode::INTERNAL_SERVER_ERROR, soap::fault(failed));
        }
        let says = Says {
            host: if self.is(CameraFault::Translated) {
                TRANSLATED
            } else {
                host
            },
            camera_ms,
            has_profile: !self.is(CameraFault::NoProfile),
        };
        match soap::reply(&request, says) {
            Ok(reply) => (StatusCode::OK, reply),
            Err(fault) => (StatusCode::BAD_REQUEST, soap::fault(fault)),
        }
    }

    /// A still that shows another time than the one before.
    fn draw(&self) -> Option<Bytes> {
        let mut last = lock(&self.shared.last);
        if !self.fails(CameraFault::SamePicture) || last.1.is_empty() {
            let at = wall_ms().max(last.0 + 1);
            *last = (at, draw(PhotoView::Frontal, at).ok()?.into());
        }
        Some(last.1.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn service(State((camera, power)): Running, headers: HeaderMap, xml: String) -> Response {
    hush(power).await;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (status, body) = camera.answer(host.unwrap_or("localhost"), &xml);
    let content_type = "application/soap+xml; charset=utf-8";
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}

async fn still(
    State((camera, power)): Running,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Response {
    hush(power).await;
    let path = uri
        .path_and_query()
        .map_or(STILL_PATH, PathAndQuery::as_str);
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|text| text.to_str().ok());
    let shared = &camera.shared;
    let known = (shared.options.user.as_str(), camera.password());
    let verdict = shared
        .gate
        .check(authorization, known, (method.as_str(), path));
    if verdict != Verdict::Welcome {
        return refusal(&shared.gate.challenges(verdict == Verdict::Stale));
    }
    if camera.fails(CameraFault::Unavailable) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if camera.fails(CameraFault::Slow) {
        sleep(Duration::from_mins(1)).await;
    }
    sleep(Duration::from_millis(shared.options.capture_ms)).await;
    picture(&camera).unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn refusal(challenges: &[String]) -> Response {
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    for challenge in challenges {
        if let Ok(value) = challenge.parse() {
            response.headers_mut().append(WWW_AUTHENTICATE, value);
        }
    }
    response
}

fn picture(camera: &NetworkCamera) -> Option<Response> {
    let jpeg = camera.draw()?;
    let half = || jpeg.slice(..jpeg.len() / 2);
    let body = if camera.fails(CameraFault::NotAPicture) {
        Body::from("<html><body>Please log in</body></html>")
    } else if camera.fails(CameraFault::HalfPicture) {
        Body::from(half())
    } else if camera.fails(CameraFault::Cut) {
        let parts = [Ok(half()), Err(std::io::Error::other("cut"))];
        Body::from_stream(tokio_stream::iter(parts))
    } else if camera.fails(CameraFault::Endless) {
        let more =
            core::iter::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; PART_BYTES])));
        let parts = core::iter::once(Ok(half())).chain(more);
        Body::from_stream(tokio_stream::iter(parts))
    } else {
        Body::from(jpeg)
    };
    Some(([(CONTENT_TYPE, "image/jpeg")], body).into_response())
}
