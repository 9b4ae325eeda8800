//! The line to the camera: found when it is needed, tried again after a pause that grows, and what of its last still is remembered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::{Method, StatusCode};
use oxvif::types::DeviceInfo;
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::http::{Ask, Http};
use super::jpeg;
use super::onvif::{Found, Onvif};
use super::{CameraConfig, CameraFault, Source};

/// A JPEG, checked. Its bytes are wiped.
pub(super) type Still = Zeroizing<Vec<u8>>;

/// What finding a camera has brought.
#[derive(Debug, Default)]
pub(super) struct Introduced {
    pub(super) clock_ahead_s: Option<i64>,
    pub(super) device: Option<DeviceInfo>,
}

/// A line to a camera.
#[derive(Debug)]
pub(super) struct Line {
    config: CameraConfig,
    http: Arc<Http>,
    onvif: Option<Onvif>,
    /// Where its stills lie, once that is known.
    place: Option<Place>,
    pause_ms: u64,
    not_before: Instant,
    /// SHA-256 of the last still: the same bytes again are no new picture.
    last: Option<[u8; 32]>,
}

#[derive(Debug, Clone)]
struct Place {
    still: Url,
    is_for_once: bool,
}

impl Line {
    pub(super) fn new(config: CameraConfig) -> Self {
        let http = Arc::new(Http::new(&config));
        let onvif = match &config.source {
            Source::Onvif { url, .. } => Some(Onvif::new(
                url.clone(),
                config.credentials.clone(),
                Arc::clone(&http),
            )),
            Source::Still(_) => None,
        };
        Self {
            pause_ms: config.backoff_ms_min,
            config,
            http,
            onvif,
            place: None,
            not_before: Instant::now(),
            last: None,
        }
    }

    /// When the next attempt to find it may be; none: it is found.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.place.is_none().then_some(self.not_before)
    }

    /// Finds the camera if it is not found yet, and then says what it said of itself.
    pub(super) async fn ready(&mut self) -> Result<Option<Introduced>, CameraFault> {
        if self.place.is_some() {
            return Ok(None);
        }
        let introduced = self.find().await?;
        self.pause_ms = self.config.backoff_ms_min;
        Ok(Some(introduced))
    }

    async fn find(&mut self) -> Result<Introduced, CameraFault> {
        let (place, introduced) = match (&self.onvif, &self.config.source) {
            (Some(onvif), Source::Onvif { profile, still, .. }) => {
                let found = onvif.find(profile.as_deref()).await?;
                let Found {
                    clock_ahead_s,
                    device,
                    ..
                } = found;
                let place = Place {
                    // What the operator wrote goes before what the camera says.
                    still: still.clone().unwrap_or(found.still),
                    is_for_once: found.is_for_once && still.is_none(),
                };
                let introduced = Introduced {
                    clock_ahead_s,
                    device,
                };
                (place, introduced)
            }
            (_, Source::Still(url) | Source::Onvif { url, .. }) => {
                let place = Place {
                    still: url.clone(),
                    is_for_once: false,
                };
                (place, Introduced::default())
            }
        };
        self.place = Some(place);
        Ok(introduced)
    }

    /// Asks whether it is there. Where it says the time, how far its clock is ahead, in s.
    pub(super) async fn beat(&self) -> Result<Option<i64>, CameraFault> {
        if let Some(onvif) = &self.onvif {
            return onvif.clock_ahead_s().await;
        }
        let place = self.place.as_ref().ok_or(CameraFault::Unreachable)?;
        let answer = self.ask(Method::HEAD, &place.still).await?;
        match answer.status {
            // Some know GET only; they are there.
            status if status.is_success() => Ok(None),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Ok(None),
            status => Err(of_status(status)),
        }
    }

    /// Takes a still: a whole JPEG within the limit, and another one than the last.
    pub(super) async fn still(&mut self) -> Result<Still, CameraFault> {
        let place = self.place.clone().ok_or(CameraFault::Unreachable)?;
        if place.is_for_once {
            self.place = None;
        }
        let answer = self.ask(Method::GET, &place.still).await?;
        if answer.status != StatusCode::OK {
            return Err(of_status(answer.status));
        }
        let mut still = answer.body;
        let jpeg = jpeg::inspect(&still).ok_or(CameraFault::NotPicture)?;
        // What a maker hangs on behind the picture is not archived.
        still.truncate(jpeg.len);
        let hash = Sha256::digest(still.as_slice()).into();
        if self.last.replace(hash) == Some(hash) {
            return Err(CameraFault::SamePicture);
        }
        Ok(still)
    }

    async fn ask(&self, method: Method, url: &Url) -> Result<super::http::Answer, CameraFault> {
        let ask = Ask {
            method,
            url,
            content_type: None,
            body: Bytes::new(),
            answer_bytes_max: self.config.still_bytes_max,
        };
        self.http.send(&ask).await
    }

    /// It is found anew, after a pause; after a lasting fault the longest one.
    pub(super) fn close(&mut self, fault: CameraFault) {
        self.place = None;
        let pause_ms = if fault.is_lasting() {
            self.config.lasting_pause_ms
        } else {
            self.pause_ms / 2 + fastrand::u64(0..=self.pause_ms / 2)
        };
        self.not_before = Instant::now() + Duration::from_millis(pause_ms);
        self.pause_ms = (self.pause_ms * 2).min(self.config.backoff_ms_max);
    }
}

fn of_status(status: StatusCode) -> CameraFault {
    match status {
        StatusCode::FORBIDDEN => CameraFault::Refused,
        other => CameraFault::Status(other.as_u16()),
    }
}
