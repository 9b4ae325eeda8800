//! Requests to a camera over HTTP: each on a connection of its own, bounded in time and size, with the answer to the camera's
//! challenge. Redirections are not followed and no proxy is asked: what a camera shows goes from it to the station.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::{Host, Position, Url};
use zeroize::Zeroizing;

use super::challenge::Offer;
use super::{CameraConfig, CameraFault, Credentials};

/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// One without an answer to a challenge, one with, and one more where the nonce was too old.
const EXCHANGES_MAX: u8 = 3;

/// The client of one camera.
#[derive(Debug)]
pub(super) struct Http {
    connect_timeout: Duration,
    request_timeout: Duration,
    credentials: Option<Credentials>,
    allow_basic: bool,
    /// What the camera asked for last: most take a nonce more than once.
    held: Mutex<Option<Offer>>,
}

/// A request.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: Bytes,
    /// Longest body of the answer, in bytes.
    pub(super) answer_bytes_max: usize,
}

/// An answer other than a challenge.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Wiped: it may show a face.
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Http {
    pub(super) fn new(config: &CameraConfig) -> Self {
        Self {
            connect_timeout: Duration::from_millis(config.connect_timeout_ms),
            request_timeout: Duration::from_millis(config.request_timeout_ms),
            credentials: config.credentials.clone(),
            allow_basic: config.allow_basic,
            held: Mutex::new(None),
        }
    }

    /// Asks, and answers the camera's challenge. All of it within the limit of a request.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Answer, CameraFault> {
        let answered = timeout(self.request_timeout, self.negotiate(ask)).await;
        answered.unwrap_or(Err(CameraFault::Slow))
    }

    async fn negotiate(&self, ask: &Ask<'_>) -> Result<Answer, CameraFault> {
        let mut is_fresh = false;
        for _ in 0..EXCHANGES_MAX {
            let (headers, answer) = self.exchange(ask, self.authorization(ask)?).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
            let offer = Offer::best(challenges.filter_map(|value| value.to_str().ok()));
            let offer = offer.filter(|offer| !is_fresh || offer.is_stale());
            *self.held() = None;
            self.hold(offer.ok_or(CameraFault::Refused)?)?;
            is_fresh = true;
        }
        Err(CameraFault::Refused)
    }

    /// Remembers what can be answered.
    fn hold(&self, offer: Offer) -> Result<(), CameraFault> {
        if self.credentials.is_none() {
            return Err(CameraFault::Refused);
        }
        if offer == Offer::Basic && !self.allow_basic {
            return Err(CameraFault::BasicOnly);
        }
        *self.held() = Some(offer);
        Ok(())
    }

    fn authorization(&self, ask: &Ask<'_>) -> Result<Option<HeaderValue>, CameraFault> {
        let (Some(offer), Some(credentials)) = (&mut *self.held(), &self.credentials) else {
            return Ok(None);
        };
        let path = &ask.url[Position::BeforePath..Position::AfterQuery];
        let text = offer.answer(credentials, ask.method.as_str(), path);
        let value = text.and_then(|text| HeaderValue::from_str(&text).ok());
        let mut value = value.ok_or(CameraFault::Unreadable)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    fn held(&self) -> MutexGuard<'_, Option<Offer>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(
        &self,
        ask: &Ask<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<(HeaderMap, Answer), CameraFault> {
        let stream = self.connect(ask.url).await?;
        let mut client = http1::Builder::new();
        client.max_buf_size(HEAD_BYTES_MAX);
        let hands = client.handshake(TokioIo::new(stream)).await;
        let (mut requests, connection) = hands.map_err(of_line)?;
        // Ends with this request.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let response = requests.send_request(request(ask, authorization)?).await;
        let (head, body) = response.map_err(of_line).map(Response::into_parts)?;
        let is_empty = ask.method == Method::HEAD || head.status == StatusCode::UNAUTHORIZED;
        let body = if is_empty {
            Zeroizing::default()
        } else {
            collect(body, ask.answer_bytes_max).await?
        };
        let status = head.status;
        Ok((head.headers, Answer { status, body }))
    }

    async fn connect(&self, url: &Url) -> Result<TcpStream, CameraFault> {
        // The crate url looks a name up with a call that blocks; tokio does it beside the runtime, and within the deadline.
        let (host, port) = (url.host(), url.port_or_known_default());
        let (Some(host), Some(port)) = (host, port) else {
            return Err(CameraFault::Unreachable);
        };
        let connecting = async {
            match host {
                Host::Domain(name) => TcpStream::connect((name, port)).await,
                Host::Ipv4(address) => TcpStream::connect((address, port)).await,
                Host::Ipv6(address) => TcpStream::connect((address, port)).await,
            }
        };
        match timeout(self.connect_timeout, connecting).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) | Err(_) => Err(CameraFault::Unreachable),
        }
    }
}

fn request(
    ask: &Ask<'_>,
    authorization: Option<HeaderValue>,
) -> Result<Request<Full<Bytes>>, CameraFault> {
    let add = |builder: request::Builder, name, value: Option<HeaderValue>| match value {
        Some(value) => builder.header(name, value),
        None => builder,
    };
    let content_type = ask.content_type.map(HeaderValue::from_str).transpose();
    let content_type = content_type.map_err(|_invalid| CameraFault::Unreadable)?;
    let builder = Request::builder()
        .method(ask.method.clone())
        .uri(&ask.url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &ask.url[Position::BeforeHost..Position::AfterPort])
        .header(CONNECTION, "close");
    let builder = add(builder, CONTENT_TYPE, content_type);
    let builder = add(builder, AUTHORIZATION, authorization);
    let request = builder.body(Full::new(ask.body.clone()));
    request.map_err(|_invalid| CameraFault::Unreadable)
}

/// The body, in one buffer that does not grow, which would leave copies behind.
async fn collect(mut body: Incoming, len_max: usize) -> Result<Zeroizing<Vec<u8>>, CameraFault> {
    let announced = body.size_hint().exact();
    let announced = announced.map(|len| usize::try_from(len).unwrap_or(usize::MAX));
    if announced.is_some_and(|len| len > len_max) {
        return Err(CameraFault::TooLarge);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(len_max)));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_broken| CameraFault::BrokenOff)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        if bytes.len() + data.len() > len_max {
            return Err(CameraFault::TooLarge);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

/// What a failed exchange means.
fn of_line(error: hyper::Error) -> CameraFault {
    if error.is_parse() {
        CameraFault::Unreadable
    } else {
        CameraFault::BrokenOff
    }
}
