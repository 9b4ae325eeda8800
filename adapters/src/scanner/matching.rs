//! The client of a matcher service: one connection a question, plain HTTP. Specified in `ops/docs/matcher.md`.

use std::time::Duration;

use base64::encoded_len;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use schemas::matcher::{HEALTH_PATH, VERIFY_PATH, VerifyAnswer, VerifyRequest};
use schemas::words::Completion;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::MatcherConfig;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 4096;
/// Room for all of a request but its base64.
const FRAME_BYTES: usize = 512;

/// Why a matcher gave no answer. Says nothing of what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum MatcherFault {
    /// Nobody listens, or the connection broke.
    #[error("the matcher is away")]
    Away,
    /// No answer within the limit.
    #[error("the matcher does not answer in time")]
    Slow,
    /// What came is no answer of the specification.
    #[error("the matcher's answer is none of the specification")]
    Answer,
}

impl MatcherFault {
    /// What a scanner's status says of it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Away => "matcher-away",
            Self::Slow => "matcher-slow",
            Self::Answer => "matcher-answer",
        }
    }

    /// What a command ends with. A slow matcher is not told as a time-out: that would say that no finger came.
    pub(super) const fn completion(self) -> Completion {
        match self {
            Self::Away => Completion::DeviceNotReady,
            Self::Slow | Self::Answer => Completion::HardwareError,
        }
    }
}

/// A matcher.
#[derive(Debug)]
pub(super) struct Matcher {
    config: MatcherConfig,
}

impl Matcher {
    pub(super) const fn new(config: MatcherConfig) -> Self {
        Self { config }
    }

    /// Pause between two questions whether it is ready.
    pub(super) const fn probe_pause(&self) -> Duration {
        Duration::from_millis(self.config.probe_ms)
    }

    /// Whether it is ready.
    pub(super) async fn probe(&self) -> Result<(), MatcherFault> {
        self.call(Method::GET, HEALTH_PATH, Bytes::new())
            .await
            .map(drop)
    }

    /// Compares.
    pub(super) async fn verify(
        &self,
        request: &VerifyRequest,
    ) -> Result<VerifyAnswer, MatcherFault> {
        let body = encode(request).ok_or(MatcherFault::Answer)?;
        let answer = self.call(Method::POST, VERIFY_PATH, body).await?;
        serde_json::from_slice(&answer).map_err(|_unreadable| MatcherFault::Answer)
    }

    async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, MatcherFault> {
        let limit = Duration::from_millis(self.config.timeout_ms);
        let answered = timeout(limit, self.exchange(method, path, body)).await;
        answered.unwrap_or(Err(MatcherFault::Slow))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, MatcherFault> {
        let away = |_broken| MatcherFault::Away;
        let (host, port) = (self.config.host.as_str(), self.config.port);
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|_refused| MatcherFault::Away)?;
        let (mut requests, connection) = handshake(TokioIo::new(stream)).await.map_err(away)?;
        // Ends with this question.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("{host}:{port}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_invalid| MatcherFault::Away)?;
        let response = requests.send_request(request).await.map_err(|error| {
            if error.is_parse() {
                MatcherFault::Answer
            } else {
                MatcherFault::Away
            }
        })?;
        if response.status() != StatusCode::OK {
            return Err(MatcherFault::Answer);
        }
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let collected = body.collect().await;
        Ok(collected
            .map_err(|_broken| MatcherFault::Answer)?
            .to_bytes())
    }
}

/// The request as JSON in a buffer that is wiped and does not grow, which would leave a copy behind.
fn encode(request: &VerifyRequest) -> Option<Bytes> {
    let mut body = Zeroizing::new(Vec::with_capacity(room_for(request)));
    serde_json::to_writer(&mut *body, request).ok()?;
    Some(Bytes::from_owner(body))
}

/// Bytes that its JSON takes at the most.
fn room_for(request: &VerifyRequest) -> usize {
    let pixels = request.image.pixels.expose().len();
    let templates = request.templates.iter().map(|one| one.expose().len());
    let base64: usize = core::iter::once(pixels)
        .chain(templates)
        .filter_map(|len| encoded_len(len, true))
        .sum();
    base64 + FRAME_BYTES
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use schemas::matcher::{Bits, Image, Pixels};
    use schemas::message::Template;

    /// G7: the buffer of a request is as large as the request, whatever is in it.
    #[test]
    fn g7_a_request_fits_its_buffer() {
        for (pixels, template) in [(1, 1), (36_864, 512), (262_144, 1_024)] {
            let template = Template::new(vec![7; template]).unwrap();
            let request = VerifyRequest {
                image: Image {
                    width: u16::MAX,
                    height: u16::MAX,
                    bits: Bits::Eight,
                    pixels: Pixels::new(vec![7; pixels]).unwrap(),
                },
                templates: vec![template.clone(), template],
            };
            let written = encode(&request).unwrap();
            assert!(written.len() <= room_for(&request), "{}", written.len());
            let read: VerifyRequest = serde_json::from_slice(&written).unwrap();
            assert_eq!(read, request);
        }
    }
}
