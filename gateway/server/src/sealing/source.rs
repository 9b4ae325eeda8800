//! Whose a picture is, as it comes: the session whose command asked for it, or that of the kiosk that gives it.

use schemas::ids::DeviceId;
use schemas::message::command::CommandId;

/// Where a picture or a reply comes from. What the device says is held against what was asked.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Who sends it.
    pub device: &'a DeviceId,
    /// The command that it names; none: a kiosk gives it.
    pub command: Option<&'a CommandId>,
}

impl<'a> Source<'a> {
    /// What a device sends for a command.
    pub const fn asked(device: &'a DeviceId, command: &'a CommandId) -> Self {
        Self {
            device,
            command: Some(command),
        }
    }

    /// What a kiosk gives.
    pub const fn kiosk(device: &'a DeviceId) -> Self {
        Self {
            device,
            command: None,
        }
    }
}
