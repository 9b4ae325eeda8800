//! What a session was given: pictures, fingers, the reach of a phone, papers (A6 to A11).

use schemas::event::Event;
use schemas::event::application::{ApplicationFacesCompared, Comparison};
use schemas::time::Deadline;
use schemas::words::Completion;
use schemas::words::application::{EligibilityVerdict, FacePair, PageNotice, SmsSkipped};

use super::super::Recorded;
use super::of;
use crate::application::{Notice, Sms};
use crate::state::State;

pub(super) fn pictures(state: &mut State, event: &Event) {
    if let Event::ApplicationPortraitSubmitted(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.portrait_attempt = b.attempt;
            a.entered.portrait = Some(b.portrait.clone());
        }
    } else if let Event::ApplicationPortraitRejected(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.portrait = None;
            a.notice.failed_checks.clone_from(&b.failed);
        }
    } else if let Event::ApplicationLivePhotoArchived(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.entered.live = Some(b.photo.clone());
            a.live_attempt = b.attempt;
            a.stills.push(b.photo.blob.clone());
        }
    } else if let Event::ApplicationLivePhotoRejected(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.live = None;
            a.notice.failed_checks.clone_from(&b.failed);
        }
    } else if let Event::ApplicationFacesCompared(b) = event {
        faces_compared(state, b);
    } else if let Event::ApplicationFingerCaptured(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.entered.fingers.retain(|f| f.hand != b.finger.hand);
            a.entered.fingers.push(b.finger.clone());
        }
    } else if let Event::ApplicationFingerFailed(b) = event {
        if let Some(a) = of(state, &b.session) {
            let is_none = b.completion == Completion::TimeOut && b.quality.is_none();
            a.notice = Notice::of(if is_none {
                PageNotice::NoFinger
            } else {
                PageNotice::FingerAgain
            });
        }
    } else if let Event::ApplicationFingerCompared(b) = event
        && let Some(a) = of(state, &b.session)
    {
        if let Comparison::Compared { matched, .. } = b.comparison {
            a.failed.fingers(b.hand, matched);
        }
        if differs(&b.comparison) {
            a.notice = Notice::of(PageNotice::FingerDiffers);
            a.entered.fingers.retain(|f| f.hand != b.hand);
        } else {
            a.fingers_compared.insert(b.hand, b.comparison.clone());
        }
    }
}

const fn differs(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Compared { matched: false, .. })
}

fn faces_compared(state: &mut State, b: &ApplicationFacesCompared) {
    let Some(a) = of(state, &b.session) else {
        return;
    };
    if let Comparison::Compared { matched, .. } = b.comparison {
        a.failed.faces(b.pair, matched);
    }
    if differs(&b.comparison) {
        return;
    }
    match b.pair {
        FacePair::PortraitHistorical => a.portrait_compared = Some(b.comparison.clone()),
        FacePair::LiveHistorical => a.live_compared = Some(b.comparison.clone()),
    }
}

/// What needs the centre: eligibility and the phone number.
pub(super) fn reach(state: &mut State, recorded: Recorded<'_>) {
    let event = recorded.event;
    if let Event::ApplicationEligibilityAsked(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.questions = b.question;
            a.eligibility_asked = Some(b.question);
        }
    } else if let Event::ApplicationEligibilityDecided(b) = event {
        if b.verdict != EligibilityVerdict::Eligible {
            return;
        }
        if let Some(a) = of(state, &b.session) {
            a.eligibility = Some(b.basis);
            a.entered.name = a.entered.name.take().or_else(|| b.name.clone());
        }
    } else if let Event::ApplicationPhoneGiven(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.entered.phone = Some(b.phone.clone());
            a.phone = Some(b.masked.clone());
        }
    } else if let Event::ApplicationSmsAsked(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.questions = b.question;
            a.codes_asked = a.codes_asked.saturating_add(1);
            a.sms = Sms::Asked(b.question);
        }
    } else if let Event::ApplicationSmsSent(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.sms = Sms::Sent {
                code: b.code.clone(),
                until: Deadline::after(recorded.now, u64::from(b.valid_s) * 1_000),
            };
        }
    } else if let Event::ApplicationSmsConfirmed(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.sms = Sms::Confirmed;
        }
    } else if let Event::ApplicationSmsSkipped(b) = event
        && let Some(a) = of(state, &b.session)
    {
        a.notice = match b.reason {
            SmsSkipped::NotSent => Notice::of(PageNotice::SmsUnavailable),
            SmsSkipped::Policy => Notice::default(),
        };
        a.sms = Sms::Skipped(b.reason);
    }
}

pub(super) fn closing(state: &mut State, event: &Event) {
    if let Event::ApplicationDocumentAttached(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.documents.push(b.document.clone());
        }
    } else if let Event::ApplicationDocumentsDone(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.documents_done = true;
        }
    } else if let Event::ApplicationSigned(b) = event
        && let Some(a) = of(state, &b.session)
    {
        a.entered.signature = Some(b.signature.clone());
    }
}
