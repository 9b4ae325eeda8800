//! Faces that stations could not compare (A7): the centre has a picture of everybody in its register, and compares them at its review. It
//! knows a face by the mark of the simulation, as the simulated face matcher does; a picture without one it cannot compare, and for
//! what it cannot compare it makes up no score. Fingers are not compared here.

use std::io;

use schemas::event::application::{
    ApplicationFacesCompared, Comparison, Entered, Reviewed, SealedBlob,
};
use schemas::ids::SessionId;
use schemas::matcher::Score;
use schemas::words::application::{FacePair, RejectionReason, ReviewedPair};
use serde::{Deserialize, Serialize};

use super::cases::{Case, case_key};
use super::opening::{Holder, Opened};
use super::{Office, Openers, Sender};
use crate::faces::{face_of, likeness};
use crate::people::People;

/// The score that a portrait needs, and a live photo.
const PORTRAIT_MIN: u8 = 95;
const LIVE_MIN: u8 = 60;

/// A picture that a station left to the centre to compare.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ToCompare {
    pair: FacePair,
    picture: SealedBlob,
}

/// What came of a look at the pictures of a case.
pub(super) enum Looked {
    /// One has not come, and is waited for.
    NotYet,
    /// All that can be compared was.
    At(Vec<Reviewed>),
}

impl Office {
    /// A station compared two faces, or left that to the centre; its last word counts.
    pub(super) fn faces_compared(&mut self, sender: &Sender, b: &ApplicationFacesCompared) {
        let key = case_key(sender, &b.session);
        match b.comparison {
            Comparison::Pending { .. } => {
                self.pending.entry(key).or_default().insert(b.pair);
            }
            Comparison::Compared { .. } => {
                if let Some(pairs) = self.pending.get_mut(&key) {
                    pairs.remove(&b.pair);
                }
            }
        }
    }

    /// The session is over: what was accepted has taken its pairs along.
    pub(super) fn nothing_to_compare(&mut self, sender: &Sender, session: &SessionId) {
        self.pending.remove(&case_key(sender, session));
    }

    /// What was left to the centre, of what was entered.
    pub(super) fn left_to_compare(&mut self, key: &str, entered: &Entered) -> Vec<ToCompare> {
        let pairs = self.pending.remove(key).unwrap_or_default();
        let pictures = pairs.into_iter().filter_map(|pair| {
            let picture = match pair {
                FacePair::PortraitHistorical => entered.portrait.as_ref()?.picture.clone(),
                FacePair::LiveHistorical => entered.live.clone(),
            };
            Some(ToCompare {
                pair,
                picture: picture?,
            })
        });
        pictures.collect()
    }
}

/// Compares what was left to the centre with the register's picture.
pub(super) fn look(
    case: &Case,
    holder: &Holder,
    openers: &Openers,
    register: &People,
    now_ms: u64,
) -> io::Result<Looked> {
    let mut compared = Vec::new();
    let historical = register.known(&holder.number);
    let Some(historical) = historical.and_then(|person| face_of(&person.card.picture)) else {
        return Ok(Looked::At(compared));
    };
    for to_compare in &case.to_compare {
        match openers.picture(&case.sender, &case.session, &to_compare.picture)? {
            Opened::NotYet if is_waited_for(case, openers, now_ms) => return Ok(Looked::NotYet),
            Opened::NotYet | Opened::Never => {}
            Opened::It(picture) => {
                let shown = face_of(&picture);
                compared.extend(shown.and_then(|face| reviewed(to_compare.pair, face, historical)));
            }
        }
    }
    Ok(Looked::At(compared))
}

/// Pictures come behind their events, but not for ever.
fn is_waited_for(case: &Case, openers: &Openers, now_ms: u64) -> bool {
    let patience_ms = u64::try_from(openers.patience.as_millis()).unwrap_or(u64::MAX);
    let opened_ms = case.opened.map_or(now_ms, |opened| opened.at_ms);
    now_ms.saturating_sub(opened_ms) < patience_ms
}

fn reviewed(pair: FacePair, face: usize, historical: usize) -> Option<Reviewed> {
    let (pair, score_min) = match pair {
        FacePair::PortraitHistorical => (ReviewedPair::PortraitHistorical, PORTRAIT_MIN),
        FacePair::LiveHistorical => (ReviewedPair::LiveHistorical, LIVE_MIN),
    };
    let score = likeness(face, historical);
    Some(Reviewed {
        pair,
        score: Score::new(score).ok()?,
        score_min: Score::new(score_min).ok()?,
        matched: score >= score_min,
    })
}

/// Why it does not stand by what was compared, if it does not.
pub(super) fn objection(compared: &[Reviewed]) -> Option<RejectionReason> {
    let other = compared.iter().find(|reviewed| !reviewed.matched)?;
    Some(match other.pair {
        ReviewedPair::PortraitHistorical => RejectionReason::Portrait,
        ReviewedPair::LiveHistorical => RejectionReason::Identity,
        ReviewedPair::RightFinger | ReviewedPair::LeftFinger => RejectionReason::Fingerprints,
    })
}
