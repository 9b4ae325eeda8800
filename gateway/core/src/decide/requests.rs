//! What kiosks ask for, and who may have what (P1, P2, P8).

use schemas::event::pickup::{
    PickupAlreadyCollected, PickupHeld, PickupNoRecord, PickupNotArrived, PickupNotEligible,
    PickupStarted,
};
use schemas::event::station::RequestRefused;
use schemas::ids::{CardSerial, DeviceId, MachineId, SessionId};
use schemas::lookup::LookupTag;
use schemas::time::ClockTrust;
use schemas::words::{LookupBy, Motion, PickupOutcome, Place, RefusalReason};

use super::draft::Draft;
use super::{Outcome, acts, application, batches, pickup, registry};
use crate::input::Request;
use crate::rules::{Eligibility, MachineRules};
use crate::state::{Announced, Stage};

/// A request: done, begun, or refused with a reason; each is a fact.
pub(super) fn request(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    deadline_ms: u64,
    request: &Request,
) -> Outcome {
    let result =
        admit(draft, kiosk, deadline_ms, request).and_then(|()| serve(draft, kiosk, request));
    match result {
        Ok(session) => Outcome::Accepted(session),
        Err(reason) => {
            if draft.is_empty() {
                let request = request.name().to_owned();
                draft.push(RequestRefused {
                    device: kiosk.clone(),
                    request,
                    reason,
                });
            }
            Outcome::Refused(reason)
        }
    }
}

/// A deadline in wall-clock time can be judged only under a clock that is believed.
fn admit(
    draft: &Draft<'_>,
    kiosk: &DeviceId,
    deadline_ms: u64,
    request: &Request,
) -> Result<(), RefusalReason> {
    if let Request::Unserviceable { reason, .. } = request {
        return Err(*reason);
    }
    if !draft.rules.kiosks.contains_key(kiosk) {
        return Err(RefusalReason::NotAKiosk);
    }
    if draft.now.trust == ClockTrust::Synchronised && draft.now.wall_ms > deadline_ms {
        return Err(RefusalReason::Expired);
    }
    Ok(())
}

fn serve(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    request: &Request,
) -> Result<Option<SessionId>, RefusalReason> {
    match request {
        Request::StartPickup { by, tags } => start_pickup(draft, kiosk, *by, tags).map(Some),
        Request::StartApplication { language } => {
            application::start(draft, kiosk, *language).map(Some)
        }
        Request::ApplicationInput {
            session,
            step,
            entry,
        } => application::enter(draft, kiosk, session, *step, entry).map(Some),
        Request::PapersGone { session } => Err(application::papers_asked(draft, kiosk, session)),
        Request::Cancel { session } => match application::cancel(draft, kiosk, session) {
            Some(session) => Ok(Some(session)),
            None => cancel(draft, kiosk, session).map(Some),
        },
        Request::ReceiveBatch {
            operator,
            batch,
            manifest,
        } => batches::receive(draft, operator, batch, manifest.as_ref()).map(|()| None),
        Request::ScanCard {
            operator,
            batch,
            card,
        } => batches::scan(draft, operator, batch, card).map(|()| None),
        Request::CloseBatch { operator, batch } => {
            batches::close(draft, operator, batch).map(|()| None)
        }
        Request::LoadCard {
            operator,
            card,
            machine,
            slot,
        } => acts::load(draft, kiosk, operator, card, machine, *slot).map(Some),
        Request::UnloadCard { operator, card } => {
            acts::unload(draft, kiosk, operator, card).map(Some)
        }
        Request::StockTake { operator, machine } => {
            acts::stock_take(draft, kiosk, operator, machine).map(Some)
        }
        Request::PlaceCard {
            operator,
            card,
            to,
            release_hold,
        } => batches::place(draft, operator, card, *to, *release_hold).map(|()| None),
        Request::ResolveMachine {
            operator,
            machine,
            card_now,
        } => acts::resolve(draft, operator, machine, *card_now).map(|()| None),
        Request::SetMaintenance {
            operator,
            target,
            on,
        } => registry::maintain(draft, operator, target, *on).map(|()| None),
        Request::Unserviceable { reason, .. } => Err(*reason),
    }
}

pub(super) fn machine_rules<'a>(
    draft: &Draft<'a>,
    id: &MachineId,
) -> Result<&'a MachineRules, RefusalReason> {
    draft
        .rules
        .machines
        .get(id)
        .ok_or(RefusalReason::SlotUnusable)
}

/// Whether the machine can be leased: nobody has it, nothing is open at it, the station takes
/// sessions.
pub(super) fn machine_free(
    draft: &Draft<'_>,
    id: &MachineId,
    kiosk: &DeviceId,
) -> Result<(), RefusalReason> {
    if !draft.state().reasons.is_empty() {
        return Err(RefusalReason::OutOfService);
    }
    let Some(machine) = draft.machine(id) else {
        return Err(RefusalReason::DeviceOffline);
    };
    if machine.blocked.is_some() {
        Err(RefusalReason::MachineBlocked)
    } else if machine.session.is_some()
        || draft.state().session_at(kiosk).is_some()
        || draft.state().applications.open.contains_key(kiosk)
    {
        Err(RefusalReason::MachineBusy)
    } else if machine.ask.is_some() || machine.motion.is_some() {
        Err(RefusalReason::DeviceOffline)
    } else {
        Ok(())
    }
}

