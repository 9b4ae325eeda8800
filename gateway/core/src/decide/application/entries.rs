//! What a citizen enters, matched with what is asked. An entry for another step changes nothing: a double tap does no harm.

use schemas::event::application::{
    ApplicationLanguageChosen, ApplicationStep as Step, ApplicationSteppedBack,
};
use schemas::ids::{DeviceId, SessionId};
use schemas::words::RefusalReason;
use schemas::words::application::Language;

use super::super::draft::Draft;
use super::{at, closing, devices, go_on, paying, person, phone, portrait};
use crate::application::back_from;
use crate::input::Entry;

/// An entry at the step `number`.
pub(in crate::decide) fn enter(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    session: &SessionId,
    number: u32,
    entry: &Entry,
) -> Result<SessionId, RefusalReason> {
    let a = at(draft, kiosk).filter(|a| a.id == *session);
    let a = a.ok_or(RefusalReason::NoSuchSession)?;
    let stage = a.stage.as_ref().ok_or(RefusalReason::OutOfStep)?;
    if a.number != number {
        return Err(RefusalReason::OutOfStep);
    }
    let step = stage.step;
    match entry {
        Entry::Language(language) => choose_language(draft, kiosk, *language),
        Entry::Back => back(draft, kiosk, step)?,
        Entry::Retry => retry(draft, kiosk, step)?,
        Entry::Kind(_) | Entry::Residence(_) | Entry::Number(_) | Entry::ConfirmIdentity(_) => {
            about_person(draft, kiosk, step, entry)?;
        }
        Entry::Portrait { .. } | Entry::Phone(_) | Entry::SmsCode(_) => {
            about_reach(draft, kiosk, step, entry)?;
        }
        Entry::Document(..)
        | Entry::DocumentsDone
        | Entry::Signature(_)
        | Entry::Payment(_)
        | Entry::PayLater => {
            about_closing(draft, kiosk, step, entry)?;
        }
    }
    Ok(session.clone())
}

fn about_person(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    step: Step,
    entry: &Entry,
) -> Result<(), RefusalReason> {
    match (step, entry) {
        (Step::ChooseKind, Entry::Kind(kind)) => person::kind(draft, kiosk, *kind),
        (Step::ChooseResidence, Entry::Residence(residence)) => {
            person::residence(draft, kiosk, *residence);
        }
        (Step::KeyNumber { attempt }, Entry::Number(keyed)) => {
            return person::number(draft, kiosk, attempt, keyed.as_deref());
        }
        (Step::ConfirmIdentity, Entry::ConfirmIdentity(yes)) => person::confirm(draft, kiosk, *yes),
        _ => return Err(RefusalReason::OutOfStep),
    }
    Ok(())
}

fn about_reach(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    step: Step,
    entry: &Entry,
) -> Result<(), RefusalReason> {
    match (step, entry) {
        (
            Step::GivePortrait { attempt },
            Entry::Portrait {
                way,
                picture,
                receipt,
                checks,
            },
        ) => {
            let given = portrait::Given {
                way: *way,
                picture: picture.clone(),
                receipt: receipt.clone(),
                checks: checks.clone(),
            };
            portrait::submit(draft, kiosk, attempt, given)
        }
        (Step::GivePhone { attempt }, Entry::Phone(given)) => {
            phone::give(draft, kiosk, attempt, given)
        }
        (Step::KeySmsCode { attempt }, Entry::SmsCode(code)) => {
            phone::code(draft, kiosk, attempt, code)
        }
        _ => Err(RefusalReason::OutOfStep),
    }
}

fn about_closing(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    step: Step,
    entry: &Entry,
) -> Result<(), RefusalReason> {
    match (step, entry) {
        (Step::AttachDocuments, Entry::Document(kind, scan)) => {
            closing::attach(draft, kiosk, *kind, scan.as_ref())
        }
        (Step::AttachDocuments, Entry::DocumentsDone) => {
            closing::attached(draft, kiosk);
            Ok(())
        }
        (Step::Sign, Entry::Signature(image)) => closing::sign(draft, kiosk, image.as_ref()),
        (Step::ChoosePayment, Entry::Payment(way)) => paying::choose(draft, kiosk, *way),
        (Step::ChoosePayment | Step::AwaitPayment, Entry::PayLater) => paying::later(draft, kiosk),
        _ => Err(RefusalReason::OutOfStep),
    }
}

/// The page is drawn again in the other language; the step stays.
fn choose_language(draft: &mut Draft<'_>, kiosk: &DeviceId, language: Language) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationLanguageChosen { session, language });
    }
}

fn back(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    let to = back_from(a, step).ok_or(RefusalReason::NotOffered)?;
    let session = a.id.clone();
    draft.push(ApplicationSteppedBack {
        session,
        to,
        payment_fault: None,
    });
    go_on(draft, kiosk);
    Ok(())
}

/// A code, and a live photo that did not do, can be asked for again: other steps are asked again by themselves.
fn retry(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) -> Result<(), RefusalReason> {
    if let Step::RetakeLivePhoto { attempt } = step {
        devices::ask(draft, kiosk, Step::TakeLivePhoto { attempt });
        Ok(())
    } else if matches!(step, Step::KeySmsCode { .. }) {
        phone::send_again(draft, kiosk)
    } else {
        Err(RefusalReason::OutOfStep)
    }
}
