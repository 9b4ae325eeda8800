//! What was made for a citizen to take away (A11 to A13, A15). The papers themselves are kept nowhere; their hashes are here, so that a
//! paper can be checked later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::ids::{DeviceId, PaperHash, SessionId, TicketNumber};
use crate::sealed::SealedField;
use crate::words::application::ApplicationKind;
use crate::words::paper::{PaperFault, PaperKind};

/// A paper that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuedPaper {
    /// Which.
    pub paper: PaperKind,
    /// SHA-256 of its file.
    pub sha256: PaperHash,
}

/// A paper that could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingPaper {
    /// Which.
    pub paper: PaperKind,
    /// Why.
    pub fault: PaperFault,
}

bodies! {
    /// The papers of a session were made, and go to its kiosk. Whether they were printed is the printer's to report.
    PapersIssued {
        /// The session.
        session: SessionId,
        /// The kiosk that prints them.
        kiosk: DeviceId,
        /// Those that were made.
        papers: Vec<IssuedPaper>,
        /// Those that were left out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<MissingPaper>,
    }
    /// An application is accepted, and its kiosk did not hand out all of its papers: the citizen is told, and takes them at the window
    /// with the ticket that is issued with this (A13, A15). Once for each acceptance; the acceptance stands.
    PapersNotHandedOut {
        /// The session.
        session: SessionId,
        /// The kiosk that should have printed them.
        kiosk: DeviceId,
        /// Those that the citizen has not got, as far as the station knows.
        missing: Vec<MissingPaper>,
        /// The ticket.
        ticket: TicketNumber,
        /// How long it is held, in hours; none: as long as tickets are where nothing else is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_h: Option<u16>,
        /// What was applied for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<ApplicationKind>,
        /// Index of the event that holds what was entered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entered: Option<u64>,
        /// Where the citizen is told, sealed; none where no number was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<SealedField>,
    }
}
