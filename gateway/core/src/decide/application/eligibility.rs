//! Whether somebody may apply here (A2, A5): the centre says so. While it cannot be asked, a grant does, within its limits (A17).

use schemas::event::application::{
    ApplicationEligibilityAsked, ApplicationEligibilityDecided, ApplicationStep as Step,
    EligibilityBasis,
};
use schemas::ids::DeviceId;
use schemas::time::ClockTrust;
use schemas::words::application::{
    ApplicationRefusal, EligibilityVerdict as Verdict, WindowReason,
};

use super::super::draft::Draft;
use super::session::refuse;
use super::{at, go_on, put, window};

/// The question goes up with the log; the answer is waited for a little.
pub(super) fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let Some(a) = at(draft, kiosk) else { return };
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

/// The centre's answer, in time or late. Until the acceptance it is what counts.
pub(super) fn answered(draft: &mut Draft<'_>, kiosk: &DeviceId, verdict: Verdict) {
    let Some(a) = at(draft, kiosk) else { return };
    let waits = matches!(&a.stage, Some(stage) if stage.step == Step::AwaitEligibility);
    decided(draft, kiosk, verdict, EligibilityBasis::Centre);
    if waits || verdict != Verdict::Eligible {
        follow(draft, kiosk, verdict);
    }
}

/// No answer in time (A17).
pub(super) fn unanswered(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    match by_grant(draft, kiosk) {
        Ok((verdict, basis)) => {
            decided(draft, kiosk, verdict, basis);
            follow(draft, kiosk, verdict);
        }
        Err(reason) => window::send(draft, kiosk, reason),
    }
}

fn decided(draft: &mut Draft<'_>, kiosk: &DeviceId, verdict: Verdict, basis: EligibilityBasis) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationEligibilityDecided {
            session,
            verdict,
            basis,
        });
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

/// What the grant in force says. It holds only by a clock that is believed, and for whom its list was looked up.
fn by_grant(
    draft: &Draft<'_>,
    kiosk: &DeviceId,
) -> Result<(Verdict, EligibilityBasis), WindowReason> {
    let state = draft.state();
    let a = at(draft, kiosk).ok_or(WindowReason::NoGrant)?;
    let grant = state.grant.as_ref().ok_or(WindowReason::NoGrant)?;
    let person = a.person.as_ref().ok_or(WindowReason::NoGrant)?;
    if draft.now.trust != ClockTrust::Synchronised || person.of_age.is_none() {
        return Err(WindowReason::ClockNotTrusted);
    }
    let valid = (grant.valid_from_ms..grant.valid_until_ms).contains(&draft.now.wall_ms);
    let covers = |e: &schemas::event::application::Entered| {
        e.kind.is_some_and(|kind| grant.kinds.contains(&kind))
            && e.residence.is_some_and(|r| grant.residences.contains(&r))
    };
    if !valid || !covers(&a.entered) {
        return Err(WindowReason::NoGrant);
    }
    let basis = EligibilityBasis::Grant {
        version: grant.version,
        age_s: draft.now.wall_ms.saturating_sub(grant.valid_from_ms) / 1_000,
    };
    match person.flagged {
        None => Err(WindowReason::NoGrant),
        Some(true) => Ok((Verdict::Flagged, basis)),
        Some(false) => {
            let max = grant.provisional_max.min(a.policy.provisional_max);
            if state.applications.provisional < max {
                Ok((Verdict::Eligible, basis))
            } else {
                Err(WindowReason::ProvisionalLimit)
            }
        }
    }
}