fn start_pickup(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    by: LookupBy,
    tags: &[LookupTag],
) -> Result<SessionId, RefusalReason> {
    if !draft.state().reasons.is_empty() {
        return Err(RefusalReason::OutOfService);
    }
    let Some(card) = find_card(draft, tags) else {
        draft.push(PickupNoRecord {
            kiosk: kiosk.clone(),
            by,
        });
        return Err(RefusalReason::NoRecord);
    };
    let (id, slot) = collectable(draft, kiosk, &card)?;
    let devices = machine_rules(draft, &id)?.devices.clone();
    // An operator may count what is there; a citizen's card is not fetched by records nobody has compared.
    if draft.state().uncounted.contains(&id) {
        return Err(RefusalReason::MachineBlocked);
    }
    registry::in_service(draft, &id, kiosk)?;
    machine_free(draft, &id, kiosk)?;
    let all = devices.all();
    // A step of an application has it for some seconds.
    if all
        .iter()
        .any(|device| draft.state().leased_to(device).is_some())
    {
        return Err(RefusalReason::MachineBusy);
    }
    let known = draft.machine(&id).is_some_and(|m| m.sequence.is_some());
    let usable = all.iter().all(|device| draft.state().is_usable(device));
    if !known || !usable || draft.state().is_flapping(kiosk) {
        return Err(RefusalReason::DeviceOffline);
    }
    let old_card_due = announced(draft, &card).is_some_and(|a| a.old_card_due);
    let session = draft.next_session();
    draft.push(PickupStarted {
        session: session.clone(),
        kiosk: kiosk.clone(),
        machine: id.clone(),
        devices,
        card: card.clone(),
        slot,
        by,
        old_card_due,
        policy: draft.rules.pickup,
    });
    draft.move_card(
        &card,
        Place::Transport {
            machine: id.clone(),
        },
        Some(&session),
    );
    draft.intend(&id, &session, Motion::ToReader { slot });
    Ok(session)
}

fn announced<'a>(draft: &Draft<'a>, card: &CardSerial) -> Option<&'a Announced> {
    draft.base.cards.get(card)?.announced.as_ref()
}

/// The newest card under these tags that is still on its way; else the newest.
fn find_card(draft: &Draft<'_>, tags: &[LookupTag]) -> Option<CardSerial> {
    let cards: Vec<_> = tags
        .iter()
        .filter_map(|tag| draft.base.tags.get(tag))
        .flatten()
        .collect();
    let open = cards.iter().rev().find(|card| {
        draft
            .card(card)
            .is_some_and(|c| !matches!(c.place, Place::HandedOver | Place::Returned))
    });
    open.or(cards.last()).map(|card| (*card).clone())
}

/// P2 and P8: where the card is, or why it cannot be collected here; each with its own event.
fn collectable(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    serial: &CardSerial,
) -> Result<(MachineId, schemas::slot::SlotAddress), RefusalReason> {
    let (kiosk_id, card_id) = (kiosk.clone(), serial.clone());
    let Some(card) = draft.card(serial).cloned() else {
        return Err(RefusalReason::NoRecord);
    };
    if card.place == Place::HandedOver || card.place == Place::Returned {
        draft.push(PickupAlreadyCollected {
            kiosk: kiosk_id,
            card: card_id,
        });
        return Err(RefusalReason::AlreadyCollected);
    }
    if let Some(reason) = card.hold {
        draft.push(PickupHeld {
            kiosk: kiosk_id,
            card: card_id,
            reason,
        });
        return Err(RefusalReason::Held);
    }
    let eligible = card
        .announced
        .as_ref()
        .is_some_and(|a| is_eligible(&draft.rules.eligibility, a));
    if let (false, Some(announced)) = (eligible, &card.announced) {
        let residence = announced.residence;
        draft.push(PickupNotEligible {
            kiosk: kiosk_id,
            card: card_id,
            residence,
        });
        return Err(RefusalReason::NotEligible);
    }
    match card.place {
        Place::Slot { machine, slot } => {
            let own = draft
                .rules
                .kiosks
                .get(kiosk)
                .is_some_and(|rules| rules.machine == machine);
            if own {
                Ok((machine, slot))
            } else {
                Err(RefusalReason::OtherMachine)
            }
        }
        // Another session has it in its hands, or an operator has to look.
        Place::Transport { .. } | Place::Exit { .. } => Err(RefusalReason::MachineBusy),
        Place::MakerTransit
        | Place::Safe
        | Place::RetractBin { .. }
        | Place::Quarantine
        | Place::Courier
        | Place::HandedOver
        | Place::Returned => {
            draft.push(PickupNotArrived {
                kiosk: kiosk_id,
                card: card_id,
            });
            Err(RefusalReason::NotYetArrived)
        }
    }
}

/// P8.
fn is_eligible(rules: &Eligibility, card: &Announced) -> bool {
    rules.residences.contains(&card.residence)
        || card
            .ground
            .is_some_and(|ground| rules.grounds.contains(&ground))
}

/// The citizen does not want to go on: possible until the card is on its way out.
fn cancel(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    session: &SessionId,
) -> Result<SessionId, RefusalReason> {
    let found = draft
        .state()
        .session(session)
        .map(|(id, _, s)| (id.clone(), s.kiosk.clone(), s.stage.clone()));
    let Some((id, owner, stage)) = found else {
        return Err(RefusalReason::NoSuchSession);
    };
    let Some((_, open)) = draft.pickup(&id) else {
        return Err(RefusalReason::NoSuchSession);
    };
    if owner != *kiosk {
        return Err(RefusalReason::NoSuchSession);
    }
    if open.ending.is_some() {
        return Err(RefusalReason::TooLate);
    }
    match stage {
        Stage::Step(_) => {
            draft.ending(&id, PickupOutcome::Cancelled);
            pickup::bring_back(draft, &id);
        }
        Stage::Moving if pickup::may_stop(draft, &id) => {
            draft.ending(&id, PickupOutcome::Cancelled);
        }
        Stage::Moving | Stage::AtOutlet(_) => return Err(RefusalReason::TooLate),
    }
    Ok(session.clone())
}
