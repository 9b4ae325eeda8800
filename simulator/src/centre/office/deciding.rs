//! Which of the accepted applications stand. Of one person's the first whose person the centre can open is kept, whatever the stations'
//! clocks say; of those that open in one round, the first that was read. A key may come long after its event, from a station that was
//! cut off, and until it is there nobody knows whose application that is: it holds up nobody else's. One whose pictures are still to come
//! keeps its place: only the same person's wait behind it.

use std::collections::BTreeSet;
use std::io;

use schemas::acceptance::{DailyPlace, DailySequence};
use schemas::downlink::application::ApplicationDecided;
use schemas::event::application::{Decision, Reviewed};
use schemas::words::application::RejectionReason;

use super::cases::{Case, Opening, Standing};
use super::letters::Letter;
use super::opening::{Holder, Opened};
use super::review::{self, Looked};
use super::{Office, Openers};
use crate::people::People;

/// Where the numbers that the centre gives itself begin in each day.
const OWN_PLACES: u32 = 90_000;

impl Office {
    /// Decides the cases that can be decided, in the centre's own order. True: something changed.
    pub(super) fn decide(
        &mut self,
        openers: &Openers,
        register: &People,
        now_ms: u64,
    ) -> io::Result<bool> {
        let mut changed = self.open_cases(openers, now_ms)?;
        let mut waiting = BTreeSet::new();
        for key in self.undecided(|case| case.opened.map(|opened| opened.number)) {
            let Some(case) = self.cases.get(&key) else {
                continue;
            };
            let number = case.holder.as_ref().map(|holder| holder.number.clone());
            if number.as_ref().is_some_and(|n| waiting.contains(n)) {
                continue;
            }
            match self.judge(case, openers, register, now_ms)? {
                Some((rejected, comparisons)) => {
                    self.say_decision(&key, rejected, comparisons, now_ms);
                    changed = true;
                }
                None => waiting.extend(number),
            }
        }
        Ok(changed)
    }

    /// The cases that nothing was decided about, in the order of these numbers; those without one are left out.
    fn undecided(&self, number: impl Fn(&Case) -> Option<u64>) -> Vec<String> {
        let cases = self.cases.iter();
        let arrived = cases.filter(|(_, case)| case.standing == Standing::Arrived);
        let mut ordered: Vec<_> = arrived
            .filter_map(|(key, case)| Some((number(case)?, key.clone())))
            .collect();
        ordered.sort();
        ordered.into_iter().map(|(_, key)| key).collect()
    }

    /// Learns who applied, where the key has come; in the order in which they were read. True: something changed.
    fn open_cases(&mut self, openers: &Openers, now_ms: u64) -> io::Result<bool> {
        let mut changed = false;
        for key in self.undecided(|case| case.opened.is_none().then_some(case.arrival)) {
            let Some(case) = self.cases.get_mut(&key) else {
                continue;
            };
            let holder = match &case.sealed {
                None => Opened::Never,
                Some(field) => openers.holder(&case.sender, &case.session, field)?,
            };
            case.holder = match holder {
                Opened::NotYet => continue,
                Opened::Never => None,
                Opened::It(holder) => Some(holder),
            };
            self.openings += 1;
            case.opened = Some(Opening {
                number: self.openings,
                at_ms: now_ms,
            });
            changed = true;
        }
        Ok(changed)
    }

    /// Why it does not stand, if it does not, and what was compared. None: its pictures are still to come.
    fn judge(
        &self,
        case: &Case,
        openers: &Openers,
        register: &People,
        now_ms: u64,
    ) -> io::Result<Option<(Option<RejectionReason>, Vec<Reviewed>)>> {
        let Some(holder) = &case.holder else {
            return Ok(Some((Some(RejectionReason::Identity), Vec::new())));
        };
        if let Some(reason) = self.objection(holder) {
            return Ok(Some((Some(reason), Vec::new())));
        }
        Ok(
            match review::look(case, holder, openers, register, now_ms)? {
                Looked::NotYet => None,
                Looked::At(compared) => Some((review::objection(&compared), compared)),
            },
        )
    }

    fn say_decision(
        &mut self,
        key: &str,
        rejected: Option<RejectionReason>,
        comparisons: Vec<Reviewed>,
        now_ms: u64,
    ) {
        let Some(case) = self.cases.get_mut(key) else {
            return;
        };
        if self.faults.renumber && rejected.is_none() {
            case.place = own_place(case);
        }
        let outcome = match rejected {
            Some(reason) => Decision::Rejected { reason },
            None => Decision::Confirmed {
                site: case.site.clone(),
                place: case.place,
            },
        };
        case.standing = rejected.map_or(Standing::Confirmed, Standing::Rejected);
        case.is_decided = true;
        let decided = ApplicationDecided {
            incarnation: case.sender.incarnation,
            session: case.session.clone(),
            outcome,
            comparisons,
        };
        let station = case.sender.station.clone();
        self.post(&station, Letter::Decided(decided), now_ms);
    }

    /// Why it does not stand, if that is known without its pictures.
    fn objection(&self, holder: &Holder) -> Option<RejectionReason> {
        if self.keeps_one_of(&holder.number) {
            Some(RejectionReason::AlreadyAppliedElsewhere)
        } else if self.faults.reject {
            Some(RejectionReason::Other)
        } else if self.is_flagged(&holder.number) {
            Some(RejectionReason::NotEligible)
        } else {
            None
        }
    }
}

/// Behind all that stations count up to in the simulation, and no number twice.
fn own_place(case: &Case) -> DailyPlace {
    let behind = u32::try_from(case.arrival)
        .ok()
        .and_then(|n| n.checked_add(OWN_PLACES));
    let sequence = behind.and_then(|n| DailySequence::new(n).ok());
    DailyPlace {
        date: case.place.date,
        sequence: sequence.unwrap_or(case.place.sequence),
    }
}
