//! `[application]`: who accepts applications here, and `application` of a kiosk: the devices of its applications.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use schemas::acceptance::AcceptanceSite;
use schemas::event::application::ApplicationDevices;
use schemas::ids::DeviceId;
use schemas::words::DeviceKind;

use super::check::one_of;
use super::device::Kiosk;
use crate::reader::{At, Section};

/// Who accepts applications here, as acceptance numbers and papers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepting {
    /// The head of every acceptance number: 6 digits of the division, 3 of the station.
    pub site: AcceptanceSite,
    /// The station's name, in Chinese.
    pub name: Words,
    /// Its name, in English.
    pub name_en: Words,
    /// Its address, in Chinese.
    pub address: Words,
    /// When it is open.
    pub hours: Words,
    /// A font for characters of names that the program's own fonts lack; none: only its own.
    pub font: Option<FontFile>,
}

/// A font of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FontFile {
    /// The OpenType file, or a collection of such.
    pub path: PathBuf,
    /// Which font of a collection, from 0.
    pub index: u16,
}

/// A line of words that citizens read: 1 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(String);

impl FromStr for Words {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
            .ok_or("not 1 to 60 characters")
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn read(s: &mut Section<'_>) -> Option<Accepting> {
    let site = s.parsed("site", "\"110105001\"");
    let name = s.parsed("name", "\"示例市公安局朝阳分局自助服务站\"");
    let name_en = s.parsed("name_en", "\"Chaoyang self-service station\"");
    let address = s.parsed("address", "\"示例市朝阳区建国路 1 号\"");
    let hours = s.parsed("hours", "\"每日 00:00-24:00\"");
    let font = font(s);
    Some(Accepting {
        site: site?,
        name: name?,
        name_en: name_en?,
        address: address?,
        hours: hours?,
        font,
    })
}

/// The file is looked at here, so that a wrong path is refused with its line, and not when a citizen waits.
fn font(s: &mut Section<'_>) -> Option<FontFile> {
    let path = s.path("font");
    let index = s.optional_number("font_index", 0..=64);
    let Some(path) = path else {
        if index.is_some() {
            s.refuse("font_index", "is of a font, and none is named; write font = \"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc\" too");
        }
        return None;
    };
    let mut head = [0; 4];
    let read = File::open(&path).and_then(|mut file| file.read_exact(&mut head));
    if let Err(error) = read {
        let path = path.display();
        s.refuse("font", format!("{path} cannot be read ({error}); name a font of this machine, or leave the line out"));
    } else if !FONT_HEADS.contains(&&head) {
        let path = path.display();
        s.refuse(
            "font",
            format!("{path} is no OpenType font; name an .otf, .ttf or .ttc file"),
        );
    }
    Some(FontFile {
        path,
        index: index.unwrap_or_default(),
    })
}

/// How OpenType files begin: with PostScript or with TrueType outlines, and collections.
const FONT_HEADS: [&[u8; 4]; 4] = [b"OTTO", b"\0\x01\0\0", b"true", b"ttcf"];

pub(crate) fn devices(s: &mut Section<'_>) -> Option<ApplicationDevices> {
    let reader = s.parsed("reader", "\"reader-2\"");
    let scanner = s.parsed("scanner", "\"scanner-1\"");
    let camera = s.parsed("camera", "\"camera-1\"");
    let face_matcher = s.parsed("face_matcher", "\"face-matcher-1\"");
    Some(ApplicationDevices {
        reader: reader?,
        scanner: scanner?,
        camera: camera?,
        face_matcher: face_matcher?,
    })
}

/// The devices with what they have to be.
pub(crate) fn kinds(devices: &ApplicationDevices) -> [(&'static str, &DeviceId, DeviceKind); 4] {
    let ApplicationDevices {
        reader,
        scanner,
        camera,
        face_matcher,
    } = devices;
    [
        ("reader", reader, DeviceKind::Reader),
        ("scanner", scanner, DeviceKind::Scanner),
        ("camera", camera, DeviceKind::Camera),
        ("face_matcher", face_matcher, DeviceKind::FaceMatcher),
    ]
}

/// Each device is what its place asks for, and it is known who accepts.
pub(crate) fn check(
    root: &Section<'_>,
    kiosks: &[At<'_, Kiosk>],
    known: &BTreeMap<DeviceId, DeviceKind>,
) {
    for kiosk in kiosks {
        let Some(devices) = &kiosk.value.application else {
            continue;
        };
        let span = kiosk.span("application");
        if !root.has("application") {
            root.refuse_at(
                &span,
                "kiosk.application: it is not said who accepts; write [application] with site, name, name_en, address and hours",
            );
        }
        for (key, device, kind) in kinds(devices) {
            if known.get(device) == Some(&kind) {
                continue;
            }
            let fitting = known.iter().filter(|(_, other)| **other == kind);
            let fitting = one_of(fitting.map(|(id, _)| id.as_str()));
            root.refuse_at(
                &span,
                format!("kiosk.application.{key}: {device} is none; write {fitting}"),
            );
        }
    }
}
