//! How a face matcher stands, and what is said of it.

use schemas::message::device::Code;
use schemas::words::DeviceStatus;

use crate::link::LinkHandle;
use crate::matcher::MatcherFault;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing has been heard of it yet.
    Starting,
    /// It answers.
    Ready,
    /// It did not answer the last time, or not as specified.
    Ill(MatcherFault),
    /// It has not answered for the limit.
    Silent(MatcherFault),
}

impl Standing {
    /// Says it: status, and whether the matcher is there.
    pub(super) fn say(self, link: &LinkHandle) {
        let (status, detail) = match self {
            Self::Starting => (DeviceStatus::Starting, None),
            Self::Ready => (DeviceStatus::Online, None),
            Self::Ill(fault) | Self::Silent(fault) => {
                (DeviceStatus::HardwareError, Code::new(fault.word()).ok())
            }
        };
        link.status(status, detail);
        // Present after the status, so that whoever sees the birth finds the status right. One that has not answered yet is not
        // there.
        link.present(!matches!(self, Self::Starting | Self::Silent(_)));
    }
}
