//! What the centre answers and decides. Each answer counts once; one that comes late, twice, or for another log is recorded as
//! refused and does no harm.

use std::collections::BTreeSet;

use schemas::downlink;
use schemas::downlink::application::{
    ApplicationDecided, EligibilityAnswered, SmsCodeSent, WindowOutcome,
};
use schemas::event::application::{
    ApplicationCompensated, ApplicationConfirmed, Decision, Reviewed, WindowTicketClosed,
};
use schemas::event::centre::InstructionRefusal as Refusal;
use schemas::event::payment::GrantReceived;
use schemas::ids::{DeviceId, SessionId};
use schemas::words::application::RejectionReason;

use super::super::draft::Draft;
use super::super::payment;
use super::{at, eligibility, paying, phone, window};
use crate::application::Sms;
use crate::grant;
use crate::input::{Answer, Decided};

/// The facts that follow, and the name of the instruction.
pub(in crate::decide) fn answered(
    draft: &mut Draft<'_>,
    answer: &Answer,
) -> Result<&'static str, Refusal> {
    match answer {
        Answer::Eligibility(told) => eligible(draft, told)?,
        Answer::SmsSent(told) => sms_sent(draft, told)?,
        Answer::Decided(told) => decided(draft, told)?,
        Answer::Window(told) => window_closed(draft, told)?,
        Answer::Grant(told) => granted(draft, told)?,
        Answer::PaymentCode(told) => {
            let kiosk = kiosk_of(draft, told.incarnation, &told.session)?;
            paying::code_came(draft, &kiosk, told)?;
        }
        Answer::Paid(told) => payment::confirmed(draft, told),
        Answer::Refunded(told) => payment::refunded(draft, told)?,
    }
    Ok(match answer {
        Answer::Eligibility(_) => downlink::ELIGIBILITY_ANSWERED,
        Answer::SmsSent(_) => downlink::SMS_CODE_SENT,
        Answer::Decided(_) => downlink::APPLICATION_DECIDED,
        Answer::Window(_) => downlink::WINDOW_OUTCOME,
        Answer::Grant(_) => downlink::GRANT_ISSUED,
        Answer::PaymentCode(_) => downlink::PAYMENT_CODE_ISSUED,
        Answer::Paid(_) => downlink::PAYMENT_CONFIRMED,
        Answer::Refunded(_) => downlink::PAYMENT_REFUNDED,
    })
}

/// The kiosk of an application that is under way in this log.
fn kiosk_of(draft: &Draft<'_>, incarnation: u32, session: &SessionId) -> Result<DeviceId, Refusal> {
    let own = incarnation == draft.state().incarnation();
    let found = draft.state().application(session).filter(|_| own);
    let kiosk = found.map(|(kiosk, _)| kiosk.clone());
    kiosk.ok_or_else(|| gone(draft, incarnation, session))
}

/// A session that this log has had is over; another one it never had.
fn gone(draft: &Draft<'_>, incarnation: u32, session: &SessionId) -> Refusal {
    let index = session
        .as_str()
        .strip_prefix("s-")
        .and_then(|n| n.parse::<u64>().ok());
    let had = index.is_some_and(|index| index < draft.base.next_index());
    if had && incarnation == draft.base.incarnation() {
        Refusal::Outdated
    } else {
        Refusal::Unusable
    }
}

fn eligible(draft: &mut Draft<'_>, told: &EligibilityAnswered) -> Result<(), Refusal> {
    use schemas::event::application::EligibilityBasis;
    let kiosk = kiosk_of(draft, told.incarnation, &told.session)?;
    let a = at(draft, &kiosk).ok_or(Refusal::Outdated)?;
    let first = a.eligibility != Some(EligibilityBasis::Centre);
    if a.eligibility_asked != Some(told.question) || !first {
        return Err(Refusal::Outdated);
    }
    eligibility::answered(draft, &kiosk, told);
    Ok(())
}

