//! What enters the loop, and what its sender is answered.

use std::time::Instant;

use gateway_core::{CentreLink, Input, MachineStanding, Request, Rules, State, WindowTicket};
use schemas::ids::{BlobHash, DeviceId, MachineId, MessageId, SessionId};
use schemas::message::command::FingerTemplate;
use schemas::words::{RefusalReason, ServiceReason};
use tokio::sync::oneshot;

use super::WindowAsk;
use crate::effects::{EraseAnswer, RotateAnswer};
use crate::keys::{KeyNotRotated, SigningKey};
use crate::operators::PinCheck;

/// What enters the loop.
#[derive(Debug)]
pub enum Job {
    /// To be decided and recorded.
    Command(Box<Command>),
    /// A kiosk wants its prompt again; nothing is recorded.
    ShowSession {
        /// The kiosk.
        device: DeviceId,
        /// The request.
        id: MessageId,
        /// Told when it was shown.
        done: oneshot::Sender<Answer>,
    },
    /// The signing key changes: the event is the last one of the old key.
    RotateKey {
        /// The key that signs from then on; its file is durable.
        next: SigningKey,
        /// Told the index of the event once the change is complete, or why nothing was recorded.
        done: oneshot::Sender<Result<u64, KeyNotRotated>>,
    },
    /// An input of the gateway's own that somebody waits for.
    Own {
        /// The input.
        input: Box<Input>,
        /// The rules from then on, where it is a change of the policy that is recorded.
        rules: Option<Box<Rules>>,
        /// Told when it is durable; that it failed, where nothing was recorded.
        done: oneshot::Sender<Answer>,
    },
    /// An operator at the machine commissions it (V2).
    Commission {
        /// What is asked.
        asked: Box<CommissionAsk>,
        /// Told what the rules said, the session or why not; not yet durable.
        told: oneshot::Sender<Result<Option<SessionId>, RefusalReason>>,
        /// Told when it is durable.
        done: oneshot::Sender<Answer>,
    },
    /// How does a machine stand? Nothing is recorded.
    Standing {
        /// The machine.
        machine: MachineId,
        /// Told; none where there is no such machine.
        done: oneshot::Sender<Option<MachineStanding>>,
    },
    /// An officer at the window has to do with a ticket (A15).
    Window {
        /// What is asked.
        asked: Box<WindowAsk>,
        /// Told what the rules said, not yet durable.
        told: oneshot::Sender<Result<(), RefusalReason>>,
        /// Told when it is durable.
        done: oneshot::Sender<Answer>,
    },
    /// Which tickets wait for an officer? Nothing is recorded.
    Tickets {
        /// Told.
        done: oneshot::Sender<Vec<WindowTicket>>,
    },
    /// What did the centre tell so far, and does it contradict this log? Nothing is recorded.
    Centre {
        /// Told.
        done: oneshot::Sender<CentreTold>,
    },
    /// What is personal of a session shall be destroyed.
    Erase {
        /// The session.
        session: SessionId,
        /// Whether a key of it lies here.
        has_keys: bool,
        /// Told when it is durable that it was; dropped when the loop ends before.
        done: oneshot::Sender<EraseAnswer>,
    },
    /// Which blobs belong to events that were pruned, and to nothing that is open? Nothing is recorded.
    PrunedBlobs {
        /// Told once what that follows from is durable; dropped when the loop ends before.
        done: oneshot::Sender<Vec<BlobHash>>,
    },
    /// New records shall be tagged with another lookup key.
    RotateLookup {
        /// Told when it is durable that they are; dropped when the loop ends before.
        done: oneshot::Sender<RotateAnswer>,
    },
}

impl Job {
    /// Whether it must have a group of its own.
    pub(super) fn stands_alone(&self) -> bool {
        match self {
            Self::Command(command) => command.content.is_large(),
            Self::RotateKey { .. } => true,
            Self::ShowSession { .. }
            | Self::Own { .. }
            | Self::Commission { .. }
            | Self::Standing { .. }
            | Self::Window { .. }
            | Self::Tickets { .. }
            | Self::Centre { .. }
            | Self::Erase { .. }
            | Self::PrunedBlobs { .. }
            | Self::RotateLookup { .. } => false,
        }
    }
}

/// What the link to the centre begins with.
#[derive(Debug, Clone)]
pub struct CentreTold {
    /// What the centre told.
    pub told: CentreLink,
    /// Its copy contradicts this log: nothing of the log goes up any more.
    pub forked: bool,
}

impl CentreTold {
    /// As this state has it.
    pub fn of(state: &State) -> Self {
        Self {
            told: state.centre().clone(),
            forked: state.service_reasons().contains(&ServiceReason::LogForked),
        }
    }
}

/// What is asked of a commissioning.
#[derive(Debug)]
pub enum CommissionAsk {
    /// To begin one.
    Begin {
        /// Whether the PIN fits.
        check: PinCheck,
        /// The machine.
        machine: MachineId,
        /// Where a PIN that does not fit was given, for the record.
        at: DeviceId,
    },
    /// To go on with it, or to end it.
    Go(Input),
}

/// A message of a device.
#[derive(Debug)]
pub struct Command {
    /// Who sent it.
    pub device: DeviceId,
    /// Its id and digest; none for states, which carry no id.
    pub message: Option<MessageKey>,
    /// What it says.
    pub content: Content,
    /// When it came.
    pub received: Instant,
    /// Told when what became of it is durable.
    pub done: oneshot::Sender<Answer>,
}

/// What a message says, with what must not reach the rules beside it.
#[derive(Debug)]
pub enum Content {
    /// Nothing personal.
    Input(Input),
    /// A chip was read: its templates.
    ChipRead(Input, Vec<FingerTemplate>),
    /// An operator asks: whether the PIN fits.
    Operated(Operated),
}

/// An operator's request with the outcome of the comparison.
#[derive(Debug)]
pub struct Operated {
    /// Whether the PIN fits.
    pub check: PinCheck,
    /// Until when the request is wanted.
    pub deadline_ms: u64,
    /// The level after `request/`.
    pub name: String,
    /// What is asked for.
    pub request: Request,
}

/// By what a repetition of a message is known.
#[derive(Debug)]
pub struct MessageKey {
    /// The sender's id for it.
    pub id: MessageId,
    /// Digests of topic and payload under each lookup key in use, the current one's first.
    pub digests: Vec<[u8; 16]>,
}

impl MessageKey {
    /// What is recorded.
    pub(super) fn digest(&self) -> [u8; 16] {
        self.digests.first().copied().unwrap_or_default()
    }
}

/// What the sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Durable, or nothing to make durable.
    Done,
    /// The same id came before with other content; not recorded.
    IdReused,
    /// The rules said no to what was asked at the gateway's own machine; not recorded.
    Refused(RefusalReason),
    /// It cannot be recorded.
    Failed,
}

impl Content {
    /// Whether it comes from `request/{name}`.
    pub(super) fn is_request(&self) -> bool {
        matches!(self, Self::Operated(_) | Self::Input(Input::Request { .. }))
    }

    /// Whether its events may fill a group by themselves.
    pub(super) fn is_large(&self) -> bool {
        let request = match self {
            Self::Operated(operated) => &operated.request,
            Self::Input(Input::Request { request, .. }) => request,
            Self::Input(_) | Self::ChipRead(..) => return false,
        };
        matches!(
            request,
            Request::ReceiveBatch {
                manifest: Some(_),
                ..
            }
        )
    }
}
