//! What became of erasures, as the log tells of it: so that an erasure that is over is not begun again, and its asker hears since when.

use std::collections::BTreeMap;

use schemas::event::centre::ErasureConfirmed;
use schemas::event::evidence::ErasureDone;
use schemas::ids::SessionId;
use serde::{Deserialize, Serialize};

use crate::evolve::Recorded;
use crate::state::State;

/// An erasure of a session whose keys here are destroyed. One entry for each session that was ever erased, which is rare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// How far it is.
    pub standing: ErasureStanding,
    /// The event that says so.
    pub index: u64,
    /// When that was recorded, by the wall clock, ms.
    pub wall_ms: u64,
}

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureStanding {
    /// The station destroyed every key that there was.
    AtStation,
    /// The centre holds keys, and was asked to destroy them.
    CentreAsked,
    /// The centre confirmed that it has destroyed them.
    AtCentre,
}

/// Sessions that were erased, and how.
pub(crate) type Erased = BTreeMap<SessionId, Erasure>;

impl State {
    /// How far the erasure of a session is whose keys here are destroyed; none where nobody asked, where they are still being destroyed,
    /// and of what an older program recorded before its last snapshot.
    pub fn erasure(&self, session: &SessionId) -> Option<&Erasure> {
        let under_way = self.erasures.contains(session);
        self.erased.get(session).filter(|_| !under_way)
    }
}

pub(crate) fn done(state: &mut State, recorded: Recorded<'_>, event: &ErasureDone) {
    state.erasures.remove(&event.session);
    let standing = if event.centre_asked {
        ErasureStanding::CentreAsked
    } else {
        ErasureStanding::AtStation
    };
    let erasure = at(recorded, standing);
    state.erased.insert(event.session.clone(), erasure);
}

/// The centre may say so of a session that nobody asked it to erase: keys of that may still be here.
pub(crate) fn confirmed(state: &mut State, recorded: Recorded<'_>, event: &ErasureConfirmed) {
    if let Some(erasure) = state.erased.get_mut(&event.session)
        && erasure.standing == ErasureStanding::CentreAsked
    {
        *erasure = at(recorded, ErasureStanding::AtCentre);
    }
}

fn at(recorded: Recorded<'_>, standing: ErasureStanding) -> Erasure {
    Erasure {
        standing,
        index: recorded.index,
        wall_ms: recorded.now.wall_ms,
    }
}
