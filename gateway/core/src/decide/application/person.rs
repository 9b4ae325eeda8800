//! Who applies: by the present card or by the number, and whether they may at all (A1 to A5).

use schemas::civil::CivilDate;
use schemas::event::application::{
    ApplicationCardRead, ApplicationCardUnreadable, ApplicationIdentityConfirmed,
    ApplicationInputRejected, ApplicationKindChosen, ApplicationNumberKeyed,
    ApplicationResidenceChosen, ApplicationStep as Step,
};
use schemas::ids::DeviceId;
use schemas::lookup::LookupTag;
use schemas::renewal::{RenewalDay, renewal};
use schemas::time::ClockTrust;
use schemas::words::application::{ApplicationKind, ApplicationRefusal, InputFault, WindowReason};
use schemas::words::{Completion, RefusalReason, Residence};

use super::super::draft::Draft;
use super::session::refuse;
use super::{at, go_on, put, window};
use crate::input::{CardRead, Person, ReadFailure};

/// A1: what is done at the window is refused with its address.
pub(super) fn kind(draft: &mut Draft<'_>, kiosk: &DeviceId, kind: ApplicationKind) {
    let Some(a) = at(draft, kiosk) else { return };
    let session = a.id.clone();
    draft.push(ApplicationKindChosen { session, kind });
    if kind.reason().is_none() {
        refuse(draft, kiosk, ApplicationRefusal::KindAtWindow, (None, None));
    } else {
        go_on(draft, kiosk);
    }
}

/// A2.
pub(super) fn residence(draft: &mut Draft<'_>, kiosk: &DeviceId, residence: Residence) {
    let Some(a) = at(draft, kiosk) else { return };
    let taken = a.policy.residences.contains(&residence);
    let session = a.id.clone();
    draft.push(ApplicationResidenceChosen { session, residence });
    if taken {
        go_on(draft, kiosk);
    } else {
        let reason = ApplicationRefusal::ResidenceNotAccepted;
        refuse(draft, kiosk, reason, (None, None));
    }
}

/// A3: what the reader read.
pub(super) fn card(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    result: &Result<CardRead, ReadFailure>,
) {
    let read = match result {
        Ok(read) => read,
        Err(ReadFailure(completion)) => return unreadable(draft, kiosk, *completion),
    };
    let person = read.person.as_deref();
    let known = person.and_then(|p| {
        p.number
            .first()
            .cloned()
            .zip(p.holder.clone())
            .map(|k| (p, k))
    });
    let Some((person, (number, holder))) = known else {
        // It came for no session, so nothing of it is kept.
        return unreadable(draft, kiosk, Completion::SequenceError);
    };
    let Some(a) = at(draft, kiosk) else { return };
    let event = ApplicationCardRead {
        session: a.id.clone(),
        card: read.serial.clone(),
        number,
        older: older(person),
        name: person.name.clone(),
        number_tail: person.number_tail.clone(),
        holder,
        expiry: person.expiry,
        hands: read.hands.clone(),
        fingers: read.fingers.clone(),
        picture: person.picture,
        of_age: of_age(draft, kiosk, person),
        flagged: flagged(draft, person),
    };
    draft.push(event);
    judge(draft, kiosk, person);
}

/// The tags of a number but the newest.
fn older(person: &Person) -> Vec<LookupTag> {
    person.number.iter().skip(1).cloned().collect()
}

/// A3: "Unable to read, please contact the staff", and back to the choice of kind.
pub(super) fn unreadable(draft: &mut Draft<'_>, kiosk: &DeviceId, completion: Completion) {
    let Some(a) = at(draft, kiosk) else { return };
    let session = a.id.clone();
    draft.push(ApplicationCardUnreadable {
        session,
        completion,
    });
    go_on(draft, kiosk);
}

