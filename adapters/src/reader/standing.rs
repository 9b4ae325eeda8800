//! How the reader stands, and what is said of it.

use schemas::message::device::Code;
use schemas::words::DeviceStatus;

use crate::link::LinkHandle;

/// The event of a reader with another identity than the configured one.
pub(super) const WRONG_SERIAL: &str = "wrong-serial";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing has been heard of it yet.
    Starting,
    /// It answers.
    Ready,
    /// It has not answered for the limit.
    Silent,
    /// Another reader answers in its place.
    Stranger,
    /// It answers that its security module is not well.
    Ill(u8),
}

impl Standing {
    /// Says it: status, and whether the reader is there.
    pub(super) fn say(self, link: &LinkHandle) {
        let code = |text: &str| Code::new(text).ok();
        let (status, detail) = match self {
            Self::Starting => (DeviceStatus::Starting, None),
            Self::Ready => (DeviceStatus::Online, None),
            Self::Silent => (DeviceStatus::HardwareError, code("unreachable")),
            Self::Stranger => (DeviceStatus::FraudAttempt, code(WRONG_SERIAL)),
            Self::Ill(result) => (
                DeviceStatus::HardwareError,
                code(&format!("sam-{result:02X}")),
            ),
        };
        link.status(status, detail);
        // Present after the status, so that whoever sees the birth finds the status right. A reader that has not
        // answered yet is not there: no session may count on it.
        link.present(matches!(self, Self::Ready | Self::Ill(_)));
        if self == Self::Stranger
            && let Err(error) = link.event(WRONG_SERIAL, None, None)
        {
            tracing::error!(%error, "an event was not taken");
        }
    }
}
