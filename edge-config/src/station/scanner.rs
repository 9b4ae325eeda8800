//! Fingerprint scanners that an adapter brings to MQTT.

use core::fmt;
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use schemas::ids::DeviceId;
use schemas::words::DeviceKind;

use super::line::LineAddress;
use crate::reader::{At, Section};

/// A fingerprint scanner with a ZFM module (ZFM, R30x, AS608).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZfmScanner {
    /// The scanner of a machine.
    pub device: DeviceId,
    /// Where it is. With simulated devices: where the simulated one listens.
    pub address: LineAddress,
    /// Speed of the serial line, in bit/s.
    pub baud: u32,
    /// The module's password.
    pub password: ScannerPassword,
    /// Whether the module has a light that can be told to shine.
    pub light: ScannerLight,
    /// What compares its images with the templates of cards; none: nothing, so no citizen is verified by it.
    pub matcher: Option<MatcherUrl>,
    /// Who says how good the image of a finger is (A9).
    pub quality: FingerQuality,
    /// Pause between two looks for a finger, in ms.
    pub poll_ms: u32,
    /// How long a connection attempt may take, in ms.
    pub connect_timeout_ms: u32,
    /// How long one instruction may take, in ms.
    pub request_timeout_ms: u32,
    /// How long the transfer of an image may take, in ms.
    pub upload_timeout_ms: u32,
    /// How long a comparison may take, in ms.
    pub matcher_timeout_ms: u32,
}

/// The light of a scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScannerLight {
    /// None, or one that shines by itself.
    None,
    /// A ring in several colours.
    Ring,
}

/// Who says how good the image of a finger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FingerQuality {
    /// The adapter, by what the image shows at a glance: how much of a finger, and how clearly.
    Measured,
    /// The matcher.
    Matcher,
}

const QUALITIES: &[(&str, FingerQuality)] = &[
    ("measured", FingerQuality::Measured),
    ("matcher", FingerQuality::Matcher),
];

const LIGHTS: &[(&str, ScannerLight)] =
    &[("none", ScannerLight::None), ("ring", ScannerLight::Ring)];

/// The password of a module: 8 hexadecimal digits. It does not print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ScannerPassword(u32);

impl ScannerPassword {
    /// That of a module as it leaves the factory.
    pub const FACTORY: Self = Self(0);

    /// As the module takes it.
    pub const fn expose(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for ScannerPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScannerPassword(hidden)")
    }
}

impl FromStr for ScannerPassword {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_one.then(|| u32::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or("not 8 hexadecimal digits")
    }
}

/// Where a matcher listens: plain HTTP, so on this machine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatcherUrl(pub SocketAddr);

impl FromStr for MatcherUrl {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.strip_prefix("http://").and_then(|rest| {
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            rest.parse::<SocketAddr>().ok()
        });
        match address {
            Some(address) if address.port() == 0 => Err("there is no port 0 to connect to"),
            Some(address) if address.ip().is_loopback() => Ok(Self(address)),
            Some(_) => Err("fingerprints and faces do not leave this machine in the clear"),
            None => Err("not http:// with an IP address and a port"),
        }
    }
}

pub(crate) fn read(s: &mut Section<'_>) -> Option<ZfmScanner> {
    let device = s.parsed("device", "\"scanner-1\"");
    let address = s.parsed("address", "\"tcp://127.0.0.1:5023\"");
    let baud = s.optional_number("baud", 9_600..=115_200);
    if baud.is_some_and(|baud: u32| !baud.is_multiple_of(9_600)) {
        s.refuse(
            "baud",
            "is no speed of a ZFM module; write 57600 or another multiple of 9600",
        );
    }
    if baud.is_some() && matches!(address, Some(LineAddress::Tcp(_))) {
        s.refuse(
            "baud",
            "is set at the serial-over-TCP adapter; leave the line out",
        );
    }
    let password = s.optional("password", "\"00000000\"");
    let light = s.word("light", LIGHTS, ScannerLight::None);
    let matcher = s.optional("matcher", "\"http://127.0.0.1:5024\"");
    let quality = s.word("quality", QUALITIES, FingerQuality::Measured);
    if quality == FingerQuality::Matcher && !s.has("matcher") {
        s.refuse(
            "quality",
            "there is no matcher to ask; write matcher = \"http://127.0.0.1:5024\" too, or quality = \"measured\"",
        );
    }
    let poll_ms = s.number("poll_ms", 20..=10_000, 100);
    let connect_timeout_ms = s.number("connect_timeout_ms", 100..=60_000, 2_000);
    let request_timeout_ms = s.number("request_timeout_ms", 100..=60_000, 1_000);
    let upload_timeout_ms = s.number("upload_timeout_ms", 1_000..=120_000, 15_000);
    let matcher_timeout_ms = s.number("matcher_timeout_ms", 100..=60_000, 5_000);
    Some(ZfmScanner {
        device: device?,
        address: address?,
        baud: baud.unwrap_or(57_600),
        password: password.unwrap_or(ScannerPassword::FACTORY),
        light,
        matcher,
        quality,
        poll_ms,
        connect_timeout_ms,
        request_timeout_ms,
        upload_timeout_ms,
        matcher_timeout_ms,
    })
}

/// What holds between scanners and machines.
pub(crate) fn check(
    root: &Section<'_>,
    placed: &BTreeMap<&DeviceId, DeviceKind>,
    scanners: &[At<'_, ZfmScanner>],
    simulated: bool,
) {
    let known: BTreeSet<&str> = placed
        .iter()
        .filter(|(_, kind)| **kind == DeviceKind::Scanner)
        .map(|(id, _)| id.as_str())
        .collect();
    let (mut driven, mut places) = (BTreeSet::new(), BTreeSet::new());
    for scanner in scanners {
        let named = scanner.value.device.as_str();
        let address = &scanner.value.address;
        let refuse = |key, what: String| {
            root.refuse_at(&scanner.span(key), format!("zfm_scanner.{key}: {what}"));
        };
        if !known.contains(named) {
            let known = super::check::one_of(known.iter().copied());
            refuse(
                "device",
                format!("no machine and no kiosk has the scanner {named}; write {known}"),
            );
        }
        if !driven.insert(named) {
            refuse(
                "device",
                format!("{named} is there twice; write each scanner once"),
            );
        }
        if !places.insert(address) {
            refuse(
                "address",
                "is that of another scanner; write each address once".to_owned(),
            );
        }
        if simulated && !matches!(address, LineAddress::Tcp(at) if at.ip().is_loopback()) {
            refuse("address", "a simulated scanner listens on loopback; write \"tcp://127.0.0.1:5023\", or simulated_devices = false under [demo]".to_owned());
        }
    }
}
