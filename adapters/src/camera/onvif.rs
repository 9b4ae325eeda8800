//! The ONVIF side of a camera (Profiles S and T): its clock, its profiles, and where a profile's still lies. SOAP is `oxvif`'s; the
//! way to the camera is ours, so that what comes is bounded and no password goes to a host that the camera names.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::Method;
use oxvif::soap::SoapError;
use oxvif::transport::{Transport, TransportError};
use oxvif::types::{DeviceInfo, MediaProfile};
use oxvif::{OnvifClient, OnvifError};
use url::Url;

use super::http::{Ask, Http};
use super::place::reached_at;
use super::{CameraFault, Credentials};

/// Longest answer of SOAP that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The namespace of the media service, version 1.
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";

/// What a camera says of itself.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Where its still lies.
    pub(super) still: Url,
    /// Whether that is so for one request only.
    pub(super) is_for_once: bool,
    /// Seconds that its clock is ahead of the station's; none where it does not say the time.
    pub(super) clock_ahead_s: Option<i64>,
    /// Maker, model and firmware.
    pub(super) device: Option<DeviceInfo>,
}

/// A camera's ONVIF services.
pub(super) struct Onvif {
    place: Url,
    credentials: Option<Credentials>,
    way: Arc<Way>,
}

impl core::fmt::Debug for Onvif {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Onvif")
            .field("place", &self.place.as_str())
            .finish_non_exhaustive()
    }
}

impl Onvif {
    pub(super) fn new(place: Url, credentials: Option<Credentials>, http: Arc<Http>) -> Self {
        let way = Way {
            place: place.clone(),
            http,
            fault: Mutex::new(None),
        };
        Self {
            place,
            credentials,
            way: Arc::new(way),
        }
    }

    /// Seconds that the camera's clock is ahead. It is asked without a token: one made by the wrong clock is refused. `None`: it
    /// does not say the time, or not to everybody, against the specification.
    pub(super) async fn clock_ahead_s(&self) -> Result<Option<i64>, CameraFault> {
        let asked = self.client().get_system_date_and_time().await;
        match asked.map_err(|error| self.fault(error)) {
            Ok(said) => Ok(said.utc_unix.map(|theirs| theirs.saturating_sub(now_s()))),
            Err(CameraFault::Refused | CameraFault::SoapFault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Asks for everything that a still needs, in the order of the specification.
    pub(super) async fn find(&self, profile: Option<&str>) -> Result<Found, CameraFault> {
        let clock_ahead_s = self.clock_ahead_s().await?;
        let client = self.signing(clock_ahead_s.unwrap_or(0));
        let media = self.media(&client).await?;
        let profiles = client.get_profiles(&media).await;
        let profiles = profiles.map_err(|error| self.fault(error))?;
        let wanted = wanted(&profiles, profile).ok_or(CameraFault::NoProfile)?;
        let still = client.get_snapshot_uri(&media, &wanted.token).await;
        let still = still.map_err(|error| self.fault(error))?;
        let at = reached_at(&self.place, &still.uri).ok_or(CameraFault::NoProfile)?;
        // What it is called is not worth its failing.
        let device = client.get_device_info().await.ok();
        Ok(Found {
            still: at,
            is_for_once: still.invalid_after_connect,
            clock_ahead_s,
            device,
        })
    }

    /// Where the media service is.
    async fn media(&self, client: &OnvifClient) -> Result<String, CameraFault> {
        if let Ok(capabilities) = client.get_capabilities().await
            && let Some(media) = capabilities.media.url
        {
            return Ok(media);
        }
        let services = client.get_services().await;
        let services = services.map_err(|error| self.fault(error))?;
        let media = services.into_iter().find(|one| one.namespace == MEDIA);
        media.map(|media| media.url).ok_or(CameraFault::NoProfile)
    }

    fn client(&self) -> OnvifClient {
        let way = Arc::clone(&self.way);
        OnvifClient::new(self.place.as_str()).with_transport(way)
    }

    /// A client that signs by the camera's clock.
    fn signing(&self, ahead_s: i64) -> OnvifClient {
        let client = self.client();
        match &self.credentials {
            Some(credentials) => client
                .with_credentials(credentials.user(), credentials.expose())
                .with_utc_offset(ahead_s),
            None => client,
        }
    }

    fn fault(&self, error: OnvifError) -> CameraFault {
        let said = self
            .way
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match error {
            OnvifError::Transport(_) => said.unwrap_or(CameraFault::Unreadable),
            OnvifError::Soap(SoapError::Fault { code, subcode, .. }) => {
                let codes = [Some(code), subcode];
                let is = |word| codes.iter().flatten().any(|code| code.ends_with(word));
                if is("NotAuthorized") || is("FailedAuthentication") || is("FailedCheck") {
                    CameraFault::Refused
                } else if is("NoProfile") {
                    CameraFault::NoProfile
                } else {
                    CameraFault::SoapFault
                }
            }
            OnvifError::Soap(_) | OnvifError::InvalidArgument(_) => CameraFault::Unreadable,
        }
    }
}

/// The profile of this token or name; without one the first.
fn wanted<'a>(profiles: &'a [MediaProfile], profile: Option<&str>) -> Option<&'a MediaProfile> {
    match profile {
        None => profiles.first(),
        Some(wanted) => {
            let by_token = profiles.iter().find(|profile| profile.token == wanted);
            by_token.or_else(|| profiles.iter().find(|profile| profile.name == wanted))
        }
    }
}

fn now_s() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}

/// How SOAP gets to the camera.
struct Way {
    place: Url,
    http: Arc<Http>,
    /// Why the last request failed: `oxvif` has no words of its own for it.
    fault: Mutex<Option<CameraFault>>,
}

impl Way {
    async fn post(&self, url: &str, action: &str, body: String) -> Result<String, CameraFault> {
        let url = reached_at(&self.place, url).ok_or(CameraFault::Unreadable)?;
        let content_type = format!("application/soap+xml; charset=utf-8; action=\"{action}\"");
        let ask = Ask {
            method: Method::POST,
            url: &url,
            content_type: Some(&content_type),
            body: Bytes::from(body),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.http.send(&ask).await?;
        // A SOAP fault comes with 400 or 500.
        if !matches!(answer.status.as_u16(), 200 | 400 | 500) {
            return Err(CameraFault::Status(answer.status.as_u16()));
        }
        let text = core::str::from_utf8(&answer.body);
        text.map(str::to_owned)
            .map_err(|_not_utf8| CameraFault::Unreadable)
    }
}

#[async_trait]
impl Transport for Way {
    async fn soap_post(
        &self,
        url: &str,
        action: &str,
        body: String,
    ) -> Result<String, TransportError> {
        self.post(url, action, body).await.map_err(|fault| {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            TransportError::HttpStatus {
                status: 0,
                body: String::new(),
            }
        })
    }
}
