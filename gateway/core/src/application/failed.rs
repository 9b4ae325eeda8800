//! Attempts that failed. Going back does not give them back, so no limit is a limit of patience.

use std::collections::{BTreeMap, BTreeSet};

use schemas::event::application::ApplicationStep as Step;
use schemas::lookup::LookupTag;
use schemas::words::Hand;
use schemas::words::application::FacePair;
use serde::{Deserialize, Serialize};

/// Attempts that failed so far, of one person (A3, A6 to A9).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    /// Tag of the number of whose attempts these are; none: nobody is known yet.
    person: Option<LookupTag>,
    /// Numbers that were keyed wrong. They are nobody's.
    pub(crate) number: u16,
    pub(crate) portrait: u16,
    /// Live photos that could not be taken or compared, or were not alike.
    pub(crate) live: u16,
    pub(crate) phone: u16,
    fingers: BTreeMap<Hand, u16>,
    /// The numbers that were keyed, of different people.
    #[serde(default)]
    keyed: BTreeSet<LookupTag>,
    /// What was found to differ, and not found alike since (A7, A9).
    #[serde(default)]
    faces_differ: BTreeSet<FacePair>,
    #[serde(default)]
    fingers_differ: BTreeSet<Hand>,
}

impl Failed {
    /// Of a hand.
    pub(crate) fn finger(&self, hand: Hand) -> u16 {
        self.fingers.get(&hand).copied().unwrap_or(0)
    }

    /// A step was asked for: those attempts before the present one failed.
    pub(crate) fn before(&mut self, step: Step) {
        let (count, attempt) = match step {
            Step::KeyNumber { attempt } => (&mut self.number, attempt),
            Step::GivePortrait { attempt } => (&mut self.portrait, attempt),
            Step::TakeLivePhoto { attempt }
            | Step::RetakeLivePhoto { attempt }
            | Step::CompareLive { attempt } => (&mut self.live, attempt),
            Step::GivePhone { attempt } => (&mut self.phone, attempt),
            Step::CaptureFinger { hand, attempt, .. } => {
                (self.fingers.entry(hand).or_default(), attempt)
            }
            // A card is read until the citizen gives up, and each code has attempts of its own.
            Step::ReadCard { .. }
            | Step::KeySmsCode { .. }
            | Step::ChooseKind
            | Step::ChooseResidence
            | Step::ConfirmIdentity
            | Step::AwaitEligibility
            | Step::ComparePortrait
            | Step::AwaitSms
            | Step::AttachDocuments
            | Step::Sign
            | Step::ChoosePayment
            | Step::AwaitPayment => return,
        };
        *count = (*count).max(attempt.saturating_sub(1));
    }

    /// Somebody is known: who is not the one before begins anew.
    pub(crate) fn is_of(&mut self, person: &LookupTag) {
        if self.person.as_ref() != Some(person) {
            *self = Self {
                person: Some(person.clone()),
                number: self.number,
                keyed: core::mem::take(&mut self.keyed),
                ..Self::default()
            };
        }
    }

    /// The same, by a number that was keyed.
    pub(crate) fn is_keyed(&mut self, person: &LookupTag) {
        self.keyed.insert(person.clone());
        self.is_of(person);
    }

    /// Whether this would be one person more than so many whose numbers are keyed. The centre tells a name for each (A4), and nobody
    /// applies for many.
    pub(crate) fn is_one_too_many(&self, person: &LookupTag, max: u16) -> bool {
        !self.keyed.contains(person) && self.keyed.len() >= usize::from(max)
    }

    /// Two faces were compared.
    pub(crate) fn faces(&mut self, pair: FacePair, matched: bool) {
        if matched {
            self.faces_differ.remove(&pair);
        } else {
            self.faces_differ.insert(pair);
        }
    }

    /// A finger was compared with the card's.
    pub(crate) fn fingers(&mut self, hand: Hand, matched: bool) {
        if matched {
            self.fingers_differ.remove(&hand);
        } else {
            self.fingers_differ.insert(hand);
        }
    }

    /// Whether these faces were found to differ, so that only a score can show that they are alike.
    pub(crate) fn do_faces_differ(&self, pair: FacePair) -> bool {
        self.faces_differ.contains(&pair)
    }

    /// The same of a hand's finger.
    pub(crate) fn do_fingers_differ(&self, hand: Hand) -> bool {
        self.fingers_differ.contains(&hand)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A9: what failed is counted to the same person, and never down.
    #[test]
    fn a9_another_person_begins_anew() {
        let tag = |head: &str| LookupTag::new(format!("{head}.AAECAwQFBgcICQoLDA0ODw")).unwrap();
        let mut failed = Failed::default();
        failed.is_of(&tag("0a1b2c3d"));
        for attempt in [1, 3, 2] {
            failed.before(Step::KeyNumber { attempt });
            failed.before(Step::CaptureFinger {
                hand: Hand::Left,
                attempt,
                position: None,
            });
        }
        failed.is_of(&tag("0a1b2c3d"));
        let counts = |failed: &Failed| [failed.number, failed.finger(Hand::Left)];
        assert_eq!((counts(&failed), failed.finger(Hand::Right)), ([2, 2], 0));
        failed.is_of(&tag("00000001"));
        assert_eq!(counts(&failed), [2, 0]);
    }

    /// A4, G7: numbers of different people are counted, the same one again is not.
    #[test]
    fn a4_the_people_whose_numbers_are_keyed_are_counted() {
        let tag = |head: &str| LookupTag::new(format!("{head}.AAECAwQFBgcICQoLDA0ODw")).unwrap();
        let mut failed = Failed::default();
        for keyed in ["00000001", "00000001", "00000002", "00000001"] {
            assert!(!failed.is_one_too_many(&tag(keyed), 2));
            failed.is_keyed(&tag(keyed));
        }
        assert!(!failed.is_one_too_many(&tag("00000002"), 2));
        assert!(failed.is_one_too_many(&tag("00000003"), 2));
    }
}
