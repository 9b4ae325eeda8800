//! Services that compare faces, each brought to MQTT by an adapter (A7).

use std::collections::BTreeSet;

use schemas::ids::DeviceId;

use super::device::{Kiosk, Machine};
use super::installed::by_place;
use super::scanner::{MatcherUrl, ZfmScanner};
use crate::reader::{At, Section};

/// A service that compares faces (`ops/docs/face-matcher.md`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceMatcher {
    /// The device that it is at the station.
    pub device: DeviceId,
    /// Where it is. With simulated devices: where the simulated one listens.
    pub url: MatcherUrl,
    /// How long a comparison may take, in ms.
    pub timeout_ms: u32,
}

pub(crate) fn read(s: &mut Section<'_>) -> Option<FaceMatcher> {
    let device = s.parsed("device", "\"face-matcher-1\"");
    let url = s.parsed("url", "\"http://127.0.0.1:5026\"");
    let timeout_ms = s.number("timeout_ms", 100..=60_000, 5_000);
    Some(FaceMatcher {
        device: device?,
        url: url?,
        timeout_ms,
    })
}

/// What holds between these services and the other devices.
pub(crate) fn check(
    root: &Section<'_>,
    machines: &[At<'_, Machine>],
    kiosks: &[At<'_, Kiosk>],
    scanners: &[At<'_, ZfmScanner>],
    matchers: &[At<'_, FaceMatcher>],
) {
    let placed = by_place(
        machines.iter().map(|at| &at.value),
        kiosks.iter().map(|at| &at.value),
    );
    let of_fingers: BTreeSet<_> = scanners.iter().filter_map(|s| s.value.matcher).collect();
    let (mut driven, mut places) = (BTreeSet::new(), BTreeSet::new());
    for matcher in matchers {
        let FaceMatcher { device, url, .. } = &matcher.value;
        let refuse = |key, what: String| {
            root.refuse_at(&matcher.span(key), format!("face_matcher.{key}: {what}"));
        };
        if placed.contains_key(device) {
            refuse(
                "device",
                format!("{device} is a device of a machine or a kiosk already; write another id"),
            );
        }
        if !driven.insert(device) {
            refuse(
                "device",
                format!("{device} is there twice; write each face matcher once"),
            );
        }
        if of_fingers.contains(url) {
            refuse(
                "url",
                "is that of what compares fingers; write another port".to_owned(),
            );
        }
        if !places.insert(url) {
            refuse(
                "url",
                "is that of another face matcher; write each url once".to_owned(),
            );
        }
    }
}
