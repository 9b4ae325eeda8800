//! What can be wrong with a camera, each with the word that its status says.

use schemas::message::device::Code;
use schemas::words::{Completion, DeviceStatus};
use thiserror::Error;

/// Why a camera gave no picture. Says nothing of what the picture shows, and quotes nothing that the camera said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CameraFault {
    /// Nobody listens at its address.
    #[error("the camera cannot be reached")]
    Unreachable,
    /// No answer within the limit.
    #[error("the camera does not answer in time")]
    Slow,
    /// The connection broke in the middle of an answer.
    #[error("the camera broke off its answer")]
    BrokenOff,
    /// User or password are wrong, or it asks for what is not configured.
    #[error("the camera refuses the user or the password")]
    Refused,
    /// It takes the password in the clear only, and the line is not encrypted.
    #[error("the camera asks for the password in the clear; allow_basic is not set")]
    BasicOnly,
    /// An HTTP status that is none of a camera's answers.
    #[error("the camera answers with HTTP status {0}")]
    Status(u16),
    /// What came is neither HTTP nor SOAP.
    #[error("the camera's answer cannot be read")]
    Unreadable,
    /// It answered with a SOAP fault other than a refusal.
    #[error("the camera answers with a SOAP fault")]
    SoapFault,
    /// It has no media profile, or not the configured one, or no still for it.
    #[error("the camera has no profile to take a still of")]
    NoProfile,
    /// The still is larger than a blob may be.
    #[error("the still is larger than the limit")]
    TooLarge,
    /// What it calls a still is no JPEG, or only a part of one.
    #[error("the still is no whole JPEG")]
    NotPicture,
    /// The still is, byte for byte, the one before it.
    #[error("the still is the same as the one before it")]
    SamePicture,
}

impl CameraFault {
    /// The detail of the status.
    pub fn code(self) -> Option<Code> {
        let word = match self {
            Self::Unreachable => "unreachable",
            Self::Slow => "too-slow",
            Self::BrokenOff => "broken-off",
            Self::Refused => "refused",
            Self::BasicOnly => "basic-only",
            Self::Status(status) => return Code::new(format!("http-{status}")).ok(),
            Self::Unreadable => "unreadable",
            Self::SoapFault => "soap-fault",
            Self::NoProfile => "no-profile",
            Self::TooLarge => "too-large",
            Self::NotPicture => "not-a-picture",
            Self::SamePicture => "same-picture",
        };
        Code::new(word).ok()
    }

    /// The status. What the configuration can cure is the operator's error.
    pub(super) const fn status(self) -> DeviceStatus {
        match self {
            Self::Refused | Self::BasicOnly | Self::NoProfile => DeviceStatus::UserError,
            Self::Unreachable
            | Self::Slow
            | Self::BrokenOff
            | Self::Status(_)
            | Self::Unreadable
            | Self::SoapFault
            | Self::TooLarge
            | Self::NotPicture
            | Self::SamePicture => DeviceStatus::HardwareError,
        }
    }

    /// What a command ends with.
    pub(super) const fn completion(self) -> Completion {
        match self {
            Self::Slow => Completion::TimeOut,
            Self::Unreachable
            | Self::Refused
            | Self::BasicOnly
            | Self::Status(_)
            | Self::SoapFault
            | Self::NoProfile => Completion::DeviceNotReady,
            Self::BrokenOff
            | Self::Unreadable
            | Self::TooLarge
            | Self::NotPicture
            | Self::SamePicture => Completion::HardwareError,
        }
    }

    /// Whether the way to the camera failed, which may be over in a moment.
    pub(super) const fn is_of_the_way(self) -> bool {
        matches!(self, Self::Unreachable | Self::Slow | Self::BrokenOff)
    }

    /// Whether another attempt within a few seconds would be answered alike. A wrong password above all is not tried again at
    /// once: cameras lock a user out after some attempts.
    pub(super) const fn is_lasting(self) -> bool {
        matches!(self, Self::Refused | Self::BasicOnly | Self::NoProfile)
    }
}
