//! The client of a matcher service, of fingers or of faces: one connection a question, plain HTTP, JSON. Specified in
//! `ops/docs/matcher.md` and `ops/docs/face-matcher.md`.

use std::time::Duration;

use base64::encoded_len;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use schemas::matcher::HEALTH_PATH;
use schemas::words::Completion;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 4096;
/// Room for all of a question but its base64.
const FRAME_BYTES: usize = 512;

/// Where a matcher listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatcherConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Longest a comparison may take, in ms.
    pub timeout_ms: u64,
    /// Pause between two questions whether it is ready, in ms.
    pub probe_ms: u64,
}

impl MatcherConfig {
    /// One that is asked every 5 s whether it is ready.
    pub const fn new(host: String, port: u16, timeout_ms: u64) -> Self {
        Self {
            host,
            port,
            timeout_ms,
            probe_ms: 5_000,
        }
    }
}

/// Why a matcher gave no answer. Says nothing of what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum MatcherFault {
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
    /// What a device's status says of it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Away => "matcher-away",
            Self::Slow => "matcher-slow",
            Self::Answer => "matcher-answer",
        }
    }

    /// What a command ends with. A slow matcher is not told as a time-out: that would say that nobody came.
    pub(crate) const fn completion(self) -> Completion {
        match self {
            Self::Away => Completion::DeviceNotReady,
            Self::Slow | Self::Answer => Completion::HardwareError,
        }
    }
}

/// A question to a matcher.
pub(crate) trait Question: Serialize {
    /// Lengths of what is in it as base64, in bytes.
    fn binary_lens(&self) -> impl Iterator<Item = usize>;
}

/// A matcher.
#[derive(Debug)]
pub(crate) struct Matcher {
    config: MatcherConfig,
}

impl Matcher {
    pub(crate) const fn new(config: MatcherConfig) -> Self {
        Self { config }
    }

    /// Pause between two questions whether it is ready.
    pub(crate) const fn probe_pause(&self) -> Duration {
        Duration::from_millis(self.config.probe_ms)
    }

    /// Whether it is ready.
    pub(crate) async fn probe(&self) -> Result<(), MatcherFault> {
        self.call(Method::GET, HEALTH_PATH, Bytes::new())
            .await
            .map(drop)
    }

    /// Asks at `path`.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Question,
    ) -> Result<A, MatcherFault> {
        let body = encode(question).ok_or(MatcherFault::Answer)?;
        let answer = self.call(Method::POST, path, body).await?;
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

/// The question as JSON in a buffer that is wiped and does not grow, which would leave a copy behind.
fn encode(question: &impl Question) -> Option<Bytes> {
    let mut body = Zeroizing::new(Vec::with_capacity(room_for(question)));
    serde_json::to_writer(&mut *body, question).ok()?;
    Some(Bytes::from_owner(body))
}

/// Bytes that its JSON takes at the most.
fn room_for(question: &impl Question) -> usize {
    let lens = question.binary_lens();
    let base64: usize = lens.filter_map(|len| encoded_len(len, true)).sum();
    base64 + FRAME_BYTES
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Question, encode, room_for};

    /// G7: the buffer of a question is as large as the question, whatever is in it. Returns what was written.
    pub(crate) fn fits(question: &impl Question) -> bytes::Bytes {
        let written = encode(question).unwrap_or_default();
        assert!(!written.is_empty() && written.len() <= room_for(question));
        written
    }
}