/// A3: the number that was keyed; none: it is no citizen number.
pub(super) fn number(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    person: Option<&Person>,
) -> Result<(), RefusalReason> {
    let Some(a) = at(draft, kiosk) else {
        return Err(RefusalReason::NoSuchSession);
    };
    let (session, step, max) = (a.id.clone(), a.number, a.policy.number_attempts_max);
    let Some(person) = person else {
        draft.push(ApplicationInputRejected {
            session,
            number: step,
            fault: InputFault::NumberInvalid,
        });
        if attempt < max {
            let attempt = attempt + 1;
            put(draft, kiosk, Step::KeyNumber { attempt });
        } else {
            window::send(draft, kiosk, WindowReason::NumberFailed);
        }
        return Err(RefusalReason::NumberInvalid);
    };
    let known = person.number.first().cloned().zip(person.holder.clone());
    let (number, holder) = known.ok_or(RefusalReason::NotServing)?;
    if a.failed.is_one_too_many(&number, max) {
        window::send(draft, kiosk, WindowReason::TooManyNumbers);
        return Ok(());
    }
    let event = ApplicationNumberKeyed {
        session,
        number,
        older: older(person),
        number_tail: person.number_tail.clone(),
        holder,
        of_age: of_age(draft, kiosk, person),
        flagged: flagged(draft, person),
    };
    draft.push(event);
    judge(draft, kiosk, person);
    Ok(())
}

/// A4: not them: back to the choice of kind.
pub(super) fn confirm(draft: &mut Draft<'_>, kiosk: &DeviceId, confirmed: bool) {
    let Some(a) = at(draft, kiosk) else { return };
    let session = a.id.clone();
    draft.push(ApplicationIdentityConfirmed { session, confirmed });
    go_on(draft, kiosk);
}

/// A5; a clock that is not believed says nothing of an age.
fn of_age(draft: &Draft<'_>, kiosk: &DeviceId, person: &Person) -> Option<bool> {
    let age_min = at(draft, kiosk)?.policy.age_min;
    let today = today(draft)?;
    Some(
        person
            .born
            .0
            .age_on(today)
            .is_some_and(|age| age >= age_min),
    )
}

/// What was looked up in the list of another grant than the one in force says nothing.
fn flagged(draft: &Draft<'_>, person: &Person) -> Option<bool> {
    let grant = draft.state().grant.as_ref()?;
    person
        .flagged
        .filter(|(version, _)| *version == grant.version)
        .map(|(_, flagged)| flagged)
}

/// The date in China, by a clock that is believed.
pub(super) fn today(draft: &Draft<'_>) -> Option<CivilDate> {
    let trusted = draft.now.trust == ClockTrust::Synchronised;
    trusted.then(|| CivilDate::in_china(draft.now.wall_ms))
}

/// A3 and A5, as far as the station can tell; what it cannot, the centre says.
fn judge(draft: &mut Draft<'_>, kiosk: &DeviceId, applicant: &Person) {
    if !applicant.resident {
        return refuse(draft, kiosk, ApplicationRefusal::NotInScope, (None, None));
    }
    let Some(a) = at(draft, kiosk) else { return };
    let Some(person) = &a.person else { return };
    if person.of_age == Some(false) {
        return refuse(draft, kiosk, ApplicationRefusal::UnderAge, (None, None));
    }
    match out_of_window(draft, kiosk) {
        Some((reason, dates)) => refuse(draft, kiosk, reason, dates),
        None => go_on(draft, kiosk),
    }
}

/// A3: the clock is believed only now, so what could not be judged when the card was read is judged before anything else.
pub(super) fn late_refusal(draft: &Draft<'_>, kiosk: &DeviceId) -> Option<Refused> {
    let person = at(draft, kiosk)?.person.as_ref()?;
    // An age is known where the day was.
    let was_judged = person.of_age.is_some();
    out_of_window(draft, kiosk).filter(|_| !was_judged)
}

/// Why somebody is refused, from when on they would not be, and until when.
pub(super) type Refused = (ApplicationRefusal, (Option<CivilDate>, Option<CivilDate>));

/// A3: whether it is time to renew the card, as far as card and clock say it.
fn out_of_window(draft: &Draft<'_>, kiosk: &DeviceId) -> Option<Refused> {
    let a = at(draft, kiosk)?;
    let person = a.person.as_ref()?;
    let expiry = person
        .expiry
        .filter(|_| a.entered.kind == Some(ApplicationKind::Renewal))?;
    let (before, after) = (
        a.policy.renewal_months_before,
        a.policy.renewal_months_after,
    );
    Some(match renewal(expiry, today(draft)?, before, after) {
        RenewalDay::Open => return None,
        RenewalDay::Early { opens } => (ApplicationRefusal::RenewalTooEarly, (Some(opens), None)),
        RenewalDay::Late { closes } => (ApplicationRefusal::RenewalTooLate, (None, Some(closes))),
        RenewalDay::Never => (ApplicationRefusal::CardLongTerm, (None, None)),
    })
}
