//! How the camera stands, and what is said of it.

use schemas::message::device::Code;
use schemas::words::DeviceStatus;

use super::CameraFault;
use crate::link::LinkHandle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing has been heard of it yet.
    Starting,
    /// It gives pictures.
    Ready,
    /// It gives pictures, and its clock is wrong: so are the times on its recorder.
    ClockApart,
    /// It has not answered for the limit.
    Silent(CameraFault),
    /// It answers, and gives no picture.
    Ill(CameraFault),
}

impl Standing {
    /// Says it: status, and whether the camera is there.
    pub(super) fn say(self, link: &LinkHandle) {
        let (status, detail) = match self {
            Self::Starting => (DeviceStatus::Starting, None),
            Self::Ready => (DeviceStatus::Online, None),
            Self::ClockApart => (DeviceStatus::Online, Code::new("clock-apart").ok()),
            Self::Silent(fault) | Self::Ill(fault) => (fault.status(), fault.code()),
        };
        link.status(status, detail);
        // Present after the status, so that whoever sees the birth finds the status right. A camera that has not
        // answered yet is not there: no session may count on it.
        link.present(!matches!(self, Self::Starting | Self::Silent(_)));
    }
    /// What another attempt would only make worse.
    pub(super) fn lasting_fault(self) -> Option<CameraFault> {
        match self {
            Self::Ill(fault) => Some(fault).filter(|fault| fault.is_lasting()),
            Self::Starting | Self::Ready | Self::ClockApart | Self::Silent(_) => None,
        }
    }
}
