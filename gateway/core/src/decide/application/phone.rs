//! The phone number (A8): entered twice, equal, and confirmed by a code if the policy asks for one.

use schemas::event::application::{
    ApplicationInputRejected, ApplicationPhoneGiven, ApplicationSmsAsked, ApplicationSmsConfirmed,
    ApplicationSmsSent, ApplicationSmsSkipped, ApplicationStep as Step, MaskedPhone, SaltedCode,
};
use schemas::ids::DeviceId;
use schemas::message::keyed::SmsCode;
use schemas::sealed::SealedField;
use schemas::words::RefusalReason;
use schemas::words::application::{InputFault, SmsSkipped, WindowReason};

use super::super::draft::Draft;
use super::{at, go_on, put, window};
use crate::application::Sms;

/// The number; what is wrong with it is said at once, and it is asked for again.
pub(super) fn give(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    given: &Result<(MaskedPhone, SealedField), InputFault>,
) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    let (session, max) = (a.id.clone(), a.policy.phone_attempts_max);
    match given.clone() {
        Ok((masked, phone)) => {
            draft.push(ApplicationPhoneGiven {
                session,
                masked,
                phone,
            });
            go_on(draft, kiosk);
            Ok(())
        }
        Err(fault) => {
            let next = (attempt < max).then(|| Step::GivePhone {
                attempt: attempt + 1,
            });
            Err(reject(draft, kiosk, fault, next))
        }
    }
}

/// Records what is wrong, and asks again or sends to the window.
fn reject(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    fault: InputFault,
    next: Option<Step>,
) -> RefusalReason {
    if let Some(a) = at(draft, kiosk) {
        let (session, number) = (a.id.clone(), a.number);
        draft.push(ApplicationInputRejected {
            session,
            number,
            fault,
        });
    }
    match next {
        Some(step) => put(draft, kiosk, step),
        None => window::send(draft, kiosk, WindowReason::PhoneFailed),
    }
    match fault {
        InputFault::NumberInvalid => RefusalReason::NumberInvalid,
        InputFault::PhoneInvalid => RefusalReason::PhoneInvalid,
        InputFault::PhonesDiffer => RefusalReason::PhonesDiffer,
        InputFault::CodeWrong => RefusalReason::CodeWrong,
        InputFault::CodeExpired => RefusalReason::CodeExpired,
    }
}

/// The centre is asked to send a code, to this number or another one. One that does not answer is not waited for.
pub(super) fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let Some(a) = at(draft, kiosk) else { return };
    if !a.policy.sms {
        return skip(draft, kiosk, SmsSkipped::Policy);
    }
    if a.is_centre_silent() {
        return skip(draft, kiosk, SmsSkipped::NotSent);
    }
    if a.are_codes_used_up() {
        return window::send(draft, kiosk, WindowReason::PhoneFailed);
    }
    let Some(phone) = a.entered.phone.clone() else {
        return;
    };
    let asked = ApplicationSmsAsked {
        session: a.id.clone(),
        question: a.questions.saturating_add(1),
        phone,
    };
    draft.push(asked);
    put(draft, kiosk, Step::AwaitSms);
}

/// No code: the number is taken as it is.
pub(super) fn skip(draft: &mut Draft<'_>, kiosk: &DeviceId, reason: SmsSkipped) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationSmsSkipped { session, reason });
        go_on(draft, kiosk);
    }
}

/// The centre sent a code.
pub(super) fn sent(draft: &mut Draft<'_>, kiosk: &DeviceId, code: SaltedCode, valid_s: u32) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationSmsSent {
            session,
            code,
            valid_s,
        });
        go_on(draft, kiosk);
    }
}

/// The code that was keyed.
pub(super) fn code(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    keyed: &SmsCode,
) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    let (session, max) = (a.id.clone(), a.policy.sms_attempts_max);
    let Sms::Sent { code, until } = &a.sms else {
        return Err(RefusalReason::OutOfStep);
    };
    let fault = if until.is_due(draft.now) {
        InputFault::CodeExpired
    } else if code.is(keyed.expose()) {
        draft.push(ApplicationSmsConfirmed { session });
        go_on(draft, kiosk);
        return Ok(());
    } else {
        InputFault::CodeWrong
    };
    let next = (attempt < max).then(|| Step::KeySmsCode {
        attempt: attempt + 1,
    });
    Err(reject(draft, kiosk, fault, next))
}

/// Another code.
pub(super) fn send_again(draft: &mut Draft<'_>, kiosk: &DeviceId) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    if a.are_codes_used_up() {
        return Err(RefusalReason::NotOffered);
    }
    ask(draft, kiosk);
    Ok(())
}
