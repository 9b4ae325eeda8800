//! The camera: an ONVIF device with a still behind HTTP Digest, as real ones are. Where a station shall have a camera that speaks
//! MQTT itself, it does that.

mod clock;
mod drawing;
mod gate;
pub(crate) mod mqtt;
mod server;
mod soap;
mod start;

pub use drawing::{MARK, draw};
pub use gate::Offer;
pub use server::{CameraOptions, NetworkCamera, SERVICE_PATH, STILL_PATH};
pub(crate) use start::start;
pub use start::{CameraLogin, CameraProtocol};

use serde::{Deserialize, Serialize};

/// A fault of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraFault {
    /// Its clock is three hours ahead, until it is repaired.
    ClockApart,
    /// It takes another password, until it is repaired.
    WrongPassword,
    /// Its URIs name a host behind address translation, until it is repaired.
    Translated,
    /// It has no media profile, until it is repaired.
    NoProfile,
    /// It answers SOAP with a fault.
    SoapFault,
    /// Its still is a page of HTML.
    NotAPicture,
    /// Its still ends in the middle, and the answer says that it is whole.
    HalfPicture,
    /// Its still ends in the middle, and the connection with it.
    Cut,
    /// Its still has no end.
    Endless,
    /// Its still comes after a minute.
    Slow,
    /// It gives the still before once more.
    SamePicture,
    /// It is overloaded: HTTP 503.
    Unavailable,
}
