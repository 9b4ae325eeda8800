//! Cameras that an adapter brings to MQTT.

use core::fmt;
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use schemas::ids::{DeviceId, RecorderReference};
use schemas::words::DeviceKind;
use url::{Host, Url};

use crate::reader::{At, Section};

/// Longest name of a user or of a profile, in bytes.
const NAME_LEN_MAX: usize = 64;

/// A camera of the network: one that speaks ONVIF, or one that only has a still behind a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnvifCamera {
    /// The camera of a machine.
    pub device: DeviceId,
    /// Its ONVIF device service; none: it has none. With simulated devices: where the simulated one listens.
    pub url: Option<CameraUrl>,
    /// Where its still lies, whatever it says over ONVIF. One of the two is there.
    pub snapshot: Option<CameraUrl>,
    /// Token or name of its media profile; none: the first.
    pub profile: Option<CameraName>,
    /// Whom it knows; none: it asks nobody. With simulated devices: the simulated one makes somebody up.
    pub login: Option<CameraLogin>,
    /// Whether the password may go over the line in the clear.
    pub allow_basic: bool,
    /// What the recorder calls its footage, for the log (A14).
    pub recorder: Option<RecorderReference>,
    /// Pause between two heartbeats, in ms.
    pub heartbeat_ms: u32,
    /// How long a connection attempt may take, in ms.
    pub connect_timeout_ms: u32,
    /// How long one request may take, the transfer of the still included, in ms.
    pub request_timeout_ms: u32,
}

/// Whom a camera knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraLogin {
    /// The user.
    pub user: CameraName,
    /// The file with the password, of mode 0600.
    pub password_file: PathBuf,
}

/// What a camera calls a user or a profile: 1 to 64 bytes, nothing that does not print. Users hold no colon (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraName(String);

impl FromStr for CameraName {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=NAME_LEN_MAX).contains(&text.len());
        if !fits || text.chars().any(char::is_control) {
            return Err("not 1 to 64 printable characters");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CameraName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a camera is reached: plain HTTP, without a user in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CameraUrl(Url);

impl CameraUrl {
    /// As a URL.
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// The address in it; none: a name.
    pub fn address(&self) -> Option<SocketAddr> {
        let ip = match self.0.host()? {
            Host::Ipv4(ip) => IpAddr::V4(ip),
            Host::Ipv6(ip) => IpAddr::V6(ip),
            Host::Domain(_) => return None,
        };
        Some(SocketAddr::new(ip, self.0.port_or_known_default()?))
    }
}

impl FromStr for CameraUrl {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_no_url| "not a URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "holds a user, and this file is not for passwords: they stand under user and password_file",
            );
        }
        match url.scheme() {
            "http" if url.port() == Some(0) => Err("there is no port 0 to connect to"),
            "http" if url.fragment().is_some() => Err("a fragment is not sent to a camera"),
            "http" => Ok(Self(url)),
            _ => Err("cameras are reached over http://"),
        }
    }
}

pub(crate) fn read(s: &mut Section<'_>) -> Option<OnvifCamera> {
    let device = s.parsed("device", "\"camera-1\"");
    let url = s.optional("url", "\"http://10.20.0.41/onvif/device_service\"");
    let snapshot = s.optional("snapshot", "\"http://10.20.0.41/snap.jpg\"");
    if !s.has("url") && !s.has("snapshot") {
        s.refuse("url", "is missing; write for example url = \"http://10.20.0.41/onvif/device_service\", or snapshot = \"http://10.20.0.41/snap.jpg\" for a camera without ONVIF");
    }
    let profile = s.optional("profile", "\"mainStream\"");
    if profile.is_some() && !s.has("url") {
        s.refuse(
            "profile",
            "is asked for over ONVIF; write url, or leave the line out",
        );
    }
    let login = login(s);
    let allow_basic = s.flag("allow_basic", false);
    let recorder = s.optional("recorder", "\"nvr-1/channel-3\"");
    let heartbeat_ms = s.number("heartbeat_ms", 500..=60_000, 2_000);
    let connect_timeout_ms = s.number("connect_timeout_ms", 100..=60_000, 2_000);
    let request_timeout_ms = s.number("request_timeout_ms", 100..=60_000, 5_000);
    Some(OnvifCamera {
        device: device?,
        url,
        snapshot,
        profile,
        login,
        allow_basic,
        recorder,
        heartbeat_ms,
        connect_timeout_ms,
        request_timeout_ms,
    })
}

/// User and password go together.
fn login(s: &mut Section<'_>) -> Option<CameraLogin> {
    let user: Option<CameraName> = s.optional("user", "\"station\"");
    let password_file = s.path("password_file");
    s.asked("password");
    if s.has("password") {
        s.refuse("password", "this file is not for passwords; put it into a file of mode 0600 and write password_file = \"camera-1.password\"");
    }
    if user.as_ref().is_some_and(|user| user.0.contains(':')) {
        s.refuse(
            "user",
            "holds a colon, which ends a user's name; write another user",
        );
    }
    match (s.has("user"), s.has("password_file")) {
        (true, false) => s.refuse(
            "user",
            "stands without its password; write password_file = \"camera-1.password\" too",
        ),
        (false, true) => s.refuse(
            "password_file",
            "stands without its user; write user = \"station\" too",
        ),
        (true, true) | (false, false) => {}
    }
    Some(CameraLogin {
        user: user?,
        password_file: password_file?,
    })
}

/// What holds between cameras and machines.
pub(crate) fn check(
    root: &Section<'_>,
    placed: &BTreeMap<&DeviceId, DeviceKind>,
    cameras: &[At<'_, OnvifCamera>],
    simulated: bool,
) {
    let known: BTreeSet<&str> = placed
        .iter()
        .filter(|(_, kind)| **kind == DeviceKind::Camera)
        .map(|(id, _)| id.as_str())
        .collect();
    let (mut driven, mut places) = (BTreeSet::new(), BTreeSet::new());
    for camera in cameras {
        let named = camera.value.device.as_str();
        let refuse = |key, what: String| {
            root.refuse_at(&camera.span(key), format!("onvif_camera.{key}: {what}"));
        };
        if !known.contains(named) {
            let known = super::check::one_of(known.iter().copied());
            refuse(
                "device",
                format!("no machine and no kiosk has the camera {named}; write {known}"),
            );
        }
        if !driven.insert(named) {
            refuse(
                "device",
                format!("{named} is there twice; write each camera once"),
            );
        }
        let (url, snapshot) = (&camera.value.url, &camera.value.snapshot);
        for (key, place) in [("url", url), ("snapshot", snapshot)] {
            if place.as_ref().is_some_and(|place| !places.insert(place)) {
                refuse(
                    key,
                    "is that of another camera; write each camera's own".to_owned(),
                );
            }
        }
        let is_here = |url: &CameraUrl| url.address().is_some_and(|at| at.ip().is_loopback());
        if simulated && !url.as_ref().is_some_and(is_here) {
            refuse("url", "a simulated camera listens on loopback; write \"http://127.0.0.1:5025/onvif/device_service\", or simulated_devices = false under [demo]".to_owned());
        }
    }
}
