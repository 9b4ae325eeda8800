//! What each kiosk shows.

use std::collections::BTreeMap;

use schemas::citizen::MaskedName;
use schemas::ids::{DeviceId, SessionId};
use schemas::time::Deadline;
use schemas::words::{PickupOutcome, PromptCode, ServiceReason};

use crate::rules::Rules;
use crate::state::State;

/// What a kiosk shows: the prompt without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The session, none when idle.
    pub session: Option<SessionId>,
    /// What to show.
    pub code: PromptCode,
    /// The claimant's name, masked.
    pub name: Option<MaskedName>,
    /// Last four characters of the claimant's number.
    pub number_tail: Option<String>,
    /// Which attempt, from 1.
    pub attempt: Option<u16>,
    /// When this step ends.
    pub deadline: Option<Deadline>,
    /// How the session ended.
    pub outcome: Option<PickupOutcome>,
    /// Why the station is out of service.
    pub reasons: Vec<ServiceReason>,
}

/// The view of each kiosk of the configuration.
pub fn views(_state: &State, _rules: &Rules) -> BTreeMap<DeviceId, View> {
    BTreeMap::new()
}
