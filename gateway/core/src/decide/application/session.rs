//! How an application begins and ends (A1, A14).

use schemas::civil::CivilDate;
use schemas::event::application::{
    ApplicationEnded, ApplicationRecorded, ApplicationRefused, ApplicationStarted,
};
use schemas::ids::{DeviceId, SessionId};
use schemas::words::application::{ApplicationOutcome, ApplicationRefusal, Language};
use schemas::words::{DeviceKind, RefusalReason};

use super::super::draft::Draft;
use super::super::payment;
use super::{at, go_on};

/// A citizen touches the screen. The devices without which nobody can come to the end must be there.
pub(in crate::decide) fn start(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    language: Language,
) -> Result<SessionId, RefusalReason> {
    let none = RefusalReason::NoApplications;
    let rules = draft.rules.application.as_ref().ok_or(none)?;
    let state = draft.state();
    let devices = state.applications_from(draft.rules, kiosk)?.clone();
    if state.session_at(kiosk).is_some() || at(draft, kiosk).is_some() {
        return Err(RefusalReason::MachineBusy);
    }
    let needed = [&devices.scanner, &devices.camera];
    if state.is_flapping(kiosk) || !needed.iter().all(|id| state.is_usable(id)) {
        return Err(RefusalReason::DeviceOffline);
    }
    let session = draft.next_session();
    let mut policy = rules.policy.clone();
    if !has_terminal(draft, kiosk) {
        policy.payments.retain(|way| !way.needs_terminal());
    }
    draft.push(ApplicationStarted {
        session: session.clone(),
        kiosk: kiosk.clone(),
        devices,
        site: rules.site.clone(),
        language,
        policy: Box::new(policy),
    });
    go_on(draft, kiosk);
    Ok(session)
}

/// A12: nobody is asked to lay a card on what is not there.
fn has_terminal(draft: &Draft<'_>, kiosk: &DeviceId) -> bool {
    let mut installed = draft.rules.devices.values();
    installed.any(|d| d.kind == DeviceKind::PaymentTerminal && d.owner.as_ref() == Some(kiosk))
}

/// The citizen does not want to go on. None: it is not an application of this kiosk.
pub(in crate::decide) fn cancel(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    session: &SessionId,
) -> Option<SessionId> {
    at(draft, kiosk).filter(|a| a.id == *session)?;
    end(draft, kiosk, ApplicationOutcome::Cancelled);
    Some(session.clone())
}

/// Not served here (A1 to A5).
pub(super) fn refuse(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    reason: ApplicationRefusal,
    (opens, closes): (Option<CivilDate>, Option<CivilDate>),
) {
    let Some(a) = at(draft, kiosk) else { return };
    let session = a.id.clone();
    draft.push(ApplicationRefused {
        session,
        reason,
        opens,
        closes,
    });
    end(draft, kiosk, ApplicationOutcome::Refused);
}

/// The session is over: where its footage is (A14), that it ended, and what is paid without need is asked back (A12).
pub(super) fn end(draft: &mut Draft<'_>, kiosk: &DeviceId, outcome: ApplicationOutcome) {
    let Some(a) = at(draft, kiosk) else { return };
    let recorders = draft
        .rules
        .application
        .as_ref()
        .map(|rules| &rules.recorders);
    let recorder = recorders.and_then(|r| r.get(&a.devices.camera)).cloned();
    let session = a.id.clone();
    let recorded = ApplicationRecorded {
        session: session.clone(),
        camera: a.devices.camera.clone(),
        recorder,
        from_ms: a.began_ms,
        until_ms: draft.now.wall_ms,
        stills: a.stills.clone(),
    };
    let ended = ApplicationEnded {
        session: session.clone(),
        kiosk: kiosk.clone(),
        outcome,
    };
    draft.push(recorded);
    draft.push(ended);
    payment::settle(draft, &session);
}