fn sms_sent(draft: &mut Draft<'_>, told: &SmsCodeSent) -> Result<(), Refusal> {
    let kiosk = kiosk_of(draft, told.incarnation, &told.session)?;
    let a = at(draft, &kiosk).ok_or(Refusal::Outdated)?;
    if a.sms != Sms::Asked(told.question) {
        return Err(Refusal::Outdated);
    }
    phone::sent(draft, &kiosk, told.code.clone(), told.valid_s);
    Ok(())
}

/// A15, A17: the first decision counts. What the centre compared for it stands beside it, so that the log says with which score (A7, A9).
fn decided(draft: &mut Draft<'_>, decided: &Decided) -> Result<(), Refusal> {
    let Decided { told, printed } = decided;
    if !is_sound(&told.comparisons) {
        return Err(Refusal::Unusable);
    }
    let session = &told.session;
    let own = told.incarnation == draft.base.incarnation();
    let gave_up = Decision::Rejected {
        reason: RejectionReason::NotPaid,
    };
    if own && told.outcome == gave_up {
        return unpaid(draft, told);
    }
    let found = draft.base.acceptances.get(session).filter(|_| own);
    let acceptance = found.ok_or_else(|| gone(draft, told.incarnation, session))?;
    match &told.outcome {
        Decision::Confirmed { site, place } => {
            let renumbered = *site != acceptance.site || *place != acceptance.place;
            draft.push(ApplicationConfirmed {
                session: session.clone(),
                site: site.clone(),
                place: *place,
                renumbered,
                printed: printed.clone().filter(|_| renumbered),
                comparisons: told.comparisons.clone(),
            });
        }
        Decision::Rejected { reason } => {
            let ticket = window::ticket_of(draft, session);
            draft.push(ApplicationCompensated {
                session: session.clone(),
                reason: *reason,
                ticket,
                held_h: window::held_h(draft),
                phone: acceptance.phone.clone(),
                comparisons: told.comparisons.clone(),
            });
            payment::settle(draft, session);
        }
    }
    Ok(())
}

/// Whether each pair is there once, which bounds how many there are, and each result is that of its score.
fn is_sound(comparisons: &[Reviewed]) -> bool {
    let mut pairs = BTreeSet::new();
    comparisons.iter().all(|reviewed| {
        let is_reached = reviewed.score >= reviewed.score_min;
        pairs.insert(reviewed.pair) && reviewed.matched == is_reached
    })
}

/// A12: the centre gives up what nobody paid, whether or not it had confirmed it.
fn unpaid(draft: &mut Draft<'_>, told: &ApplicationDecided) -> Result<(), Refusal> {
    let order = payment::unpaid(draft, &told.session);
    let lapsed = order.and_then(|order| payment::lapse(draft, &order));
    lapsed.ok_or_else(|| gone(draft, told.incarnation, &told.session))
}

fn window_closed(draft: &mut Draft<'_>, told: &WindowOutcome) -> Result<(), Refusal> {
    let own = told.incarnation == draft.base.incarnation();
    let ticket = draft.base.tickets.get(&told.session).filter(|_| own);
    if ticket.map(|ticket| &ticket.number) != Some(&told.ticket) {
        return Err(gone(draft, told.incarnation, &told.session));
    }
    if ticket.is_some_and(|ticket| !ticket.can_end(told.result)) {
        return Err(Refusal::Unusable);
    }
    draft.push(WindowTicketClosed {
        session: told.session.clone(),
        ticket: told.ticket.clone(),
        result: told.result,
        by: None,
    });
    Ok(())
}

/// A17: the newest counts.
fn granted(draft: &mut Draft<'_>, told: &GrantReceived) -> Result<(), Refusal> {
    let received = grant::received(draft.base.grant.as_ref(), told);
    draft.push(received.ok_or(Refusal::Outdated)?);
    Ok(())
}
