//! Whether somebody may apply here (A2, A5): the centre says so, and whose number it is (A4). While it cannot be asked, a grant decides, within
//! its limits (A17).

use schemas::downlink::application::EligibilityAnswered;
use schemas::event::application::{
    ApplicationEligibilityAsked, ApplicationEligibilityDecided, ApplicationStep as Step,
    EligibilityBasis,
};
use schemas::ids::DeviceId;
use schemas::lookup::LookupTag;
use schemas::words::application::{
    ApplicationRefusal, EligibilityVerdict as Verdict, WindowReason,
};

use super::super::draft::Draft;
use super::session::refuse;
use super::{at, go_on, put, window};
use crate::application::{Application, KnownPerson};
use crate::grant::{Applicant, may_decide};

/// The question goes up with the log; the answer is waited for a little. From here on the number is this application's: nobody pays
/// twice because two machines ask at once.
pub(super) fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let Some(a) = at(draft, kiosk) else { return };
    let taken = a.person.as_ref().and_then(|p| taken(draft, a, p));
    if let Some(reason) = taken {
        return refuse(draft, kiosk, reason, (None, None));
    }
    let e = &a.entered;
    let (Some(kind), Some(residence), Some(number), Some(holder)) =
        (e.kind, e.residence, e.number.clone(), e.holder.clone())
    else {
        return;
    };
    let asked = ApplicationEligibilityAsked {
        session: a.id.clone(),
        question: a.questions.saturating_add(1),
        kind,
        residence,
        number,
        holder,
    };
    draft.push(asked);
    put(draft, kiosk, Step::AwaitEligibility);
}

/// The centre's answer, in time or late. Until the acceptance it is what counts. What a card says of its name is known already.
pub(super) fn answered(draft: &mut Draft<'_>, kiosk: &DeviceId, told: &EligibilityAnswered) {
    let Some(a) = at(draft, kiosk) else { return };
    let waits = matches!(&a.stage, Some(stage) if stage.step == Step::AwaitEligibility);
    let verdict = told.verdict;
    let is_wanted = verdict == Verdict::Eligible && a.entered.name.is_none();
    let decision = ApplicationEligibilityDecided {
        session: a.id.clone(),
        verdict,
        basis: EligibilityBasis::Centre,
        name: told.name.clone().filter(|_| is_wanted),
    };
    draft.push(decision);
    if waits || verdict != Verdict::Eligible {
        follow(draft, kiosk, verdict);
    }
}

/// No answer in time (A17).
pub(super) fn unanswered(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    match by_grant(draft, kiosk) {
        Ok((verdict, basis)) => {
            let Some(a) = at(draft, kiosk) else { return };
            let session = a.id.clone();
            draft.push(ApplicationEligibilityDecided {
                session,
                verdict,
                basis,
                name: None,
            });
            follow(draft, kiosk, verdict);
        }
        Err(reason) => window::send(draft, kiosk, reason),
    }
}

fn follow(draft: &mut Draft<'_>, kiosk: &DeviceId, verdict: Verdict) {
    use ApplicationRefusal as R;
    let reason = match verdict {
        Verdict::Eligible => return go_on(draft, kiosk),
        Verdict::Window => return window::send(draft, kiosk, WindowReason::CentreAsks),
        Verdict::UnderAge => R::UnderAge,
        Verdict::NotIssuedBefore => R::NotIssuedBefore,
        Verdict::Flagged => R::Flagged,
        Verdict::ReportedLost => R::ReportedLost,
        Verdict::AlreadyApplied => R::AlreadyApplied,
        Verdict::ResidenceNotAccepted => R::ResidenceNotAccepted,
        Verdict::NotInScope => R::NotInScope,
    };
    refuse(draft, kiosk, reason, (None, None));
}

/// What stands against a second application of the same person, whether the centre can be asked or not: this station has accepted one
/// that the centre has not decided, or another machine has one under way.
fn taken(draft: &Draft<'_>, own: &Application, person: &KnownPerson) -> Option<ApplicationRefusal> {
    let is_theirs = |tags: &[LookupTag]| tags.iter().any(|tag| person.tags.contains(tag));
    let now = draft.state();
    let mut accepted = draft
        .base
        .acceptances
        .values()
        .chain(now.acceptances.values());
    let open = now.applications.open.values();
    let mut others = open.filter(|a| a.id != own.id && a.eligibility_asked.is_some());
    if accepted.any(|a| is_theirs(&a.tags)) {
        Some(ApplicationRefusal::AlreadyApplied)
    } else if others.any(|a| a.person.as_ref().is_some_and(|p| is_theirs(&p.tags))) {
        Some(ApplicationRefusal::AtAnotherMachine)
    } else {
        None
    }
}

/// What the grant in force says. Those who were decided under it and are still under way count as accepted.
fn by_grant(
    draft: &Draft<'_>,
    kiosk: &DeviceId,
) -> Result<(Verdict, EligibilityBasis), WindowReason> {
    let state = draft.state();
    let (grant, a) = state
        .grant
        .as_ref()
        .zip(at(draft, kiosk))
        .ok_or(WindowReason::NoGrant)?;
    let known = a
        .entered
        .kind
        .zip(a.entered.residence)
        .zip(a.person.as_ref());
    let ((kind, residence), person) = known.ok_or(WindowReason::NoGrant)?;
    if person.of_age.is_none() {
        return Err(WindowReason::ClockNotTrusted);
    }
    let applicant = Applicant {
        kind,
        residence,
        flagged: person.flagged,
    };
    let max = grant.provisional_max.min(a.policy.provisional_max);
    let left = max.saturating_sub(state.decided_by_grant());
    match may_decide(Some(grant), &applicant, left, draft.now) {
        Ok(basis) => Ok((Verdict::Eligible, basis)),
        Err(reason) => match reason.window() {
            Some(window) => Err(window),
            None => Ok((Verdict::Flagged, grant.basis(draft.now))),
        },
    }
}
