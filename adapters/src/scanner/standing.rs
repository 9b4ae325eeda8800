//! How the scanner stands, and what is said of it.

use schemas::message::device::Code;
use schemas::words::DeviceStatus;

use crate::link::LinkHandle;
use crate::matcher::MatcherFault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing has been heard of it yet.
    Starting,
    /// It answers, and so does the matcher, if there is one.
    Ready,
    /// It answers that it is at work on something else.
    Busy,
    /// It has not answered for the limit.
    Silent,
    /// It takes another password.
    Locked,
    /// It answers, but what it sees cannot be compared.
    NoMatcher(MatcherFault),
}

impl Standing {
    /// Says it: status, and whether the scanner is there.
    pub(super) fn say(self, link: &LinkHandle) {
        let code = |text: &str| Code::new(text).ok();
        let (status, detail) = match self {
            Self::Starting => (DeviceStatus::Starting, None),
            Self::Ready => (DeviceStatus::Online, None),
            Self::Busy => (DeviceStatus::DeviceBusy, None),
            Self::Silent => (DeviceStatus::HardwareError, code("unreachable")),
            Self::Locked => (DeviceStatus::UserError, code("wrong-password")),
            Self::NoMatcher(fault) => (DeviceStatus::HardwareError, code(fault.word())),
        };
        link.status(status, detail);
        // Present after the status, so that whoever sees the birth finds the status right. A scanner that has not
        // answered yet is not there: no session may count on it.
        link.present(!matches!(self, Self::Starting | Self::Silent));
    }
}
